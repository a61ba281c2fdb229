import type { CallEstimator, Library, OperandEstimate } from '../function.ts';
import { actualSize } from '../run/actual-size.ts';
import { listOf, opaque, optionalOf, STRING } from '../types.ts';
import { type CelValue, NONE, Opaque, type Optional, some } from '../values.ts';
import { pricedByName, REGEX_FACTOR, STRING_TRAVERSAL_FACTOR, scaleEstimate, UNIT_PRICE } from './call-cost.ts';
import { declare, globalOverload, memberOverload } from './declare.ts';
import {
  asPrefix,
  type Problems,
  validateDns1035Label,
  validateDns1123Label,
  validateDns1123Subdomain,
  validateLabelValue,
  validateQualifiedName,
} from './format/names.ts';
import { checkRequestUri } from './url/url.ts';

/** `kubernetes.NamedFormat`. */
export class FormatValue extends Opaque {
  readonly typeName = 'kubernetes.NamedFormat';
  readonly name: string;
  readonly validate: (text: string) => Problems;
  /** What the cost model takes for the length of the pattern behind the format. */
  readonly patternSize: number;
  constructor(name: string, patternSize: number, validate: (text: string) => Problems) {
    super();
    this.name = name;
    this.patternSize = patternSize;
    this.validate = validate;
  }

  equals(other: CelValue): boolean | undefined {
    return other instanceof FormatValue ? this.name === other.name : undefined;
  }

  toString(): string {
    return this.name;
  }
}

const FORMAT_TYPE = opaque('kubernetes.NamedFormat');

/** One problem, in these words, when the test fails. */
const problemUnless = (test: (text: string) => boolean, problem: string) => (text: string) => (test(text) ? [] : [problem]);

function validateUri(text: string): Problems {
  const refused = checkRequestUri(text);
  return refused === undefined ? [] : [refused];
}

const isUuid = (text: string): boolean => /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i.test(text);

const isBase64 = (text: string): boolean => text.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(text);

/** A date of the proleptic Gregorian calendar. Go: time.Parse of 2006-01-02. */
function isDate(text: string): boolean {
  const match = /^([0-9]{4})-([0-9]{2})-([0-9]{2})$/.exec(text);
  if (!match) return false;
  const [year, month, day] = match.slice(1).map(Number) as [number, number, number];
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1];
  return days !== undefined && day >= 1 && day <= days;
}

/** kube-openapi: pkg/validation/strfmt IsDateTime; a second `t` and what follows it is not looked at. */
function isDateTime(text: string): boolean {
  const [date, time] = text.toLowerCase().split('t');
  if (time === undefined || !isDate(date as string)) return false;
  const match = /^([0-9]{2}):([0-9]{2}):([0-9]{2})([^\n][0-9]+)?(z|[+-][0-9]{2}:[0-9]{2})$/u.exec(time);
  return match !== null && (match[1] as string) <= '23' && (match[2] as string) <= '59' && (match[3] as string) <= '59';
}

/** Lengths of the patterns `(?i)^[0-9a-f]{8}-?...` and `^([0-9]{2}):([0-9]{2}):...` in kube-openapi. */
const UUID_PATTERN_SIZE = 70;
const DATE_TIME_PATTERN_SIZE = 71;

/** The formats by the name that `format.named` and `format.<name>()` know. */
export const NAMED_FORMATS: ReadonlyMap<string, FormatValue> = new Map([
  ['dns1123Label', new FormatValue('DNS1123Label', 30, validateDns1123Label)],
  ['dns1123Subdomain', new FormatValue('DNS1123Subdomain', 60, validateDns1123Subdomain)],
  ['dns1035Label', new FormatValue('DNS1035Label', 30, validateDns1035Label)],
  ['qualifiedName', new FormatValue('QualifiedName', 60, validateQualifiedName)],
  ['dns1123LabelPrefix', new FormatValue('DNS1123LabelPrefix', 30, asPrefix(validateDns1123Label))],
  ['dns1123SubdomainPrefix', new FormatValue('DNS1123SubdomainPrefix', 60, asPrefix(validateDns1123Subdomain))],
  ['dns1035LabelPrefix', new FormatValue('DNS1035LabelPrefix', 30, asPrefix(validateDns1035Label))],
  ['labelValue', new FormatValue('LabelValue', 40, validateLabelValue)],
  ['uri', new FormatValue('URI', 1103, validateUri)],
  ['uuid', new FormatValue('uuid', UUID_PATTERN_SIZE, problemUnless(isUuid, 'does not match the UUID format'))],
  ['byte', new FormatValue('byte', 84, problemUnless(isBase64, 'invalid base64'))],
  ['date', new FormatValue('date', DATE_TIME_PATTERN_SIZE, problemUnless(isDate, 'invalid date'))],
  ['datetime', new FormatValue('datetime', DATE_TIME_PATTERN_SIZE, problemUnless(isDateTime, 'invalid datetime'))],
]);

function named(name: string): Optional {
  const format = NAMED_FORMATS.get(name);
  return format === undefined ? NONE : some(format);
}

function validate(format: FormatValue, text: string): Optional {
  const problems = format.validate(text);
  return problems.length === 0 ? NONE : some(problems);
}

/** What the static estimate takes for the pattern of any format. Kubernetes: pkg/cel/limits.go MaxNameFormatRegexSize. */
const MAX_PATTERN_SIZE = 128;

function validateCost([format, text]: readonly CelValue[]): number {
  if (!(format instanceof FormatValue)) return 1;
  const size = Math.ceil((1 + actualSize(text as CelValue)) * STRING_TRAVERSAL_FACTOR);
  return size * Math.ceil(format.patternSize * REGEX_FACTOR);
}

const validateEstimate: CallEstimator = ([, text]) => ({
  cost: scaleEstimate(scaleEstimate((text as OperandEstimate).size, STRING_TRAVERSAL_FACTOR), MAX_PATTERN_SIZE * REGEX_FACTOR),
});

/** Named string formats. Kubernetes: pkg/cel/library/format.go. */
export const FORMAT_LIBRARY: Library = {
  name: 'kubernetes.format',
  functions: [
    declare('format.named', globalOverload('format-named', [STRING], optionalOf(FORMAT_TYPE), named, UNIT_PRICE)),
    declare(
      'validate',
      memberOverload(
        'format-validate',
        [FORMAT_TYPE, STRING],
        optionalOf(listOf(STRING)),
        validate,
        pricedByName(validateCost, validateEstimate),
      ),
    ),
    ...[...NAMED_FORMATS].map(([name, format]) =>
      declare(
        `format.${name}`,
        globalOverload(`format.${name}`, [], FORMAT_TYPE, () => format),
      ),
    ),
  ],
};
