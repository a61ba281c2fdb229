import { goQuote } from '../cel/go-quote.ts';
import { isJsonObject, type Json, ownValue } from './json.ts';

/** `gt` and `lt` compare integers and exist in text only. */
export type LabelOperator = '=' | '==' | '!=' | 'in' | 'notin' | 'exists' | '!' | 'gt' | 'lt';

export interface LabelRequirement {
  readonly key: string;
  readonly operator: LabelOperator;
  readonly values: readonly string[];
}

/** Labels of an object: string values by key, as found; what is no string matches nothing. */
export type Labels = { readonly [key: string]: unknown } | null | undefined;

export interface LabelSelector {
  /** All of them must hold; sorted by key. */
  readonly requirements: readonly LabelRequirement[];
  readonly matches: (labels: Labels) => boolean;
  /** In the form of `kubectl -l`; the empty selector, which matches everything, is ``. */
  readonly text: string;
}

export type LabelSelectorResult =
  | { readonly ok: true; readonly selector: LabelSelector }
  /** In Kubernetes' words. */
  | { readonly ok: false; readonly message: string };

/** Matches everything. */
export const EVERYTHING: LabelSelector = createSelector([]);

/**
 * Parses `app=web,tier in (a,b),!canary,weight>3` as `kubectl -l` does.
 * Kubernetes: staging/src/k8s.io/apimachinery/pkg/labels/selector.go Parse.
 */
export function parseLabelSelector(text: string): LabelSelectorResult {
  try {
    return { ok: true, selector: createSelector(new SelectorParser(text).parse()) };
  } catch (error) {
    if (error instanceof SelectorError) return { ok: false, message: error.message };
    throw error;
  }
}

/**
 * A selector from a `LabelSelector` object (`matchLabels`, `matchExpressions`). An empty one matches everything.
 * Kubernetes: staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/helpers.go LabelSelectorAsSelector.
 */
export function labelSelectorOf(value: Json): LabelSelectorResult {
  if (!isJsonObject(value)) return { ok: false, message: 'expected a label selector with matchLabels or matchExpressions' };
  try {
    const requirements: LabelRequirement[] = [];
    const matchLabels = ownValue(value, 'matchLabels') ?? {};
    if (!isJsonObject(matchLabels)) throw new SelectorError('matchLabels: expected a map of strings');
    for (const key of Object.keys(matchLabels))
      requirements.push(requirement(key, '=', [expectText(matchLabels[key], `matchLabels[${key}]`)]));
    const matchExpressions = ownValue(value, 'matchExpressions') ?? [];
    if (!Array.isArray(matchExpressions)) throw new SelectorError('matchExpressions: expected a list');
    for (const each of matchExpressions as readonly Json[]) requirements.push(requirementOf(each));
    return { ok: true, selector: createSelector(requirements) };
  } catch (error) {
    if (error instanceof SelectorError) return { ok: false, message: error.message };
    throw error;
  }
}

const OBJECT_OPERATORS: ReadonlyMap<string, LabelOperator> = new Map([
  ['In', 'in'],
  ['NotIn', 'notin'],
  ['Exists', 'exists'],
  ['DoesNotExist', '!'],
]);

function requirementOf(value: Json): LabelRequirement {
  if (!isJsonObject(value)) throw new SelectorError('matchExpressions: expected key, operator and values');
  const name = expectText(ownValue(value, 'operator'), 'matchExpressions.operator');
  const operator = OBJECT_OPERATORS.get(name);
  if (operator === undefined) throw new SelectorError(`${goQuote(name)} is not a valid label selector operator`);
  const values = ownValue(value, 'values') ?? [];
  if (!Array.isArray(values)) throw new SelectorError('matchExpressions.values: expected a list');
  return requirement(
    expectText(ownValue(value, 'key'), 'matchExpressions.key'),
    operator,
    values.map((item: Json) => expectText(item, 'matchExpressions.values')),
  );
}

function expectText(value: Json | undefined, place: string): string {
  if (typeof value !== 'string') throw new SelectorError(`${place}: expected a string`);
  return value;
}

class SelectorError {
  constructor(readonly message: string) {}
}

function createSelector(unsorted: readonly LabelRequirement[]): LabelSelector {
  const requirements = [...unsorted].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  const tests = requirements.map(compileRequirement);
  return {
    requirements,
    matches: (labels) => tests.every((test) => test(labels)),
    text: requirements.map(formatRequirement).join(','),
  };
}

function compileRequirement({ key, operator, values }: LabelRequirement): (labels: Labels) => boolean {
  const read = (labels: Labels): string | undefined => {
    if (!labels || !Object.hasOwn(labels, key)) return undefined;
    const value = labels[key];
    return typeof value === 'string' ? value : undefined;
  };
  const wanted = new Set(values);
  switch (operator) {
    case 'exists':
      return (labels) => read(labels) !== undefined;
    case '!':
      return (labels) => read(labels) === undefined;
    case '=':
    case '==':
    case 'in':
      return (labels) => {
        const value = read(labels);
        return value !== undefined && wanted.has(value);
      };
    case '!=':
    case 'notin':
      return (labels) => {
        const value = read(labels);
        return value === undefined || !wanted.has(value);
      };
    case 'gt':
    case 'lt': {
      const bound = parseInt64(values[0] ?? '') as bigint;
      return (labels) => {
        const value = parseInt64(read(labels) ?? '');
        return value !== undefined && (operator === 'gt' ? value > bound : value < bound);
      };
    }
  }
}

function formatRequirement({ key, operator, values }: LabelRequirement): string {
  const list = [...values].sort().join(',');
  switch (operator) {
    case 'exists':
      return key;
    case '!':
      return `!${key}`;
    case 'in':
    case 'notin':
      return `${key} ${operator} (${list})`;
    case 'gt':
      return `${key}>${list}`;
    case 'lt':
      return `${key}<${list}`;
    default:
      return `${key}${operator}${list}`;
  }
}

function parseInt64(text: string): bigint | undefined {
  if (!/^[+-]?[0-9]{1,400}$/.test(text)) return undefined;
  const value = BigInt(text.replace(/^\+/, ''));
  return value >= -(2n ** 63n) && value < 2n ** 63n ? value : undefined;
}

/** Checks and makes one requirement. Kubernetes: NewRequirement. */
function requirement(key: string, operator: LabelOperator, values: readonly string[]): LabelRequirement {
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

function invalid(path: string, value: string, detail: string): string {
  return `${path}: Invalid value: ${goQuote(value)}: ${detail}`;
}

const LABEL_FORMAT = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const LABEL_PATTERN = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const LABEL_RULE = "alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
const KEY_RULE = `must consist of ${LABEL_RULE} (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${LABEL_FORMAT}')`;
const SUBDOMAIN_FORMAT = '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*';

/** What is wrong with a label key (a qualified name), in Kubernetes' words; empty when nothing is. */
export function labelKeyErrors(key: string): readonly string[] {
  const parts = key.split('/');
  if (parts.length > 2) return [`a valid label key ${KEY_RULE} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  const errors: string[] = [];
  const name = parts[parts.length - 1] as string;
  const prefix = parts.length === 2 ? (parts[0] as string) : undefined;
  if (prefix === '') errors.push('prefix part must be non-empty');
  else if (prefix !== undefined) errors.push(...subdomainErrors(prefix).map((error) => `prefix part ${error}`));
  if (name === '') errors.push('name part must be non-empty');
  else if (byteLength(name) > 63) errors.push('name part must be no more than 63 bytes');
  if (!LABEL_PATTERN.test(name)) errors.push(`name part ${KEY_RULE}`);
  return errors;
}

/** What is wrong with a label value, in Kubernetes' words; empty when nothing is. */
export function labelValueErrors(value: string): readonly string[] {
  const errors: string[] = [];
  if (byteLength(value) > 63) errors.push('must be no more than 63 bytes');
  if (value !== '' && !LABEL_PATTERN.test(value)) {
    const format = `(e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(${LABEL_FORMAT})?')`;
    errors.push(`a valid label must be an empty string or consist of ${LABEL_RULE} ${format}`);
  }
  return errors;
}

function subdomainErrors(name: string): readonly string[] {
  const errors: string[] = [];
  if (byteLength(name) > 253) errors.push('must be no more than 253 bytes');
  if (name === '' || !name.split('.').every((label) => /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(label))) {
    const rule =
      "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";
    errors.push(`${rule} (e.g. 'example.com', regex used for validation is '${SUBDOMAIN_FORMAT}')`);
  }
  return errors;
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}

type Token = { readonly kind: 'end' | 'word' | 'symbol' | 'error'; readonly text: string };

const SYMBOLS = new Set([')', ',', '!', '==', '=', '>', '<', '!=', '(']);
const BINARY = new Map<string, LabelOperator>([
  ['in', 'in'],
  ['notin', 'notin'],
  ['=', '='],
  ['==', '=='],
  ['!=', '!='],
  ['>', 'gt'],
  ['<', 'lt'],
]);

/** The grammar of `kubectl -l`. `in` and `notin` are operators only behind a key; elsewhere they are words. */
class SelectorParser {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(text: string) {
    this.#tokens = tokenize(text);
  }

  parse(): LabelRequirement[] {
    const requirements: LabelRequirement[] = [];
    for (;;) {
      const token = this.#peek();
      if (token.kind === 'end') return requirements;
      if (!beginsRequirement(token)) throw new SelectorError(`found '${token.text}', expected: !, identifier, or 'end of string'`);
      requirements.push(this.#requirement());
      const next = this.#next();
      if (next.kind === 'end') return requirements;
      if (next.text !== ',' || next.kind !== 'symbol') throw new SelectorError(`found '${next.text}', expected: ',' or 'end of string'`);
      const after = this.#peek();
      if (!beginsRequirement(after)) throw new SelectorError(`found '${after.text}', expected: identifier after ','`);
    }
  }

  #requirement(): LabelRequirement {
    try {
      return this.#keyAndRest();
    } catch (error) {
      if (error instanceof SelectorError) throw new SelectorError(`unable to parse requirement: ${error.message}`);
      throw error;
    }
  }

  #keyAndRest(): LabelRequirement {
    let token = this.#next();
    const absent = isSymbol(token, '!');
    if (absent) token = this.#next();
    if (token.kind !== 'word') throw new SelectorError(`found '${token.text}', expected: identifier`);
    const key = token.text;
    const wrong = labelKeyErrors(key);
    // The path of the key is a nil pointer in the API server's code, and shows so.
    if (wrong.length > 0) throw new SelectorError(invalid('<nil>', key, wrong.join('; ')));
    const following = this.#peek();
    if (following.kind === 'end' || isSymbol(following, ',')) return requirement(key, absent ? '!' : 'exists', []);
    // After `!key` an operator would do nothing, but it is parsed all the same.
    if (absent) return requirement(key, '!', []);
    const sign = this.#next();
    const operator = BINARY.get(sign.text);
    if (operator === undefined || sign.kind === 'error') {
      throw new SelectorError(`found '${sign.text}', expected: in, notin, =, ==, !=, gt, lt`);
    }
    const values = operator === 'in' || operator === 'notin' ? this.#valueList() : this.#exactValue();
    return requirement(key, operator, [...values].sort());
  }

  #exactValue(): ReadonlySet<string> {
    const token = this.#peek();
    if (token.kind === 'end' || isSymbol(token, ',')) return new Set(['']);
    this.#at++;
    if (token.kind !== 'word') throw new SelectorError(`found '${token.text}', expected: identifier`);
    return new Set([token.text]);
  }

  #valueList(): ReadonlySet<string> {
    const open = this.#next();
    if (!isSymbol(open, '(')) throw new SelectorError(`found '${open.text}' expected: '('`);
    const first = this.#peek();
    if (isSymbol(first, ')')) {
      this.#at++;
      return new Set(['']);
    }
    if (first.kind !== 'word' && !isSymbol(first, ',')) throw new SelectorError(`found '${first.text}', expected: ',', ')' or identifier`);
    const values = this.#words();
    if (!isSymbol(this.#next(), ')')) throw new SelectorError(`found '${first.text}', expected: ')'`);
    return values;
  }

  /** Words between commas; nothing between two commas is the empty value. Stops in front of the parenthesis. */
  #words(): ReadonlySet<string> {
    const values = new Set<string>();
    for (;;) {
      const token = this.#next();
      if (token.kind === 'word') {
        values.add(token.text);
        const next = this.#peek();
        if (isSymbol(next, ')')) return values;
        if (!isSymbol(next, ',')) throw new SelectorError(`found '${next.text}', expected: ',' or ')'`);
      } else if (isSymbol(token, ',')) {
        if (values.size === 0) values.add('');
        const next = this.#peek();
        if (isSymbol(next, ')')) return values.add('');
        if (isSymbol(next, ',')) values.add('');
      } else throw new SelectorError(`found '${token.text}', expected: ',', or identifier`);
    }
  }

  #peek(): Token {
    return this.#tokens[this.#at] ?? END;
  }

  #next(): Token {
    return this.#tokens[this.#at++] ?? END;
  }
}

const END: Token = { kind: 'end', text: '' };

function beginsRequirement(token: Token): boolean {
  return token.kind === 'word' || isSymbol(token, '!');
}

function isSymbol(token: Token, text: string): boolean {
  return token.kind === 'symbol' && token.text === text;
}

function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = [];
  for (const [part] of text.matchAll(/[=!(),<>]+|[^=!(),<> \t\r\n]+/g)) {
    if (!/^[=!(),<>]/.test(part)) tokens.push({ kind: 'word', text: part });
    else tokens.push(...symbols(part));
  }
  return tokens;
}

/** Cuts a run of symbols into the longest ones. */
function symbols(run: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < run.length) {
    const two = run.slice(at, at + 2);
    const text = SYMBOLS.has(two) ? two : (run[at] as string);
    tokens.push({ kind: 'symbol', text });
    at += text.length;
  }
  return tokens;
}
