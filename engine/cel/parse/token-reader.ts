import type { CelIssue } from '../issue.ts';
import { Lexer } from './lexer.ts';
import type { Position } from './node.ts';
import * as T from './token.ts';

/** After so many mistakes the rest is not looked at. cel-go: parser/parser.go errorRecoveryLimit. */
const MAX_RECOVERIES = 30;

/** So many syntax errors are reported. cel-go: parser/parser.go errorReportingLimit. */
const MAX_SYNTAX_ERRORS = 100;

/** So many tokens are skipped to find one to go on from. cel-go: parser/parser.go errorRecoveryTokenLookaheadLimit. */
const MAX_SKIPPED = 256;

/** Parsing can't go on; the reason is in {@link TokenReader.issues}. */
export class ParseAbort {}

const OPERAND_KINDS = [
  ...[T.LBRACKET, T.LBRACE, T.LPAREN, T.DOT, T.MINUS, T.NOT, T.TRUE, T.FALSE, T.NULL],
  ...[T.FLOAT, T.INT, T.UINT, T.STRING, T.BYTES, T.IDENT],
];
/** What an operand starts with. */
export const OPERAND = T.tokenSet(...OPERAND_KINDS);
export const FIRST_ELEMENT = T.tokenSet(...OPERAND_KINDS, T.RBRACKET, T.COMMA, T.QUESTION);
export const FIRST_ENTRY = T.tokenSet(...OPERAND_KINDS, T.RBRACE, T.COMMA, T.QUESTION);
export const FIRST_FIELD = T.tokenSet(T.RBRACE, T.COMMA, T.QUESTION, T.IDENT, T.ESC_IDENT);
export const FIRST_ARGUMENT = T.tokenSet(...OPERAND_KINDS, T.RPAREN);
export const INDEX = T.tokenSet(...OPERAND_KINDS, T.QUESTION);
export const FIELD_NAME = T.tokenSet(T.IDENT, T.ESC_IDENT);
export const AFTER_ELEMENT = T.tokenSet(T.RBRACKET, T.COMMA);
export const AFTER_ENTRY = T.tokenSet(T.RBRACE, T.COMMA);
export const AFTER_ARGUMENT = T.tokenSet(T.RPAREN, T.COMMA);
/** Each kind as a set of its own. */
export const ONLY: readonly T.TokenSet[] = T.TOKEN_NAMES.map((_, kind) => T.tokenSet(kind));

const BETWEEN = [...[T.EQ, T.NE, T.IN, T.LT, T.LE, T.GE, T.GT, T.AND, T.OR, T.MINUS], ...[T.QUESTION, T.PLUS, T.STAR, T.SLASH, T.PERCENT]];
/** What stands between two operands: parsing goes on from there after a mistake. */
const OPERATOR = T.tokenSet(...BETWEEN);
/** What continues an expression after a complete operand. */
const AFTER_OPERAND = T.tokenSet(...BETWEEN, T.LBRACKET, T.DOT);

/**
 * Reads tokens, says what is wrong with them, and finds a place to go on. Messages, and what becomes of the rest of the text
 * after a mistake, are those of cel-go's generated parser (ANTLR's default error strategy).
 */
export class TokenReader {
  readonly issues: CelIssue[] = [];
  protected readonly lexer: Lexer;
  /** What may come after the present expression and those around it, the innermost last, beside operators. */
  private readonly follow: T.TokenSet[] = [ONLY[T.EOF]!];
  /** Where parsing went on after a mistake: until a token is taken there, other mistakes are consequences of the first. */
  private resumedAt = -1;
  private recoveries = 0;
  private syntaxErrors = 0;

  constructor(readonly text: string) {
    this.lexer = new Lexer(text, (start, end, message) => this.tokenError(start, end, message));
  }

  report(code: string, { start, end, at }: Position, message: string): void {
    this.issues.push({ code, severity: 'error', message, start, end, at });
  }

  /** Records a mistake in something that was read. */
  protected literalError(start: number, end: number, message: string): void {
    this.report('syntax', { start, end, at: start }, message);
  }

  private tokenError(start: number, end: number, detail: string): void {
    const message = `Syntax error: ${detail}`;
    // A token that is looked at twice is reported once.
    if (this.issues.some((issue) => issue.at === start && issue.message === message)) return;
    if (this.syntaxErrors++ === MAX_SYNTAX_ERRORS) {
      this.literalError(start, end, `Syntax error: More than ${MAX_SYNTAX_ERRORS} syntax errors`);
      throw new ParseAbort();
    }
    this.literalError(start, end, message);
  }

  private syntaxError(start: number, end: number, detail: string): void {
    if (start !== this.resumedAt) this.tokenError(start, end, detail);
  }

  /** Records an error that is about the text as a whole and gives up. */
  protected abort(message: string): never {
    this.issues.push({ code: 'expression-too-large', severity: 'error', message, start: 0, end: this.text.length, at: -1 });
    throw new ParseAbort();
  }

  /** Says what may come after the expressions that are read until {@link leave}. */
  protected enter(follow: T.TokenSet): void {
    this.follow.push(follow);
  }

  protected leave(): void {
    this.follow.pop();
  }

  /**
   * Records that the present token is none of what is expected there. When what is expected comes next, the token is one too
   * many: it is skipped, and the answer is true. Otherwise what is being read is given up: the present token is then one that
   * can come after it.
   */
  protected unexpected(expected: T.TokenSet): boolean {
    const lexer = this.lexer;
    const { start, end, kind } = lexer;
    const found = this.tokenText();
    if (kind !== T.EOF) {
      lexer.next();
      if (expected.has(lexer.kind)) {
        this.syntaxError(start, end, `extraneous input '${found}' expecting ${expected.text}`);
        return true;
      }
    }
    this.syntaxError(start, end, `mismatched input '${found}' expecting ${expected.text}`);
    this.recoverFrom(start);
    return false;
  }

  /**
   * Takes a token of the kind. When it is missing and the present token could come after it, that is said and reading goes on;
   * `next` is what could, by default what can come after an operand. False when what is being read is given up.
   */
  protected expect(kind: number, next?: T.TokenSet): boolean {
    const lexer = this.lexer;
    if (lexer.kind === kind) {
      lexer.next();
      return true;
    }
    const { start, end, kind: found } = lexer;
    const text = this.tokenText();
    if (found !== T.EOF) {
      lexer.next();
      if (lexer.kind === kind) {
        this.syntaxError(start, end, `extraneous input '${text}' expecting ${T.TOKEN_NAMES[kind]}`);
        lexer.next();
        return true;
      }
      lexer.rewind(start);
    }
    if (next ? next.has(found) : AFTER_OPERAND.has(found) || this.follow.at(-1)!.has(found)) {
      this.syntaxError(start, end, `missing ${T.TOKEN_NAMES[kind]} at '${text}'`);
      this.resumedAt = start;
      return true;
    }
    this.syntaxError(start, end, `mismatched input '${text}' expecting ${T.TOKEN_NAMES[kind]}`);
    this.recoverFrom(start);
    return false;
  }

  /** After a `!`: the present token is skipped, whatever it is. */
  protected extraneous(expected: T.TokenSet): void {
    const { start, end } = this.lexer;
    this.syntaxError(start, end, `extraneous input '${this.tokenText()}' expecting ${expected.text}`);
    this.lexer.next();
    this.resumedAt = this.lexer.kind === T.EOF && start === this.lexer.start ? start : -1;
  }

  /** Records that nothing of the grammar goes on as the text does from `from`, and goes on at `resume` or after it. */
  protected noViableAlternative(from: number, resume: number): void {
    const { kind, start, end, previousEnd } = this.lexer;
    // At the end of the text, white space counts, but not what was no token.
    const rest = kind === T.EOF ? /^\s*/.exec(this.text.slice(previousEnd))![0] : '';
    const input = kind === T.EOF ? this.text.slice(from, previousEnd) + rest : this.text.slice(from, end);
    this.syntaxError(start, end, `no viable alternative at input '${visible(input)}'`);
    this.recoverFrom(resume);
  }

  /** After a dot, where a name is expected. */
  protected noFieldName(dot: number): void {
    const { kind, start, end, lexeme } = this.lexer;
    if (kind === T.TRUE || kind === T.FALSE || kind === T.NULL) {
      this.syntaxError(start, end, `mismatched input '${lexeme}' expecting IDENTIFIER`);
      this.recoverFrom(start);
    } else this.noViableAlternative(dot, start);
  }

  /** Skips to a token, from `start` on, that can come after what is being read, or after anything around it. */
  private recoverFrom(start: number): void {
    const lexer = this.lexer;
    if (lexer.start !== start) lexer.rewind(start);
    if (this.recoveries++ === MAX_RECOVERIES) {
      this.tokenError(lexer.start, lexer.end, `error recovery attempt limit exceeded: ${MAX_RECOVERIES}`);
      throw new ParseAbort();
    }
    for (let skipped = 0; lexer.kind !== T.EOF && !this.canGoOn(lexer.kind); skipped++) {
      if (skipped === MAX_SKIPPED) this.abort(`error recovery token lookahead limit exceeded: ${MAX_SKIPPED}`);
      lexer.next();
    }
    this.resumedAt = lexer.start;
  }

  private canGoOn(kind: number): boolean {
    return OPERATOR.has(kind) || this.follow.some((set) => set.has(kind));
  }

  /** The present token as messages quote it. */
  private tokenText(): string {
    return this.lexer.kind === T.EOF ? '<EOF>' : visible(this.lexer.lexeme);
  }
}

/** White space made visible, as in cel-go's syntax errors. */
function visible(text: string): string {
  return text.replaceAll('\n', '\\n').replaceAll('\t', '\\t').replaceAll('\r', '\\r');
}
