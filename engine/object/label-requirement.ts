import { goQuote } from '../cel/go-quote.ts';
import { labelKeyErrors, labelValueErrors } from './label-syntax.ts';

/** `gt` and `lt` compare integers and exist in text only. */
export type LabelOperator = '=' | '==' | '!=' | 'in' | 'notin' | 'exists' | '!' | 'gt' | 'lt';

export interface LabelRequirement {
  readonly key: string;
  readonly operator: LabelOperator;
  readonly values: readonly string[];
}

/** Why a selector is none, in Kubernetes' words. Not an `Error`: it never leaves this room. */
export class SelectorError {
  constructor(readonly message: string) {}
}

/** An int64 in decimal, as Go's strconv.ParseInt reads it; undefined for anything else. */
export function parseInt64(text: string): bigint | undefined {
  if (!/^[+-]?[0-9]{1,400}$/.test(text)) return undefined;
  const value = BigInt(text.replace(/^\+/, ''));
  return value >= -(2n ** 63n) && value < 2n ** 63n ? value : undefined;
}

/** Checks and makes one requirement. Kubernetes: NewRequirement. */
export function requirement(key: string, operator: LabelOperator, values: readonly string[]): LabelRequirement {
  const errors: string[] = [];
  const wrongKey = labelKeyErrors(key);
  if (wrongKey.length > 0) errors.push(invalid('key', key, wrongKey.join('; ')));
  // An empty list is a nil slice in the API server's code, and shows so.
  const shown = `values: Invalid value: ${values.length === 0 ? 'null' : JSON.stringify(values)}: `;
  if (operator === 'in' || operator === 'notin') {
    if (values.length === 0) errors.push(`${shown}for 'in', 'notin' operators, values set can't be empty`);
  } else if (operator === 'exists' || operator === '!') {
    if (values.length > 0) errors.push(`${shown}values set must be empty for exists and does not exist`);
  } else if (operator === 'gt' || operator === 'lt') {
    values.forEach((value, i) => {
      if (parseInt64(value) === undefined)
        errors.push(invalid(`values[${i}]`, value, "for 'Gt', 'Lt' operators, the value must be an integer"));
    });
  }
  values.forEach((value, i) => {
    const wrong = labelValueErrors(value);
    if (wrong.length > 0) errors.push(invalid(`values[${i}][${key}]`, value, wrong.join('; ')));
  });
  if (errors.length > 0) throw new SelectorError(errors.length === 1 ? (errors[0] as string) : `[${[...new Set(errors)].join(', ')}]`);
  return { key, operator, values };
}

/** Kubernetes' field.Invalid. */
export function invalid(path: string, value: string, detail: string): string {
  return `${path}: Invalid value: ${goQuote(value)}: ${detail}`;
}
