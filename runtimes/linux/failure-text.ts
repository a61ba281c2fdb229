import { EffectError } from '../../engine/step/effect.ts';
import type { BoundStep } from '../../engine/step/plan.ts';
import { formatPath } from '../../engine/text/document.ts';
import { errorMessage } from '../host/error-message.ts';

/** `step veth of rule node-bridge (spec.steps[1], line 14)`. */
export function describeStep(rule: string, step: Pick<BoundStep, 'key' | 'path' | 'line'>): string {
  const place = [
    ...(step.path.length === 0 ? [] : [formatPath(step.path).slice(2)]),
    ...(step.line === undefined ? [] : [`line ${step.line}`]),
  ];
  return `${step.key === '' ? '' : `step ${step.key} of `}rule ${rule}${place.length === 0 ? '' : ` (${place.join(', ')})`}`;
}

/** What was tried and what was said: `ip link add cni0 type bridge: RTNETLINK answers: File exists`. */
export function describeError(error: unknown): string {
  const said = errorMessage(error);
  return error instanceof EffectError ? `${error.tried}: ${said}` : said;
}

/** Keys of steps and answers of programs may hold anything; a message is one line. */
export const oneLine = (text: string): string =>
  text
    .trim()
    .replaceAll(/\s*[\n\r]+\s*/g, '; ')
    .replaceAll(/[\x00-\x1f\x7f]/g, ' ');
