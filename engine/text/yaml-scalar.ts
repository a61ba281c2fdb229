import type { ScalarEvent } from 'js-yaml';

/** `SCALAR_STYLE.PLAIN` of js-yaml. */
const PLAIN = 1;

/**
 * What a plain (unquoted) YAML scalar means to Kubernetes, whose parser follows YAML 1.1 where YAML 1.2 differs: `yes` is
 * true and `0644` is 420. Source of the rules: go.yaml.in/yaml/v2 `resolve.go`, through sigs.k8s.io/yaml.
 */
export type ScalarMeaning =
  | { readonly kind: 'value'; readonly value: null | boolean | number | bigint | string }
  /** A boolean to Kubernetes, a string to whoever reads YAML 1.2. */
  | { readonly kind: 'boolean-word'; readonly value: boolean }
  /** `.inf` and `.nan`: numbers that JSON does not have. */
  | { readonly kind: 'not-json' };

const WORDS = new Map<string, ScalarMeaning>();
for (const word of ['true', 'True', 'TRUE']) WORDS.set(word, { kind: 'value', value: true });
for (const word of ['false', 'False', 'FALSE']) WORDS.set(word, { kind: 'value', value: false });
for (const word of ['', '~', 'null', 'Null', 'NULL']) WORDS.set(word, { kind: 'value', value: null });
for (const word of ['y', 'Y', 'yes', 'Yes', 'YES', 'on', 'On', 'ON']) WORDS.set(word, { kind: 'boolean-word', value: true });
for (const word of ['n', 'N', 'no', 'No', 'NO', 'off', 'Off', 'OFF']) WORDS.set(word, { kind: 'boolean-word', value: false });
for (const sign of ['', '+', '-']) {
  for (const word of ['.inf', '.Inf', '.INF']) WORDS.set(sign + word, { kind: 'not-json' });
}
for (const word of ['.nan', '.NaN', '.NAN']) WORDS.set(word, { kind: 'not-json' });

const LONGEST_WORD = 5;
const YAML_FLOAT = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/;
const INTEGER = /^([-+]?)(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)$/;
const MAX_UINT64 = 18446744073709551615n;
const MIN_INT64 = -9223372036854775808n;

/** Go's `strconv.ParseInt(text, 0, 64)`, then `ParseUint`: undefined where both fail. */
function parseInteger(text: string): number | bigint | undefined {
  const match = INTEGER.exec(text);
  if (match === null) return undefined;
  const negative = match[1] === '-';
  let digits = match[2] as string;
  if (digits.length > 1 && digits[0] === '0' && /[0-7]/.test(digits[1] as string)) digits = `0o${digits.slice(1)}`;
  const magnitude = Number(digits);
  if (Number.isSafeInteger(magnitude)) return negative && magnitude !== 0 ? -magnitude : magnitude;
  if (digits.length > 80) return undefined;
  const exact = negative ? -BigInt(digits) : BigInt(digits);
  // ParseUint takes no sign, so `+` in front of what only fits uint64 is not an integer.
  if (exact < MIN_INT64 || exact > MAX_UINT64 || (match[1] === '+' && exact > 9223372036854775807n)) return undefined;
  return exact;
}

/** Whether a plain scalar is written as an integer (`1.0` is not, though its value is). */
export function isInteger(text: string): boolean {
  return INTEGER.test(text.replaceAll('_', ''));
}

/** Resolves a plain scalar without a tag. */
export function resolvePlainScalar(text: string): ScalarMeaning {
  if (text.length <= LONGEST_WORD) {
    const word = WORDS.get(text);
    if (word !== undefined) return word;
  }
  const first = text.charCodeAt(0);
  const isDigit = first >= 48 && first <= 57;
  if (first === 46 /* . */) {
    const plain = text.includes('_') ? text.replaceAll('_', '') : text;
    if (YAML_FLOAT.test(plain)) return finite(plain, text);
  } else if (isDigit || first === 43 /* + */ || first === 45 /* - */) {
    const plain = text.includes('_') ? text.replaceAll('_', '') : text;
    const integer = parseInteger(plain);
    if (integer !== undefined) return { kind: 'value', value: integer };
    if (YAML_FLOAT.test(plain)) return finite(plain, text);
  }
  return { kind: 'value', value: text };
}

/** A float that overflows stays text, as in Go. */
function finite(digits: string, text = digits): ScalarMeaning {
  const value = Number(digits);
  return { kind: 'value', value: Number.isFinite(value) ? (value === 0 ? 0 : value) : text };
}

/**
 * The map key a scalar stands for: JSON has string keys only, so `8080:` is "8080" and `on:` is "true", as Kubernetes has it.
 */
export function keyOfScalar(text: string, event: ScalarEvent, decode: (text: string, event: ScalarEvent) => string): string {
  const written = decode(text, event);
  if (event.style !== PLAIN || event.tagStart !== -1) return written;
  const meaning = resolvePlainScalar(written);
  if (meaning.kind === 'not-json') return written;
  if (meaning.kind === 'value' && meaning.value === null) return written;
  return String(meaning.value);
}
