import { patternError } from '../cel/run/re2.ts';
import { suggest } from '../text/suggest.ts';
import type { Json } from './json.ts';
import type { SchemaProblem, SimpleSchema } from './simple-schema.ts';

/** What stands after the `|`. */
export interface SchemaRules {
  readonly default?: Json;
  readonly required?: boolean;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly enum?: readonly Json[];
  /** RE2; found anywhere in the string, as in OpenAPI, unless anchored. */
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  /** Field that tells the items of a list of structures apart: server-side apply merges them by it. */
  readonly listMapKey?: readonly string[];
  readonly minProperties?: number;
  readonly maxProperties?: number;
  /** The value may be set and not changed afterwards. */
  readonly immutable?: boolean;
  readonly nullable?: boolean;
  /** CEL over `self`. */
  readonly validation?: string;
  readonly format?: string;
  readonly title?: string;
  readonly description?: string;
}

type MutableRules = { -readonly [K in keyof SchemaRules]: SchemaRules[K] };
type RuleName = keyof SchemaRules;
type Kind = SimpleSchema['kind'];

/** What a rule asks of its value and of its type. */
interface RuleRequirement {
  /** How the message goes on after the name of the rule. */
  readonly says: string;
  /** Types it makes sense for; absent: all. */
  readonly kinds?: readonly Kind[];
  /** The value as it is kept; undefined where it does not fit. */
  readonly read: (value: Json, kind: Kind) => Json | undefined;
}

const NUMBERS: readonly Kind[] = ['integer', 'number', 'any'];
const TEXTS: readonly Kind[] = ['string', 'any'];
const LISTS: readonly Kind[] = ['list'];
const MAPS: readonly Kind[] = ['map', 'object'];

const flag = (value: Json) => (typeof value === 'boolean' ? value : undefined);
const number = (value: Json) => (typeof value === 'number' ? value : undefined);
const count = (value: Json) => (typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : undefined);
const text = (value: Json) => (typeof value === 'string' ? value : undefined);
const FLAG: RuleRequirement = { says: 'is true or false', read: flag };
const TEXT: RuleRequirement = { says: 'is text in quotes', read: text };

const REQUIREMENTS: Readonly<Record<RuleName, RuleRequirement>> = {
  required: FLAG,
  default: { says: 'is a value', read: (value) => value },
  minimum: { says: 'is a number', kinds: NUMBERS, read: number },
  maximum: { says: 'is a number', kinds: NUMBERS, read: number },
  enum: { says: 'is a list, as enum=a,b or enum=["a","b"]', read: readEnum },
  pattern: { says: 'is a regular expression in quotes, for a string', kinds: TEXTS, read: text },
  minLength: { says: 'is a number of characters', kinds: TEXTS, read: count },
  maxLength: { says: 'is a number of characters', kinds: TEXTS, read: count },
  minItems: { says: 'is a number of items', kinds: LISTS, read: count },
  maxItems: { says: 'is a number of items', kinds: LISTS, read: count },
  uniqueItems: { ...FLAG, kinds: LISTS },
  listMapKey: { says: 'is the name of a field, or several with commas', kinds: LISTS, read: (value) => text(value)?.split(',') },
  minProperties: { says: 'is a number of entries', kinds: MAPS, read: count },
  maxProperties: { says: 'is a number of entries', kinds: MAPS, read: count },
  immutable: FLAG,
  nullable: FLAG,
  validation: { says: 'is CEL in quotes', read: text },
  format: { says: 'is a format of OpenAPI, as date-time', read: text },
  title: TEXT,
  description: TEXT,
};
const RULE_NAMES = Object.keys(REQUIREMENTS) as readonly RuleName[];
const isRuleName = (name: string): name is RuleName => Object.hasOwn(REQUIREMENTS, name);
const listed = (words: readonly string[]): string => `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;

/** Reads `default=1 minimum=0`: words and JSON values, strings bare or quoted. */
export function readRules(source: string, kind: Kind, problems: SchemaProblem[], path: readonly (string | number)[]): SchemaRules {
  const rules: MutableRules = {};
  let rest = source.trim();
  while (rest !== '') {
    const name = /^[A-Za-z]+/.exec(rest)?.[0];
    if (name === undefined) {
      problems.push({ path, message: `expected a rule, as default=1, found ${JSON.stringify(rest)}` });
      return rules;
    }
    rest = rest.slice(name.length);
    if (!isRuleName(name) && !rest.startsWith('=')) {
      // The rest is what goes on after the first word of a text.
      const before = Object.keys(rules).at(-1);
      const hint = before === undefined ? {} : { hint: `text with spaces stands in quotes, as ${before}="..."` };
      const possible = RULE_NAMES.filter((each) => REQUIREMENTS[each].kinds?.includes(kind) ?? true);
      problems.push({ path, message: `unknown rule ${name}: expected ${listed(possible)}`, ...hint });
      return rules;
    }
    let value: Json = true;
    if (rest.startsWith('=')) {
      const length = valueLength(rest.slice(1));
      const written = rest.slice(1, length + 1);
      // What is written bare for a string is text, whatever it looks like.
      value = kind === 'string' && name === 'default' && !written.startsWith('"') ? written : readValue(written);
      rest = rest.slice(length + 1);
    }
    rest = rest.trimStart();
    takeRule(name, value, { kind, rules, problems, path });
  }
  return rules;
}

interface RuleTarget {
  readonly kind: Kind;
  readonly rules: MutableRules;
  readonly problems: SchemaProblem[];
  readonly path: readonly (string | number)[];
}

function takeRule(name: string, value: Json, { kind, rules, problems, path }: RuleTarget): void {
  if (!isRuleName(name)) {
    const near = suggest(name, RULE_NAMES);
    const hint = near === undefined ? {} : { hint: `did you mean ${near}?` };
    const possible = RULE_NAMES.filter((each) => REQUIREMENTS[each].kinds?.includes(kind) ?? true);
    problems.push({ path, message: `unknown rule ${name}: expected ${listed(possible)}`, ...hint });
    return;
  }
  const { read, kinds, says } = REQUIREMENTS[name];
  const found = kinds === undefined || kinds.includes(kind) ? read(value, kind) : undefined;
  if (found === undefined) {
    const misplaced = kinds !== undefined && !kinds.includes(kind) && kind !== 'openapi' ? `: it says nothing of a type ${kind}` : '';
    problems.push({ path, message: `${name} ${says}${misplaced}` });
  } else if (name === 'pattern') readPattern(found as string, rules, problems, path);
  else (rules as { [name: string]: Json })[name] = found;
}

function readEnum(value: Json, kind: Kind): Json | undefined {
  if (Array.isArray(value)) return value;
  const numeric = kind === 'integer' || kind === 'number';
  if (typeof value === 'string') return value.split(',').map((word): Json => (numeric ? readValue(word) : word.trim()));
  return typeof value === 'number' && numeric ? [value] : undefined;
}

function readPattern(pattern: string, rules: MutableRules, problems: SchemaProblem[], path: readonly (string | number)[]): void {
  const wrong = patternError(pattern);
  if (wrong === undefined) rules.pattern = pattern;
  else problems.push({ path, message: wrong });
}

/** How far a value reaches: to the next space that is not inside quotes or brackets. */
function valueLength(source: string): number {
  let depth = 0;
  let quoted = false;
  for (let i = 0; i < source.length; i++) {
    const char = source[i];
    if (quoted) {
      if (char === '\\') i++;
      else if (char === '"') quoted = false;
    } else if (char === '"') quoted = true;
    else if (char === '[' || char === '{') depth++;
    else if (char === ']' || char === '}') depth--;
    else if (char === ' ' && depth === 0) return i;
  }
  return source.length;
}

function readValue(written: string): Json {
  try {
    return JSON.parse(written) as Json;
  } catch {
    // Regular expressions have backslashes that no JSON string has; they are meant as they stand.
    const quoted = written.length > 1 && written.startsWith(`"`) && written.endsWith(`"`);
    return quoted ? written.slice(1, -1).replaceAll('\\"', '"') : written;
  }
}
