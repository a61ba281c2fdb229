import { type AdmissionCase, createConfigMap, single, type ValidationDraft, vap } from '../case.ts';
import { type ExpressionCase, expressionCases } from '../expressions.ts';

/** So many expressions with a value are shown by one message. */
const VALUES_PER_POLICY = 8;
/** So many expressions that do not compile are refused at once. */
const REFUSED_PER_POLICY = 10;

function chunks<T>(items: readonly T[], size: number): (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) => items.slice(index * size, (index + 1) * size));
}

/** Evaluates everything, and is false. */
const falsehood = (cases: readonly ExpressionCase[]): string =>
  `[${cases.map(({ expression }) => `dyn(${expression})`).join(', ')}].size() == 0`;

/** A denial whose message shows the values. */
function denial(cases: readonly ExpressionCase[]): ValidationDraft {
  const clauses = cases.map(() => '%s').join(' | ');
  const values = cases.map(({ expression }) => `dyn(${expression})`).join(', ');
  return { expression: falsehood(cases), messageExpression: `'${clauses}'.format([${values}])` };
}

function casesOf(cases: readonly ExpressionCase[]): AdmissionCase[] {
  const data = cases[0]?.object['data'] as Readonly<Record<string, string>>;
  const request = createConfigMap(data);
  const family = (each: readonly ExpressionCase[]): string =>
    `expression/${each[0]!.name}${each.length > 1 ? ` and ${each.length - 1} more` : ''}`;
  const having = (outcome: ExpressionCase['outcome']): readonly ExpressionCase[] => cases.filter((each) => each.outcome === outcome);
  return [
    ...chunks(having('value'), VALUES_PER_POLICY).map((group) => single(family(group), vap([denial(group)]), request)),
    ...having('error').map((each) => single(family([each]), vap([falsehood([each])]), request)),
    ...chunks(having('refused'), REFUSED_PER_POLICY).map((group) =>
      single(family(group), vap(group.map((each) => falsehood([each]))), request),
    ),
  ];
}

/** Corners of all libraries: what they are worth, how they fail, and why they are refused. */
export const expressionLibraryCases: readonly AdmissionCase[] = casesOf(expressionCases());
