import { isJsonObject, type Json, type JsonObject, ownValue } from './json.ts';

export interface FieldRequirement {
  readonly field: string;
  readonly operator: '=' | '!=';
  readonly value: string;
}

export interface FieldSelector {
  /** All of them must hold; sorted as the text's terms. */
  readonly requirements: readonly FieldRequirement[];
  /** Whether an object has these fields; a missing field has the value ``. */
  readonly matches: (object: JsonObject) => boolean;
  /** In the form of `kubectl --field-selector`. */
  readonly text: string;
}

export type FieldSelectorResult =
  | { readonly ok: true; readonly selector: FieldSelector }
  /** In Kubernetes' words. */
  | { readonly ok: false; readonly message: string };

/**
 * Parses `metadata.name=web,status.phase!=Running` as `kubectl --field-selector` does; `\`, `,` and `=` in a value stand
 * behind a backslash. Which fields a resource can be selected by is the API server's business: here any path will do.
 * Kubernetes: staging/src/k8s.io/apimachinery/pkg/fields/selector.go ParseSelector.
 */
export function parseFieldSelector(text: string): FieldSelectorResult {
  const requirements: FieldRequirement[] = [];
  for (const term of splitTerms(text).sort()) {
    if (term === '') continue;
    const operator = /!=|==|=/.exec(term);
    if (!operator) return { ok: false, message: `invalid selector: '${text}'; can't understand '${term}'` };
    const value = unescapeValue(term.slice(operator.index + operator[0].length));
    if ('message' in value) return { ok: false, message: `invalid field selector: ${value.message}` };
    requirements.push({ field: term.slice(0, operator.index), operator: operator[0] === '!=' ? '!=' : '=', value: value.text });
  }
  const selective = requirements.filter(({ field, value }) => field !== '' || value !== '');
  return {
    ok: true,
    selector: {
      requirements: selective,
      matches: (object) => selective.every(({ field, operator, value }) => (readField(object, field) === value) === (operator === '=')),
      text: selective.map(({ field, operator, value }) => `${field}${operator}${value.replace(/[\\,=]/g, '\\$&')}`).join(','),
    },
  };
}

/** A field by its dotted path, as text; `` where it is missing or no scalar. */
export function readField(object: JsonObject, field: string): string {
  let node: Json | undefined = object;
  for (const name of field.split('.')) node = isJsonObject(node) ? ownValue(node, name) : undefined;
  return typeof node === 'string' || typeof node === 'boolean' || typeof node === 'number' || typeof node === 'bigint' ? String(node) : '';
}

/** Cuts at commas that have no backslash before them. */
function splitTerms(text: string): string[] {
  const terms: string[] = [];
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === ',') {
      terms.push(text.slice(start, at));
      start = at + 1;
    }
  }
  terms.push(text.slice(start));
  return terms;
}

function unescapeValue(text: string): { readonly text: string } | { readonly message: string } {
  let value = '';
  for (let at = 0; at < text.length; at++) {
    const char = text[at] as string;
    if (char === '\\') {
      const next = text[++at];
      if (next !== '\\' && next !== ',' && next !== '=') return { message: `invalid escape sequence: \\${next ?? ''}` };
      value += next;
      // Go prints the number of the character here.
    } else if (char === ',' || char === '=') return { message: `unescaped character in value: ${char.charCodeAt(0)}` };
    else value += char;
  }
  return { text: value };
}
