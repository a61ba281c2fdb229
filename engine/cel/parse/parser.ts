import type { Call, Expr, Ident, Select } from '../ast.ts';
import { ContainerParser } from './container-parser.ts';
import { Expansion } from './expansion.ts';
import type { LiteralResult } from './literal.ts';
import { bytesLiteral, doubleLiteral, intLiteral, stringLiteral, uintLiteral } from './literal.ts';
import type { MacroDeclaration } from './macro.ts';
import { callNode, identNode, literalNode, selectNode } from './node.ts';
import * as T from './token.ts';
import { AFTER_ARGUMENT, FIELD_NAME, FIRST_ARGUMENT, INDEX, ONLY, OPERAND } from './token-reader.ts';

/** How deep rules of the grammar, and nodes of the tree, may nest. cel-go: parser/parser.go maxRecursionDepth. */
export const MAX_DEPTH = 250;

/** Macros by name. */
export type MacroTable = ReadonlyMap<string, readonly MacroDeclaration[]>;

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
export class Parser extends ContainerParser {
  /** Rules of the grammar that are being read, per recursive rule; cel-go limits each on its own. */
  private exprDepth = 0;
  private relationDepth = 0;
  private calcDepth = 0;

  constructor(
    text: string,
    private readonly macros: MacroTable,
  ) {
    super(text);
  }

  /** Parses the whole text. Throws ParseAbort where nothing sensible can follow; else `issues` tells whether the tree is good. */
  parseAll(): Expr {
    this.lexer.next();
    const root = this.parseExpr();
    if (this.lexer.kind !== T.EOF) {
      this.unexpected(ONLY[T.EOF]!);
      // The rest is read for what is no token there.
      while (this.lexer.kind !== T.EOF) this.lexer.next();
    }
    if (this.height > MAX_DEPTH) this.abort('max recursion depth exceeded');
    return root;
  }

  private tooDeep(): never {
    this.abort(`expression recursion limit exceeded: ${MAX_DEPTH}`);
  }

  protected override parseExpr(): Expr {
    const lexer = this.lexer;
    if (++this.exprDepth > MAX_DEPTH) this.tooDeep();
    const start = lexer.start;
    let result = this.parseOr();
    if (lexer.kind === T.QUESTION) {
      const at = lexer.start;
      const id = this.newId();
      let height = this.height;
      lexer.next();
      this.enter(ONLY[T.COLON]!);
      const whenTrue = this.parseOr();
      this.leave();
      height = Math.max(height, this.height);
      const whenFalse = this.expect(T.COLON, OPERAND) ? this.parseExpr() : this.nothing();
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
      const position = { start: starts[low]!, end: ends[high + 1]!, at: ats[middle]! };
      return callNode(ids[middle]!, position, operator, undefined, [left, right]);
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
    let last = at;
    // One minus in front of a number belongs to the number.
    if (kind === T.MINUS && (lexer.kind === T.INT || lexer.kind === T.FLOAT)) return this.parseNegative(at);
    while (lexer.kind === kind) {
      count++;
      last = lexer.start;
      lexer.next();
    }
    if (kind === T.MINUS && (!OPERAND.has(lexer.kind) || lexer.kind === T.NOT)) {
      this.noViableAlternative(last, last);
      return this.nothing();
    }
    if (!OPERAND.has(lexer.kind)) this.extraneous(OPERAND);
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
      this.noViableAlternative(start, start);
      return this.nothing();
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
        const inner = this.parseInner(ONLY[T.RPAREN]!);
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
        return this.unexpected(OPERAND) ? this.parseUnary() : this.nothing();
    }
    lexer.next();
    return this.literal(value, start);
  }

  /** An identifier, with a leading dot or without, and what follows it: a call, a message literal, selections. */
  private parseName(): Expr {
    const lexer = this.lexer;
    const start = lexer.start;
    let name = '';
    if (lexer.kind === T.DOT) {
      name = '.';
      lexer.next();
      if (lexer.kind !== T.IDENT) {
        this.noFieldName(start);
        return this.nothing();
      }
    }
    const word = lexer.lexeme;
    const wordStart = lexer.start;
    name += word;
    lexer.next();
    this.height = 0;
    if (lexer.kind === T.LPAREN) {
      if (T.RESERVED.has(word)) {
        this.literalError(start, lexer.previousEnd, `reserved identifier: ${word}`);
        this.parseArguments();
        return this.parsePostfix(this.placeholder(start, lexer.previousEnd), start, false);
      }
      const at = lexer.start;
      const id = this.newId();
      const args = this.parseArguments();
      return this.parsePostfix(this.callOrMacro(id, name, undefined, args, start, at), start, false);
    }
    const end = lexer.previousEnd;
    if (T.RESERVED.has(word) && !this.startsMessage()) {
      this.literalError(start, end, `reserved identifier: ${word}`);
      return this.parsePostfix(this.placeholder(start, end), start, false);
    }
    const node = identNode(this.newId(), { start, end, at: wordStart }, name);
    return this.parsePostfix(node, start, true);
  }

  /** Whether a message literal follows: `.b.c{`. Only asked after a reserved word, which may begin a type's name. */
  private startsMessage(): boolean {
    return /^(?:\s*\.\s*[A-Za-z_][A-Za-z0-9_]*)*\s*\{/.test(this.text.slice(this.lexer.previousEnd));
  }

  /** Arguments in parentheses; the opening one is the present token. */
  private parseArguments(): Expr[] {
    const lexer = this.lexer;
    const args: Expr[] = [];
    lexer.next();
    let height = 0;
    if (lexer.kind !== T.RPAREN && !OPERAND.has(lexer.kind) && !this.unexpected(FIRST_ARGUMENT)) return args;
    if (lexer.kind !== T.RPAREN) {
      for (;;) {
        args.push(this.parseInner(AFTER_ARGUMENT));
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
          if (kind !== T.IDENT && kind !== T.ESC_IDENT) {
            this.noFieldName(at);
            return this.nothing();
          }
          const field = this.fieldName();
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
          left = selectNode(this.newId(), { start, end: lexer.previousEnd, at }, left, field, false);
          break;
        }
        case T.LBRACKET: {
          named = false;
          const at = lexer.start;
          const id = this.newId();
          const height = this.height;
          lexer.next();
          if (!INDEX.has(lexer.kind) && !this.unexpected(INDEX)) return this.nothing();
          const optional = lexer.kind === T.QUESTION;
          if (optional) lexer.next();
          const index = this.parseInner(ONLY[T.RBRACKET]!);
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
    const { start: fieldStart, end: fieldEnd } = lexer;
    if (!FIELD_NAME.has(lexer.kind) && !this.unexpected(FIELD_NAME)) {
      this.literalError(fieldStart, fieldEnd, 'unsupported ident kind');
      return this.nothing();
    }
    const field = this.fieldName();
    const name = literalNode(this.newId(), { start: lexer.start, end: lexer.end, at: lexer.start }, field);
    lexer.next();
    this.height++;
    return this.call(this.newId(), '_?._', undefined, [operand, name], start, at);
  }

  private call(id: number, fn: string, target: Expr | undefined, args: readonly Expr[], start: number, at: number): Call {
    return callNode(id, { start, end: this.lexer.previousEnd, at }, fn, target, args);
  }

  private callOrMacro(id: number, fn: string, target: Expr | undefined, args: readonly Expr[], start: number, at: number): Expr {
    const macros = this.macros.get(fn);
    const macro = macros?.find((each) => each.argCount === args.length && each.member === (target !== undefined));
    if (macro !== undefined) {
      const written = target === undefined ? { name: fn, args } : { name: fn, target, args };
      const expansion = new Expansion(this, written, { start, end: this.lexer.previousEnd, at });
      const expanded = macro.expand(expansion, target, args);
      if (expanded !== undefined) return expansion.finish(expanded);
    }
    return this.call(id, fn, target, args, start, at);
  }
}

const LITERAL_TRUE: LiteralResult = { value: true };
const LITERAL_FALSE: LiteralResult = { value: false };
const LITERAL_NULL: LiteralResult = { value: null };

function dottedName(expr: Expr): string {
  return expr.kind === 'select' ? `${dottedName(expr.operand)}.${(expr as Select).field}` : (expr as Ident).name;
}
