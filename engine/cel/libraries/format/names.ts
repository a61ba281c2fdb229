import { utf8Length } from '../../run/text.ts';

/** Problems with a name, in Kubernetes' words; empty when there are none. */
export type Problems = readonly string[];

const LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`;
const DNS1035_LABEL = '[a-z]([-a-z0-9]*[a-z0-9])?';
const QUALIFIED = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const LABEL_VALUE = `(${QUALIFIED})?`;

// The same languages without the nested repeats of the patterns that the messages show.
const LABEL_TEST = /^[a-z0-9-]*$/;
const SUBDOMAIN_TEST = /^[a-z0-9.-]*$/;
const QUALIFIED_TEST = /^[A-Za-z0-9_.-]*$/;

const isLabel = (text: string): boolean => LABEL_TEST.test(text) && /^[a-z0-9]/.test(text) && !text.endsWith('-');
const isSubdomain = (text: string): boolean => SUBDOMAIN_TEST.test(text) && text.split('.').every(isLabel);
const isQualified = (text: string): boolean => QUALIFIED_TEST.test(text) && /^[A-Za-z0-9]/.test(text) && /[A-Za-z0-9]$/.test(text);

/** Kubernetes: apimachinery pkg/util/validation RegexError. */
function shapeProblem(message: string, pattern: string, ...examples: readonly string[]): string {
  const shown = examples.map((example) => `'${example}', `).join(' or ');
  return `${message} (e.g. ${shown}regex used for validation is '${pattern}')`;
}

/** Older validations of Kubernetes say characters where newer ones say bytes; both count bytes. */
type LengthUnit = 'characters' | 'bytes';

function lengthProblems(text: string, bound: number, unit: LengthUnit): string[] {
  return utf8Length(text) > bound ? [`must be no more than ${bound} ${unit}`] : [];
}

/** Kubernetes: validation.IsDNS1123Label. */
export function validateDns1123Label(text: string): Problems {
  const problems = lengthProblems(text, 63, 'characters');
  if (isLabel(text)) return problems;
  if (isSubdomain(text)) return [...problems, 'must not contain dots'];
  const message =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character";
  return [...problems, shapeProblem(message, LABEL, 'my-name', '123-abc')];
}

/** Kubernetes: validation.IsDNS1123Subdomain. */
export function validateDns1123Subdomain(text: string, unit: LengthUnit = 'characters'): Problems {
  const problems = lengthProblems(text, 253, unit);
  if (isSubdomain(text)) return problems;
  const message =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";
  return [...problems, shapeProblem(message, SUBDOMAIN, 'example.com')];
}

/** Kubernetes: validation.IsDNS1035Label. */
export function validateDns1035Label(text: string): Problems {
  const problems = lengthProblems(text, 63, 'characters');
  if (isLabel(text) && /^[a-z]/.test(text)) return problems;
  const message =
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character";
  return [...problems, shapeProblem(message, DNS1035_LABEL, 'my-name', 'abc-123')];
}

const QUALIFIED_MESSAGE = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
const qualifiedProblem = (subject: string): string =>
  shapeProblem(`${subject} ${QUALIFIED_MESSAGE}`, QUALIFIED, 'MyName', 'my.name', '123-abc');

/** A label key: `example.com/name` or `name`. Kubernetes: validation.IsQualifiedName. */
export function validateQualifiedName(text: string): Problems {
  const parts = text.split('/');
  if (parts.length > 2) {
    return [`${qualifiedProblem('a valid label key')} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  }
  const problems: string[] = [];
  const name = parts[parts.length - 1] as string;
  if (parts.length === 2) {
    if (parts[0] === '') problems.push('prefix part must be non-empty');
    else problems.push(...validateDns1123Subdomain(parts[0] as string, 'bytes').map((problem) => `prefix part ${problem}`));
  }
  if (name === '') problems.push('name part must be non-empty');
  else problems.push(...lengthProblems(name, 63, 'bytes').map((problem) => `name part ${problem}`));
  if (!isQualified(name)) problems.push(qualifiedProblem('name part'));
  return problems;
}

/** Kubernetes: validation.IsValidLabelValue. */
export function validateLabelValue(text: string): Problems {
  const problems = lengthProblems(text, 63, 'bytes');
  if (text === '' || isQualified(text)) return problems;
  const message = `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character`;
  return [...problems, shapeProblem(message, LABEL_VALUE, 'MyValue', 'my_value', '12345')];
}

/**
 * The same for the prefix of a generated name, which may end in a dash. Kubernetes puts an `a` in place of the last two
 * characters, and so does this.
 */
export function asPrefix(validate: (text: string) => Problems): (text: string) => Problems {
  return (text) => validate(text.length > 1 && text.endsWith('-') ? `${text.slice(0, -2)}a` : text);
}
