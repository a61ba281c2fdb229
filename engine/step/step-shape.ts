import { templateShape } from '../object/template-shape.ts';
import { choice, doc, named, optional, type ShapeNode, string } from '../text/shape.ts';
import type { OperationTable } from './step-source.ts';

/** What stands beside the operation of a step. */
const BESIDE = {
  id: optional(string({ doc: 'Name of its outputs: steps.<id>.' })),
  when: optional(string({ doc: 'CEL, of type bool: whether there is such a step at all.' })),
  forEach: optional(string({ doc: 'CEL, a list (item and index are bound) or a map (item and key): one step for each.' })),
  timeout: optional(string({ doc: 'As 30s, which is the default: how long it may take.' })),
};

/** The shape of a step, for editors: {@link readStep} says more of what is wrong. */
export function stepShape(operations: OperationTable): ShapeNode {
  const variants = [...operations.values()].map((operation): [string, ShapeNode] => [
    operation.name,
    doc(operation.doc, templateShape(operation.arguments)),
  ]);
  return named('Step', choice(Object.fromEntries(variants), BESIDE));
}
