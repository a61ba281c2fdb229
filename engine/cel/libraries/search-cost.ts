import type { CallEstimator, OperandEstimate, SizeEstimate } from '../function.ts';
import { addEstimates, fixedEstimate, multiplyEstimates, STRING_TRAVERSAL_FACTOR, scaleEstimate } from './call-cost.ts';

const UNBOUNDED: SizeEstimate = { min: 0, max: Infinity };

/** Size of an element of a list; undefined when the operand is not known to be a list. */
export function elementSize(operand: OperandEstimate): SizeEstimate | undefined {
  return operand.type.kind === 'list' ? (operand.elementSize ?? UNBOUNDED) : undefined;
}

/**
 * The estimate of functions that look at each element of a list once (`isSorted`, `sum`, `min`, `max`, `indexOf`, `lastIndexOf`,
 * `includes`), or at each character of a string. Kubernetes: pkg/cel/library/cost.go EstimateCallCost.
 */
export function searchEstimate(name: string): CallEstimator {
  return ([first]) => {
    const operand = first as OperandEstimate;
    const size = elementSize(operand);
    if (size === undefined) return { cost: scaleEstimate(operand.size, name === 'includes' ? 1 : STRING_TRAVERSAL_FACTOR) };
    const element = operand.type.kind === 'list' ? operand.type.element.kind : 'dyn';
    const walked = element === 'string' || element === 'bytes' ? scaleEstimate(size, STRING_TRAVERSAL_FACTOR) : fixedEstimate(0);
    return { cost: multiplyEstimates(operand.size, addEstimates(fixedEstimate(1), walked)) };
  };
}
