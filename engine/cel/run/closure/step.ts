import type { CelValue } from '../../values.ts';
import { type Attribute, chainFrom } from './attribute.ts';
import { charge, type Evaluate, SELECT_OR_IDENT } from './frame.ts';

/** A planned node. */
export interface Step {
  readonly nodeId: number;
  readonly evaluate: Evaluate;
  /** Set when the node is a chain that can be qualified further. */
  readonly attribute?: Attribute;
  /** Set when the value is known already; then it costs nothing. */
  readonly constant?: { readonly value: CelValue };
}

export function constantStep(nodeId: number, value: CelValue): Step {
  return {
    nodeId,
    constant: { value },
    evaluate: (frame) => {
      frame.record?.(nodeId, value);
      return value;
    },
  };
}

/** A step that computes; `evaluate` charges for itself. */
export function computedStep(nodeId: number, compute: Evaluate): Step {
  return {
    nodeId,
    evaluate: (frame) => {
      const result = compute(frame);
      frame.record?.(nodeId, result);
      return result;
    },
  };
}

/** A chain as a step: it charges for its root. */
export function attributeStep(nodeId: number, attribute: Attribute): Step {
  return {
    nodeId,
    attribute,
    evaluate: (frame) => {
      const result = attribute.resolve(frame);
      if (!attribute.isConditional) charge(frame, SELECT_OR_IDENT);
      frame.record?.(nodeId, result, true);
      return result;
    },
  };
}

/** The chain that a step is or starts. */
export const attributeOf = (step: Step): Attribute => step.attribute ?? chainFrom(step.evaluate);
