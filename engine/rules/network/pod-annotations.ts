import { isJsonObject, type Json } from '../../object/json.ts';
import { BindError } from '../../step/plan.ts';
import { endedLocals, type Performed } from './attachment-result.ts';
import type { CompiledRule, RuleTemplate } from './compiled-rule.ts';
import { type Evaluation, RuleFault } from './evaluation.ts';
import type { CniResult } from './protocol/result.ts';

/** Bytes of all annotations of an object. Kubernetes: apimachinery pkg/api/validation TotalAnnotationSizeLimitB. */
const MAX_SIZE = 256 * 1024;

/** Annotations of the pod of an attachment that ended so. Throws a {@link BindError} where one fails, or is no text. */
export function podAnnotations(
  rule: CompiledRule,
  { template, path }: RuleTemplate,
  evaluation: Evaluation,
  performed: Performed,
  result: CniResult,
): Readonly<Record<string, string>> {
  const fail = (message: string, at = path) => new BindError(message, 'podAnnotations', at, undefined);
  let rendered: Json | undefined;
  try {
    rendered = evaluation.render(template, path, endedLocals(rule, performed, result));
  } catch (error) {
    if (error instanceof RuleFault) throw fail(error.message, error.path);
    throw error;
  }
  let size = 0;
  const annotations = Object.entries(isJsonObject(rendered) ? rendered : {}).map(([key, value]) => {
    if (typeof value !== 'string') throw fail(`${key}: expected text, found ${JSON.stringify(value).slice(0, 64)}`, [...path, key]);
    size += key.length + value.length;
    return [key, value] as const;
  });
  if (size > MAX_SIZE) throw fail(`annotations of more than ${MAX_SIZE} bytes`);
  return Object.fromEntries(annotations);
}
