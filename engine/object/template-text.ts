/** A piece of a template's string: text as it stands, or an expression. */
export type TemplatePiece =
  | { readonly kind: 'text'; readonly text: string }
  /** `start` and `end` are the offsets of the expression's text in the string, without `${` and `}`. */
  | { readonly kind: 'expression'; readonly text: string; readonly start: number; readonly end: number };

export interface TemplateTextIssue {
  readonly code: 'template-unclosed' | 'template-empty-expression';
  readonly message: string;
  readonly hint: string;
  /** Offsets in the string. */
  readonly start: number;
  readonly end: number;
}

/**
 * Splits a string at its `${ CEL }`; `$${` stands for the text `${`. Braces, brackets, quotes and comments inside an
 * expression are CEL's: `${ {"a": '}'}["a"] }` is one expression.
 */
export function splitTemplateText(text: string): {
  readonly pieces: readonly TemplatePiece[];
  readonly issues: readonly TemplateTextIssue[];
} {
  const pieces: TemplatePiece[] = [];
  const issues: TemplateTextIssue[] = [];
  let literal = '';
  let at = 0;
  while (at < text.length) {
    const dollar = text.indexOf('$', at);
    if (dollar < 0) break;
    literal += text.slice(at, dollar);
    if (text.startsWith('$${', dollar)) {
      literal += '${';
      at = dollar + 3;
    } else if (text.startsWith('${', dollar)) {
      const start = dollar + 2;
      const end = endOfExpression(text, start);
      if (end === undefined) {
        const hint = 'close it with }, or write $${ for the text ${';
        issues.push({
          code: 'template-unclosed',
          message: 'expected } to end the expression that ${ begins',
          hint,
          start: dollar,
          end: text.length,
        });
        return { pieces: [], issues };
      }
      const expression = text.slice(start, end);
      if (expression.trim() === '') {
        const hint = 'write an expression between the braces, or $${ for the text ${';
        issues.push({
          code: 'template-empty-expression',
          message: 'expected an expression between ${ and }',
          hint,
          start: dollar,
          end: end + 1,
        });
      }
      if (literal !== '') pieces.push({ kind: 'text', text: literal });
      literal = '';
      pieces.push({ kind: 'expression', text: expression, start, end });
      at = end + 1;
    } else {
      literal += '$';
      at = dollar + 1;
    }
  }
  literal += text.slice(at);
  if (literal !== '' || pieces.length === 0) pieces.push({ kind: 'text', text: literal });
  return { pieces, issues };
}

/**
 * The expression of a string that is one whole `${...}` (line breaks behind it, as block scalars have them, do not count), or
 * undefined: such a string stands for the value itself, any other for text.
 */
export function wholeExpression(pieces: readonly TemplatePiece[]): Extract<TemplatePiece, { kind: 'expression' }> | undefined {
  const [first, second] = pieces;
  if (first?.kind !== 'expression' || pieces.length > 2) return undefined;
  return second === undefined || (second.kind === 'text' && /^[\r\n]+$/.test(second.text)) ? first : undefined;
}

/** Whether a string has an expression in it. */
export const hasExpression = (text: string): boolean =>
  text.includes('${') && splitTemplateText(text).pieces.some(({ kind }) => kind === 'expression');

/** Whether a string has an expression in it, or begins one that does not end: what it stands for is not known. */
export const mayHaveExpression = (text: string): boolean =>
  text.includes('${') &&
  (({ pieces, issues }) => issues.length > 0 || pieces.some(({ kind }) => kind === 'expression'))(splitTemplateText(text));

/** The offset of the `}` that ends the expression at `start`. */
function endOfExpression(text: string, start: number): number | undefined {
  let depth = 0;
  let at = start;
  while (at < text.length) {
    const char = text[at] as string;
    if (char === '"' || char === "'") {
      at = endOfString(text, at, isRaw(text, start, at));
      continue;
    }
    if (char === '`') {
      const close = text.indexOf('`', at + 1);
      if (close < 0) return undefined;
      at = close;
    } else if (char === '/' && text[at + 1] === '/') {
      const newline = text.indexOf('\n', at);
      if (newline < 0) return undefined;
      at = newline;
    } else if (char === '{' || char === '[' || char === '(') depth++;
    else if (char === ']' || char === ')') depth--;
    else if (char === '}') {
      if (depth <= 0) return at;
      depth--;
    }
    at++;
  }
  return undefined;
}

/** Whether the quote at `at` opens a raw string: `r"..."`, `R'...'`, also `br"..."`. */
function isRaw(text: string, start: number, at: number): boolean {
  let begin = at;
  while (begin > start && at - begin < 2 && /[rRbB]/.test(text[begin - 1] as string)) begin--;
  const prefix = text.slice(begin, at);
  return /[rR]/.test(prefix) && !(begin > start && /[A-Za-z0-9_]/.test(text[begin - 1] as string));
}

/** The offset behind a string literal; the end of the text where it is not closed. */
function endOfString(text: string, at: number, raw: boolean): number {
  const quote = text[at] as string;
  const triple = quote.repeat(3);
  const close = text.startsWith(triple, at) ? triple : quote;
  let i = at + close.length;
  while (i < text.length) {
    if (text[i] === '\\' && !raw) i += 2;
    else if (text.startsWith(close, i)) return i + close.length;
    else i++;
  }
  return text.length;
}
