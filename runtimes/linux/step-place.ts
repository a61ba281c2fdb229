import type { BoundStep } from '../../engine/step/plan.ts';
import { formatPath } from '../../engine/text/document.ts';

/** `step veth of rule node-bridge (spec.steps[1], line 14)`. */
export function describeStep(rule: string, step: Pick<BoundStep, 'key' | 'path' | 'line'>): string {
  const place = [
    ...(step.path.length === 0 ? [] : [formatPath(step.path).slice(2)]),
    ...(step.line === undefined ? [] : [`line ${step.line}`]),
  ];
  return `step ${step.key} of rule ${rule}${place.length === 0 ? '' : ` (${place.join(', ')})`}`;
}
