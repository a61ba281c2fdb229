import type { Expr, Literal, MapEntry, StructField } from '../ast.ts';
import type { LiteralResult } from './literal.ts';
import { listNode, literalNode, mapNode } from './node.ts';
import * as T from './token.ts';
import {
  AFTER_ELEMENT,
  AFTER_ENTRY,
  FIELD_NAME,
  FIRST_ELEMENT,
  FIRST_ENTRY,
  FIRST_FIELD,
  ONLY,
  OPERAND,
  TokenReader,
} from './token-reader.ts';

/** So many nodes may come of one expression: macros that copy their target would otherwise double the tree at every step. */
export const MAX_NODES = 100_000;

/** The part of the parser that makes values: literals, lists, maps and messages. What stands inside them is for the rest of it. */
export abstract class ContainerParser extends TokenReader {
  lastId = 0;
  /** Height of the subtree parsed last, counting what cel-go's visitor counts. */
  protected height = 0;

  protected abstract parseExpr(): Expr;

  newId(): number {
    if (this.lastId >= MAX_NODES) this.abort(`expression expands to more than ${MAX_NODES} nodes`);
    return ++this.lastId;
  }

  /** An expression in brackets, with what may come after it there. */
  protected parseInner(follow: T.TokenSet): Expr {
    this.enter(follow);
    const result = this.parseExpr();
    this.leave();
    return result;
  }

  /** The node of a literal whose tokens have been read. */
  protected literal(result: LiteralResult, start: number): Expr {
    const end = this.lexer.previousEnd;
    this.height = 0;
    if ('value' in result) return literalNode(this.newId(), { start, end, at: start }, result.value);
    this.literalError(start, end, result.error);
    return this.placeholder(start, end);
  }

  /** Stands where something is missing. */
  protected nothing(): Literal {
    this.height = 0;
    return this.placeholder(this.lexer.start, this.lexer.start);
  }

  /** Stands where an error has been reported. */
  placeholder(start: number, end: number): Literal {
    return literalNode(this.newId(), { start, end, at: start }, null);
  }

  /** The present token as the name of a field, without backticks. */
  protected fieldName(): string {
    const { kind, start, end, lexeme } = this.lexer;
    return kind === T.ESC_IDENT ? this.text.slice(start + 1, end - 1) : lexeme;
  }

  protected parseList(): Expr {
    const lexer = this.lexer;
    const start = lexer.start;
    const id = this.newId();
    const elements: Expr[] = [];
    const optionalIndices: number[] = [];
    let height = 0;
    lexer.next();
    if (!FIRST_ELEMENT.has(lexer.kind) && !this.unexpected(FIRST_ELEMENT)) return this.nothing();
    while (lexer.kind === T.QUESTION || OPERAND.has(lexer.kind)) {
      if (lexer.kind === T.QUESTION) {
        optionalIndices.push(elements.length);
        lexer.next();
      }
      elements.push(this.parseInner(AFTER_ELEMENT));
      if (this.height > height) height = this.height;
      if (!AFTER_ELEMENT.has(lexer.kind)) {
        if (!this.unexpected(AFTER_ELEMENT)) return this.nothing();
        if (lexer.kind === T.COMMA) lexer.next();
        break;
      }
      if (lexer.kind !== T.COMMA) break;
      lexer.next();
    }
    if (elements.length === 0 && lexer.kind === T.COMMA) lexer.next();
    this.expect(T.RBRACKET);
    this.height = height;
    return listNode(id, { start, end: lexer.previousEnd, at: start }, elements, optionalIndices);
  }

  protected parseMap(): Expr {
    const lexer = this.lexer;
    const start = lexer.start;
    const id = this.newId();
    const entries: MapEntry[] = [];
    let height = 0;
    lexer.next();
    if (!FIRST_ENTRY.has(lexer.kind) && !this.unexpected(FIRST_ENTRY)) return this.nothing();
    while (lexer.kind === T.QUESTION || OPERAND.has(lexer.kind)) {
      const entryId = this.newId();
      const optional = lexer.kind === T.QUESTION;
      if (optional) lexer.next();
      const key = this.parseInner(ONLY[T.COLON]!);
      if (this.height > height) height = this.height;
      const at = lexer.start;
      if (!this.expect(T.COLON, OPERAND)) return this.nothing();
      const value = this.parseInner(AFTER_ENTRY);
      if (this.height > height) height = this.height;
      entries.push({ id: entryId, key, value, optional, at });
      if (!AFTER_ENTRY.has(lexer.kind)) {
        if (!this.unexpected(AFTER_ENTRY)) return this.nothing();
        if (lexer.kind === T.COMMA) lexer.next();
        break;
      }
      if (lexer.kind !== T.COMMA) break;
      lexer.next();
    }
    if (entries.length === 0 && lexer.kind === T.COMMA) lexer.next();
    this.expect(T.RBRACE);
    this.height = height;
    return mapNode(id, { start, end: lexer.previousEnd, at: start }, entries);
  }

  /** The braces of a message literal. */
  protected parseMessage(typeName: string, start: number): Expr {
    const lexer = this.lexer;
    const at = lexer.start;
    const id = this.newId();
    const fields: StructField[] = [];
    let height = 0;
    lexer.next();
    if (!FIRST_FIELD.has(lexer.kind) && !this.unexpected(FIRST_FIELD)) return this.nothing();
    while (lexer.kind === T.QUESTION || FIELD_NAME.has(lexer.kind)) {
      const fieldId = this.newId();
      const fieldStart = lexer.start;
      const optional = lexer.kind === T.QUESTION;
      if (optional) {
        lexer.next();
        if (!FIELD_NAME.has(lexer.kind) && !this.unexpected(FIELD_NAME)) return this.nothing();
      }
      const name = this.fieldName();
      lexer.next();
      const colon = lexer.start;
      if (!this.expect(T.COLON, OPERAND)) return this.nothing();
      const value = this.parseInner(AFTER_ENTRY);
      if (this.height > height) height = this.height;
      fields.push({ id: fieldId, name, value, optional, start: fieldStart, at: colon });
      if (!AFTER_ENTRY.has(lexer.kind)) {
        if (!this.unexpected(AFTER_ENTRY)) return this.nothing();
        if (lexer.kind === T.COMMA) lexer.next();
        break;
      }
      if (lexer.kind !== T.COMMA) break;
      lexer.next();
    }
    if (fields.length === 0 && lexer.kind === T.COMMA) lexer.next();
    this.expect(T.RBRACE);
    this.height = height;
    return { kind: 'struct', id, start, end: lexer.previousEnd, at, typeName, fields };
  }
}
