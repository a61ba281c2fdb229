import { goQuote } from '../../go-quote.ts';
import { CelError } from '../../values.ts';

/** One `%` clause of a format string. */
export interface FormatClause {
  readonly verb: 's' | 'd' | 'f' | 'e' | 'b' | 'x' | 'X' | 'o';
  /** Digits asked for (`%.3f`); 6 where none are. */
  readonly precision: number;
}

const DEFAULT_PRECISION = 6;
/** Characters of a result. A short format string with long arguments could ask for more than there is memory. */
const MAX_RESULT = 64 * 1024 * 1024;
const MAX_INT64 = 9223372036854775807n;

/**
 * Walks a format string and puts the text of each clause in its place. Both evaluation and the check of literal format strings
 * go through here, so they refuse the same strings with the same words.
 * `endsFirst`: a string that ends in `%` is worse than a missing argument, as it is when a program is checked.
 * @throws CelError with cel-go's text; what `clauseText` throws comes out with `error during formatting: ` in front.
 */
export function interpolate(
  format: string,
  argCount: number,
  clauseText: (clause: FormatClause, index: number) => string,
  endsFirst = false,
): string {
  let out = '';
  let index = 0;
  for (let at = 0; at < format.length; ) {
    const percent = format.indexOf('%', at);
    if (percent < 0) return out + format.slice(at);
    out += format.slice(at, percent);
    if (format[percent + 1] === '%') {
      out += '%';
      at = percent + 2;
      continue;
    }
    const ended = percent + 1 >= format.length;
    if (index >= argCount && !(ended && endsFirst)) throw new CelError(`index ${index} out of range`);
    if (ended) throw new CelError('unexpected end of string');
    const { clause, end } = parseClause(format, percent + 1);
    out += clauseText(clause, index);
    if (out.length > MAX_RESULT) throw new CelError('operation cancelled: result is too large');
    at = end;
    index++;
  }
  return out;
}

function parseClause(format: string, start: number): { clause: FormatClause; end: number } {
  let at = start;
  let precision = DEFAULT_PRECISION;
  if (format[at] === '.') {
    const digits = (/^[0-9]*/.exec(format.slice(at + 1)) as RegExpExecArray)[0];
    at += 1 + digits.length;
    if (at >= format.length) throw precisionError('could not find end of precision specifier');
    precision = parsePrecision(digits);
  }
  const verb = format[at] as string;
  if (!'sdfebxXo'.includes(verb)) {
    throw new CelError(`could not parse formatting clause: unrecognized formatting clause "${firstByte(format, at)}"`);
  }
  return { clause: { verb: verb as FormatClause['verb'], precision }, end: at + 1 };
}

function parsePrecision(digits: string): number {
  const parsing = `error while converting precision to integer: strconv.Atoi: parsing ${goQuote(digits)}:`;
  if (digits === '') throw precisionError(`${parsing} invalid syntax`);
  const significant = digits.replace(/^0+/, '') || '0';
  if (significant.length > 19 || BigInt(significant) > MAX_INT64) throw precisionError(`${parsing} value out of range`);
  return Number(significant);
}

const precisionError = (text: string): CelError =>
  new CelError(`could not parse formatting clause: error while parsing precision: ${text}`);

/** cel-go reads bytes and shows the first one as a character. */
function firstByte(text: string, at: number): string {
  const bytes = new TextEncoder().encode(String.fromCodePoint(text.codePointAt(at) as number));
  return String.fromCharCode(bytes[0] as number);
}
