import type { CallEstimator, OperandEstimate, SizeEstimate } from '../function.ts';
import type { CelType } from '../types.ts';
import { addEstimates, fixedEstimate, multiplyEstimates, STRING_TRAVERSAL_FACTOR, scaleEstimate } from './call-cost.ts';

const UNBOUNDED: SizeEstimate = { min: 0, max: Infinity };

/** The first parameter of a type: what cel-go takes for the elements of an operand. */
function firstParameter(type: CelType): CelType | undefined {
  if (type.kind === 'list') return type.element;
  if (type.kind === 'map') return type.key;
  return type.kind === 'optional' ? type.value : undefined;
}

/** Size of an element of a list; undefined when the operand is not known to have elements. */
export function elementSize(operand: OperandEstimate): SizeEstimate | undefined {
  return firstParameter(operand.type) === undefined ? undefined : (operand.elementSize ?? UNBOUNDED);
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
    const kind = firstParameter(operand.type)?.kind;
    const walked = kind === 'string' || kind === 'bytes' ? scaleEstimate(size, STRING_TRAVERSAL_FACTOR) : fixedEstimate(0);
    return { cost: multiplyEstimates(operand.size, addEstimates(fixedEstimate(1), walked)) };
  };
}
