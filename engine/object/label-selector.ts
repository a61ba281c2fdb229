import { goQuote } from '../cel/go-quote.ts';
import { isJsonObject, type Json, ownValue } from './json.ts';
import { type LabelOperator, type LabelRequirement, parseInt64, requirement, SelectorError } from './label-requirement.ts';
import { SelectorParser } from './label-selector-parser.ts';

/** Labels of an object: string values by key, as found; what is no string matches nothing. */
export type Labels = { readonly [key: string]: unknown } | null | undefined;

export type { LabelOperator, LabelRequirement };

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
