import type { Call, Expr, Ident, Literal, MapEntry, Select, StructField } from '../ast.ts';
import type { CelIssue } from '../issue.ts';
import type { CelValue } from '../values.ts';
import { Expansion } from './expansion.ts';
import { Lexer } from './lexer.ts';
import type { LiteralResult } from './literal.ts';
import { bytesLiteral, doubleLiteral, intLiteral, stringLiteral, uintLiteral } from './literal.ts';
import type { MacroDeclaration } from './macro.ts';
import * as T from './token.ts';

/** How deep rules of the grammar, and nodes of the tree, may nest. cel-go: parser/parser.go maxRecursionDepth. */
export const MAX_DEPTH = 250;

/** So many nodes may come of one expression: macros that copy their target would otherwise double the tree at every step. */
export const MAX_NODES = 100_000;

/** Parsing can't go on; the reason is in {@link Parser.issues}. */
export class ParseAbort {}

/** What a primary starts with, in the order in which cel-go's messages list it. */
const OPERAND = "'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER";
const EXPECTED_OPERAND = `{${OPERAND}}`;

const RELATION_OPERATORS: readonly (string | undefined)[] = table([
  [T.LT, '_<_'],
  [T.LE, '_<=_'],
  [T.GT, '_>_'],
  [T.GE, '_>=_'],
  [T.EQ, '_==_'],
  [T.NE, '_!=_'],
  [T.IN, '@in'],
]);
const ARITHMETIC_OPERATORS: readonly (string | undefined)[] = table([
  [T.PLUS, '_+_'],
  [T.MINUS, '_-_'],
  [T.STAR, '_*_'],
  [T.SLASH, '_/_'],
  [T.PERCENT, '_%_'],
]);

function table(entries: readonly (readonly [kind: number, operator: string])[]): readonly (string | undefined)[] {
  const result: (string | undefined)[] = new Array(T.TOKEN_NAMES.length).fill(undefined);
  for (const [kind, operator] of entries) result[kind] = operator;
  return result;
}

/**
 * Parser of one expression: recursive descent for the levels of the grammar, precedence climbing for arithmetic.
 *
 * Ids are given in the order in which cel-go gives them, so that trees can be compared node by node.
 */
export class Parser {
  readonly issues: CelIssue[] = [];
  lastId = 0;
  private readonly lexer: Lexer;
  /** Rules of the grammar that are being read, per recursive rule; cel-go limits each on its own. */
  private exprDepth = 0;
  private relationDepth = 0;
  private calcDepth = 0;
  /** Height of the subtree parsed last, counting what cel-go's visitor counts. */
  private height = 0;

  constructor(
    readonly text: string,
    private readonly macros: ReadonlyMap<string, MacroDeclaration>,
  ) {
    this.lexer = new Lexer(text, (start, end, message) => this.report('syntax', start, end, `Syntax error: ${message}`));
  }

  /** Parses the whole text. Throws {@link ParseAbort} after a syntax error that nothing sensible can follow. */
  parseAll(): Expr {
    this.lexer.next();
    const root = this.parseExpr();
    if (this.lexer.kind !== T.EOF) this.unexpected('<EOF>', T.EOF);
    if (this.height > MAX_DEPTH) this.abort('max recursion depth exceeded');
    return root;
  }

  newId(): number {
    if (this.lastId >= MAX_NODES) this.abort(`expression expands to more than ${MAX_NODES} nodes`);
    return ++this.lastId;
  }

  report(code: string, start: number, end: number, message: string): void {
    this.issues.push({ code, severity: 'error', message, start, end, at: start });
  }

  /** Records an error that is about the text as a whole and gives up. */
  private abort(message: string): never {
    this.issues.push({ code: 'expression-too-large', severity: 'error', message, start: 0, end: this.text.length, at: -1 });
    throw new ParseAbort();
  }

  private tooDeep(): never {
    this.abort(`expression recursion limit exceeded: ${MAX_DEPTH}`);
  }

  /** Records that the present token is not what is expected there, and gives up. */
  private unexpected(expected: string, single?: number): never {
    const lexer = this.lexer;
    const { start, end } = lexer;
    const found = lexer.kind === T.EOF ? '<EOF>' : lexer.lexeme;
    let word = 'mismatched';
    if (single !== undefined && lexer.kind !== T.EOF) {
      // A token too many, when what is expected follows it.
      lexer.next();
      if (lexer.kind === single) word = 'extraneous';
    }
    this.report('syntax', start, end, `Syntax error: ${word} input '${found}' expecting ${expected}`);
    throw new ParseAbort();
  }

  private expect(kind: number): void {
    if (this.lexer.kind !== kind) this.unexpected(T.TOKEN_NAMES[kind]!, kind);
    this.lexer.next();
  }

  private parseExpr(): Expr {
    const lexer = this.lexer;
    if (++this.exprDepth > MAX_DEPTH) this.tooDeep();
    const start = lexer.start;
    let result = this.parseOr();
    if (lexer.kind === T.QUESTION) {
      const at = lexer.start;
      const id = this.newId();
      let height = this.height;
      lexer.next();
      const whenTrue = this.parseOr();
      height = Math.max(height, this.height);
      this.expect(T.COLON);
      const whenFalse = this.parseExpr();
      this.height = Math.max(height, this.height) + 1;
      result = this.call(id, '_?_:_', undefined, [result, whenTrue, whenFalse], start, at);
    }
    this.exprDepth--;
    return result;
  }

  private parseOr(): Expr {
    const start = this.lexer.start;
    const first = this.parseAnd();
    return this.lexer.kind === T.OR ? this.parseLogic(T.OR, '_||_', first, start) : first;
  }

  private parseAnd(): Expr {
    const start = this.lexer.start;
    const first = this.parseRelation();
    return this.lexer.kind === T.AND ? this.parseLogic(T.AND, '_&&_', first, start) : first;
  }

  /** The rest of a chain of `&&` or `||`, as a balanced tree. cel-go: parser/helper.go logicManager. */
  private parseLogic(kind: number, operator: string, first: Expr, start: number): Expr {
    const lexer = this.lexer;
    const terms = [first];
    const starts = [start];
    const ends = [lexer.previousEnd];
    const ids: number[] = [];
    const ats: number[] = [];
    let height = this.height;
    while (lexer.kind === kind) {
      ats.push(lexer.start);
      lexer.next();
      starts.push(lexer.start);
      terms.push(kind === T.OR ? this.parseAnd() : this.parseRelation());
      ends.push(lexer.previousEnd);
      ids.push(this.newId());
      if (this.height > height) height = this.height;
    }
    this.height = height;
    const balance = (low: number, high: number): Expr => {
      const middle = (low + high + 1) >> 1;
      const left = middle === low ? terms[middle]! : balance(low, middle - 1);
      const right = middle === high ? terms[middle + 1]! : balance(middle + 1, high);
      return {
        kind: 'call',
        id: ids[middle]!,
        fn: operator,
        args: [left, right],
        start: starts[low]!,
        end: ends[high + 1]!,
        at: ats[middle]!,
      };
    };
    return balance(0, ids.length - 1);
  }

  private parseRelation(): Expr {
    const lexer = this.lexer;
    if (++this.relationDepth > MAX_DEPTH) this.tooDeep();
    const start = lexer.start;
    let left = this.parseCalc(1);
    for (let operator = RELATION_OPERATORS[lexer.kind]; operator !== undefined; operator = RELATION_OPERATORS[lexer.kind]) {
      const at = lexer.start;
      const id = this.newId();
      const height = this.height;
      lexer.next();
      if (++this.relationDepth > MAX_DEPTH) this.tooDeep();
      const right = this.parseCalc(1);
      this.relationDepth--;
      this.height = Math.max(height, this.height) + 1;
      left = this.call(id, operator, undefined, [left, right], start, at);
    }
    this.relationDepth--;
    return left;
  }

  /** Sums (precedence 1) and products (precedence 2). */
  private parseCalc(minimum: number): Expr {
    const lexer = this.lexer;
    if (++this.calcDepth > MAX_DEPTH) this.tooDeep();
    const start = lexer.start;
    let left = this.parseUnary();
    for (let operator = ARITHMETIC_OPERATORS[lexer.kind]; operator !== undefined; operator = ARITHMETIC_OPERATORS[lexer.kind]) {
      const precedence = lexer.kind === T.PLUS || lexer.kind === T.MINUS ? 1 : 2;
      if (precedence < minimum) break;
      const at = lexer.start;
      const id = this.newId();
      const height = this.height;
      lexer.next();
      const right = this.parseCalc(precedence + 1);
      this.height = Math.max(height, this.height) + 1;
      left = this.call(id, operator, undefined, [left, right], start, at);
    }
    this.calcDepth--;
    return left;
  }

  private parseUnary(): Expr {
    const lexer = this.lexer;
    const kind = lexer.kind;
    if (kind !== T.NOT && kind !== T.MINUS) return this.parseMember();
    const at = lexer.start;
    lexer.next();
    let count = 1;
    // One minus in front of a number belongs to the number.
    if (kind === T.MINUS && (lexer.kind === T.INT || lexer.kind === T.FLOAT)) return this.parseNegative(at);
    while (lexer.kind === kind) {
      count++;
      lexer.next();
    }
    if (count % 2 === 0) return this.parseMember();
    const id = this.newId();
    const operand = this.parseMember();
    return this.call(id, kind === T.NOT ? '!_' : '-_', undefined, [operand], at, at);
  }

  private parseNegative(start: number): Expr {
    const kind = this.lexer.kind;
    const text = this.lexer.lexeme;
    const value = kind === T.INT ? intLiteral(text, true) : doubleLiteral(`-${text}`);
    this.lexer.next();
    return this.parsePostfix(this.literal(value, start), start, false);
  }

  private parseMember(): Expr {
    const lexer = this.lexer;
    const start = lexer.start;
    if (lexer.kind === T.IDENT || lexer.kind === T.DOT) return this.parseName();
    if (lexer.kind === T.MINUS) {
      lexer.next();
      if (lexer.kind === T.INT || lexer.kind === T.FLOAT) return this.parseNegative(start);
      this.unexpected(EXPECTED_OPERAND);
    }
    return this.parsePostfix(this.parsePrimary(), start, false);
  }

  private parsePrimary(): Expr {
    const lexer = this.lexer;
    const { start, kind } = lexer;
    this.height = 0;
    switch (kind) {
      case T.LPAREN: {
        lexer.next();
        const inner = this.parseExpr();
        this.expect(T.RPAREN);
        return inner;
      }
      case T.LBRACKET:
        return this.parseList();
      case T.LBRACE:
        return this.parseMap();
    }
    let value: LiteralResult;
    switch (kind) {
      case T.STRING:
        value = stringLiteral(lexer.lexeme);
        break;
      case T.INT:
        value = intLiteral(lexer.lexeme, false);
        break;
      case T.TRUE:
        value = LITERAL_TRUE;
        break;
      case T.FALSE:
        value = LITERAL_FALSE;
        break;
      case T.NULL:
        value = LITERAL_NULL;
        break;
      case T.FLOAT:
        value = doubleLiteral(lexer.lexeme);
        break;
      case T.UINT:
        value = uintLiteral(lexer.lexeme);
        break;
      case T.BYTES:
        value = bytesLiteral(lexer.lexeme);
        break;
      default:
        this.unexpected(EXPECTED_OPERAND);
    }
    lexer.next();
    return this.literal(value, start);
  }

  /** The node of a literal whose tokens have been read. */
  private literal(result: LiteralResult, start: number): Expr {
    const end = this.lexer.previousEnd;
    this.height = 0;
    if ('value' in result) return literalNode(this.newId(), result.value, start, end);
    this.report('syntax', start, end, result.error);
    return this.placeholder(start, end);
  }

  /** Stands where an error has been reported. */
  placeholder(start: number, end: number): Literal {
    return literalNode(this.newId(), null, start, end);
  }

  /** An identifier, with a leading dot or without, and what follows it: a call, a message literal, selections. */
  private parseName(): Expr {
    const lexer = this.lexer;
    const start = lexer.start;
    let name = '';
    if (lexer.kind === T.DOT) {
      name = '.';
      lexer.next();
      if (lexer.kind !== T.IDENT) this.unexpected('IDENTIFIER');
    }
    const word = lexer.lexeme;
    const wordStart = lexer.start;
    name += word;
    lexer.next();
    this.height = 0;
    if (lexer.kind === T.LPAREN) {
      if (T.RESERVED.has(word)) {
        this.report('syntax', start, lexer.previousEnd, `reserved identifier: ${word}`);
        this.skipArguments();
        return this.parsePostfix(this.placeholder(start, lexer.previousEnd), start, false);
      }
      const at = lexer.start;
      const id = this.newId();
      const args = this.parseArguments();
      return this.parsePostfix(this.callOrMacro(id, name, undefined, args, start, at), start, false);
    }
    const end = lexer.previousEnd;
    if (T.RESERVED.has(word) && !this.startsMessage()) {
      this.report('syntax', start, end, `reserved identifier: ${word}`);
      return this.parsePostfix(this.placeholder(start, end), start, false);
    }
    const node: Ident = { kind: 'ident', id: this.newId(), name, start, end, at: wordStart };
    return this.parsePostfix(node, start, true);
  }

  /** Whether a message literal follows: `.b.c{`. Only asked after a reserved word, which may begin a type's name. */
  private startsMessage(): boolean {
    return /^(?:\s*\.\s*[A-Za-z_][A-Za-z0-9_]*)*\s*\{/.test(this.text.slice(this.lexer.previousEnd));
  }

  private skipArguments(): void {
    this.parseArguments();
  }

  /** Arguments in parentheses; the opening one is the present token. */
  private parseArguments(): Expr[] {
    const lexer = this.lexer;
    const args: Expr[] = [];
    lexer.next();
    let height = 0;
    if (lexer.kind !== T.RPAREN) {
      for (;;) {
        args.push(this.parseExpr());
        if (this.height > height) height = this.height;
        if (lexer.kind !== T.COMMA) break;
        lexer.next();
      }
    }
    this.expect(T.RPAREN);
    this.height = height;
    return args;
  }

  /** Selections, indices, method calls; `named` while the operand is still a dotted name, which may begin a message literal. */
  private parsePostfix(operand: Expr, start: number, named: boolean): Expr {
    const lexer = this.lexer;
    const before = this.lastId;
    let left = operand;
    for (;;) {
      switch (lexer.kind) {
        case T.DOT: {
          const at = lexer.start;
          lexer.next();
          if (lexer.kind === T.QUESTION) {
            lexer.next();
            left = this.parseOptionalSelect(left, start, at);
            named = false;
            break;
          }
          const kind = lexer.kind;
          if (kind !== T.IDENT && kind !== T.ESC_IDENT) this.noFieldName(at);
          const field = kind === T.IDENT ? lexer.lexeme : this.text.slice(lexer.start + 1, lexer.end - 1);
          if (kind === T.ESC_IDENT) named = false;
          lexer.next();
          if (lexer.kind === T.LPAREN && kind === T.IDENT) {
            named = false;
            const height = this.height;
            const open = lexer.start;
            const id = this.newId();
            const args = this.parseArguments();
            this.height = Math.max(height, this.height) + 1;
            left = this.callOrMacro(id, field, left, args, start, open);
            break;
          }
          this.height++;
          left = { kind: 'select', id: this.newId(), operand: left, field, testOnly: false, start, end: lexer.previousEnd, at };
          break;
        }
        case T.LBRACKET: {
          named = false;
          const at = lexer.start;
          const id = this.newId();
          const height = this.height;
          lexer.next();
          const optional = lexer.kind === T.QUESTION;
          if (optional) lexer.next();
          const index = this.parseExpr();
          this.expect(T.RBRACKET);
          this.height = Math.max(height, this.height) + 1;
          left = this.call(id, optional ? '_[?_]' : '_[_]', undefined, [left, index], start, at);
          break;
        }
        case T.LBRACE: {
          if (!named) return left;
          // The dotted name was a type's: its nodes never were.
          this.lastId = before - 1;
          left = this.parseMessage(dottedName(left), start);
          named = false;
          break;
        }
        default:
          return left;
      }
    }
  }

  private parseOptionalSelect(operand: Expr, start: number, at: number): Expr {
    const lexer = this.lexer;
    if (lexer.kind !== T.IDENT && lexer.kind !== T.ESC_IDENT) this.unexpected('{IDENTIFIER, ESC_IDENTIFIER}');
    const field = lexer.kind === T.IDENT ? lexer.lexeme : this.text.slice(lexer.start + 1, lexer.end - 1);
    const name = literalNode(this.newId(), field, lexer.start, lexer.end);
    lexer.next();
    this.height++;
    return this.call(this.newId(), '_?._', undefined, [operand, name], start, at);
  }

  private noFieldName(dot: number): never {
    const { kind, start, end } = this.lexer;
    if (kind === T.TRUE || kind === T.FALSE || kind === T.NULL) {
      this.report('syntax', start, end, `Syntax error: mismatched input '${this.lexer.lexeme}' expecting IDENTIFIER`);
    } else {
      this.report(
        'syntax',
        start,
        end,
        `Syntax error: no viable alternative at input '${this.text.slice(dot, kind === T.EOF ? dot + 1 : end)}'`,
      );
    }
    throw new ParseAbort();
  }

  private parseList(): Expr {
    const lexer = this.lexer;
    const start = lexer.start;
    const id = this.newId();
    const elements: Expr[] = [];
    const optionalIndices: number[] = [];
    let height = 0;
    lexer.next();
    while (lexer.kind !== T.RBRACKET) {
      if (elements.length === 0 && lexer.kind === T.COMMA) {
        lexer.next();
        break;
      }
      if (lexer.kind === T.QUESTION) {
        optionalIndices.push(elements.length);
        lexer.next();
      }
      elements.push(this.parseExpr());
      if (this.height > height) height = this.height;
      if (lexer.kind !== T.COMMA) break;
      lexer.next();
    }
    this.expect(T.RBRACKET);
    this.height = height;
    return { kind: 'list', id, elements, optionalIndices, start, end: lexer.previousEnd, at: start };
  }

  private parseMap(): Expr {
    const lexer = this.lexer;
    const start = lexer.start;
    const id = this.newId();
    const entries: MapEntry[] = [];
    let height = 0;
    lexer.next();
    while (lexer.kind !== T.RBRACE) {
      if (entries.length === 0 && lexer.kind === T.COMMA) {
        lexer.next();
        break;
      }
      const entryId = this.newId();
      const optional = lexer.kind === T.QUESTION;
      if (optional) lexer.next();
      const key = this.parseExpr();
      if (this.height > height) height = this.height;
      const at = lexer.start;
      this.expect(T.COLON);
      const value = this.parseExpr();
      if (this.height > height) height = this.height;
      entries.push({ id: entryId, key, value, optional, at });
      if (lexer.kind !== T.COMMA) break;
      lexer.next();
    }
    this.expect(T.RBRACE);
    this.height = height;
    return { kind: 'map', id, entries, start, end: lexer.previousEnd, at: start };
  }

  /** The braces of a message literal. */
  private parseMessage(typeName: string, start: number): Expr {
    const lexer = this.lexer;
    const at = lexer.start;
    const id = this.newId();
    const fields: StructField[] = [];
    let height = 0;
    lexer.next();
    while (lexer.kind !== T.RBRACE) {
      if (fields.length === 0 && lexer.kind === T.COMMA) {
        lexer.next();
        break;
      }
      const fieldId = this.newId();
      const fieldStart = lexer.start;
      const optional = lexer.kind === T.QUESTION;
      if (optional) lexer.next();
      if (lexer.kind !== T.IDENT && lexer.kind !== T.ESC_IDENT) {
        this.unexpected(optional ? '{IDENTIFIER, ESC_IDENTIFIER}' : "{'}', ',', '?', IDENTIFIER, ESC_IDENTIFIER}");
      }
      const name = lexer.kind === T.IDENT ? lexer.lexeme : this.text.slice(lexer.start + 1, lexer.end - 1);
      lexer.next();
      const colon = lexer.start;
      this.expect(T.COLON);
      const value = this.parseExpr();
      if (this.height > height) height = this.height;
      fields.push({ id: fieldId, name, value, optional, start: fieldStart, at: colon });
      if (lexer.kind !== T.COMMA) break;
      lexer.next();
    }
    this.expect(T.RBRACE);
    this.height = height;
    return { kind: 'struct', id, typeName, fields, start, end: lexer.previousEnd, at };
  }

  private call(id: number, fn: string, target: Expr | undefined, args: readonly Expr[], start: number, at: number): Call {
    const end = this.lexer.previousEnd;
    return target === undefined ? { kind: 'call', id, fn, args, start, end, at } : { kind: 'call', id, fn, target, args, start, end, at };
  }

  private callOrMacro(id: number, fn: string, target: Expr | undefined, args: readonly Expr[], start: number, at: number): Expr {
    const macro = this.macros.get(`${fn}:${args.length}:${target !== undefined}`);
    if (macro !== undefined) {
      const written = target === undefined ? { name: fn, args } : { name: fn, target, args };
      const expansion = new Expansion(this, written, start, this.lexer.previousEnd, at);
      const expanded = macro.expand(expansion, target, args);
      if (expanded !== undefined) return expansion.finish(expanded);
    }
    return this.call(id, fn, target, args, start, at);
  }
}

const LITERAL_TRUE: LiteralResult = { value: true };
const LITERAL_FALSE: LiteralResult = { value: false };
const LITERAL_NULL: LiteralResult = { value: null };

function literalNode(id: number, value: CelValue, start: number, end: number): Literal {
  return { kind: 'literal', id, value, start, end, at: start };
}

function dottedName(expr: Expr): string {
  return expr.kind === 'select' ? `${dottedName(expr.operand)}.${(expr as Select).field}` : (expr as Ident).name;
}
