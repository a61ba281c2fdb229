import type { Span } from '../diagnostic.ts';
import { numberValue, stringValue } from './literal.ts';
import { type CueToken, tokenizeCue } from './token.ts';
import {
  type CueBound,
  type CueDeclaration,
  type CueExpr,
  type CueField,
  type CueIssue,
  CueMistake,
  type CueStruct,
  refuse,
} from './tree.ts';

export type CueParseResult =
  | { readonly ok: true; readonly root: CueStruct; readonly imports: readonly string[] }
  | { readonly ok: false; readonly issue: CueIssue };

const MAX_LENGTH = 64 * 1024;
const MAX_DEPTH = 64;

/**
 * Parses the part of CUE that says what data must look like: structs, lists, literals, bounds, `&` and `|`, patterns, definitions,
 * `let`, and calls of validators. What computes (comprehensions, arithmetic, interpolation) is refused by its name and place.
 * Never throws.
 */
export function parseCue(text: string): CueParseResult {
  try {
    if (text.length > MAX_LENGTH) {
      refuse({ start: 0, end: text.length }, 'too-large', `the text has ${text.length} characters, at most ${MAX_LENGTH} are read`);
    }
    return { ok: true, ...new CueParser(tokenizeCue(text)).parseFile() };
  } catch (error) {
    if (error instanceof CueMistake) return { ok: false, issue: error.issue };
    throw error;
  }
}

const BOUNDS: ReadonlySet<string> = new Set<CueBound>(['<', '<=', '>', '>=', '!=', '=~', '!~']);
const CLOSERS: ReadonlyMap<string, string> = new Map([
  ['(', ')'],
  ['[', ']'],
  ['{', '}'],
]);
const COMPUTING: ReadonlySet<string> = new Set(['+', '-', '*', '/', '%', '==', '&&', '||', 'div', 'mod', 'quo', 'rem']);

class CueParser {
  #at = 0;
  #depth = 0;
  readonly #tokens: readonly CueToken[];

  constructor(tokens: readonly CueToken[]) {
    this.#tokens = tokens;
  }

  parseFile(): { readonly root: CueStruct; readonly imports: readonly string[] } {
    if (this.#isWord('package')) {
      this.#at += 2;
      this.#skip(',');
    }
    const imports: string[] = [];
    while (this.#isWord('import')) imports.push(...this.#imports());
    const end = this.#tokens.at(-1)!;
    const root: CueStruct = { kind: 'struct', start: 0, end: end.end, declarations: this.#declarations('') };
    if (this.#at < this.#tokens.length - 1) this.#unexpected('a field');
    return { root, imports };
  }

  #imports(): string[] {
    this.#at++;
    const one = (): string => {
      const token = this.#peek;
      if (token.kind !== 'string') {
        return token.kind === 'identifier'
          ? refuse(token, 'unsupported', 'a package keeps its own name here')
          : this.#unexpected('a package');
      }
      this.#at++;
      this.#skip(',');
      const name = stringValue(token.text, token.start);
      if (!PACKAGES.has(name)) {
        const known = [...PACKAGES].join(', ');
        refuse(token, 'unsupported', `package ${JSON.stringify(name)} is not known here`, `packages with validators are ${known}`);
      }
      return name;
    };
    if (!this.#skip('(')) return [one()];
    const names: string[] = [];
    while (!this.#skip(')')) names.push(one());
    this.#skip(',');
    return names;
  }

  get #peek(): CueToken {
    return this.#tokens[this.#at]!;
  }

  #ahead(distance: number): CueToken | undefined {
    return this.#tokens[this.#at + distance];
  }

  #is(operator: string): boolean {
    return this.#peek.kind === 'operator' && this.#peek.text === operator;
  }

  /** Whether a keyword comes, and not a label of this name. */
  #isWord(word: string): boolean {
    const next = this.#ahead(1);
    return this.#peek.kind === 'identifier' && this.#peek.text === word && next?.text !== ':' && next?.text !== '?' && next?.text !== '!';
  }

  #skip(operator: string): boolean {
    if (!this.#is(operator)) return false;
    this.#at++;
    return true;
  }

  #expect(operator: string, what: string): CueToken {
    const token = this.#peek;
    if (!this.#skip(operator)) this.#unexpected(what);
    return token;
  }

  #unexpected(wanted: string): never {
    const token = this.#peek;
    const found = token.kind === 'end' ? 'the end' : token.text === ',' && token.start === token.end ? 'the end of the line' : token.text;
    return refuse(token, 'syntax', `${wanted} expected, found ${found}`);
  }

  #nested<T>(parse: () => T): T {
    if (++this.#depth > MAX_DEPTH) refuse(this.#peek, 'too-large', `nested deeper than ${MAX_DEPTH}`);
    const result = parse();
    this.#depth--;
    return result;
  }

  #declarations(close: string): CueDeclaration[] {
    const declarations: CueDeclaration[] = [];
    const atEnd = () => this.#peek.kind === 'end' || (close !== '' && this.#is(close));
    while (!atEnd()) {
      declarations.push(this.#declaration());
      if (this.#skip(',') || atEnd()) continue;
      this.#refuseComputing();
      this.#unexpected(close === '' ? 'a comma or a new line' : `a comma or ${close}`);
    }
    return declarations;
  }

  #declaration(): CueDeclaration {
    const first = this.#peek;
    if (this.#is('...')) {
      this.#at++;
      if (!this.#is(',') && !this.#is('}') && this.#peek.kind !== 'end')
        refuse(this.#peek, 'unsupported', 'further fields have no type of their own here', 'write a pattern: [string]: T');
      return { kind: 'ellipsis', start: first.start, end: first.end };
    }
    if (this.#is('@')) refuse(first, 'unsupported', 'attributes are not read here');
    if (this.#isWord('let')) return this.#let();
    if (this.#isWord('if') || this.#isWord('for')) {
      const hint = 'a disjunction of structs says the same of data, or a validation with `expression`';
      refuse(first, 'unsupported', 'comprehensions are not read here', hint);
    }
    return this.#field() ?? this.#pattern() ?? this.#embedding();
  }

  #let(): CueDeclaration {
    const first = this.#peek;
    this.#at++;
    const name = this.#peek;
    if (name.kind !== 'identifier') this.#unexpected('a name');
    this.#at++;
    this.#expect('=', '=');
    const value = this.#expression();
    return { kind: 'let', name: name.text, value, start: first.start, end: value.end };
  }

  #field(): CueField | undefined {
    const label = this.#peek;
    if (label.kind !== 'identifier' && label.kind !== 'string') return this.#numericLabel();
    const mark = this.#ahead(1)?.text;
    const marked = mark === '?' || mark === '!';
    if (this.#ahead(1)?.text === '=' && label.kind === 'identifier') {
      refuse(label, 'unsupported', 'aliases are not read here', 'give the value a name with `let`');
    }
    if (this.#ahead(marked ? 2 : 1)?.text !== ':') return undefined;
    const quoted = label.kind === 'string';
    if (quoted && label.text.startsWith('"""')) refuse(label, 'syntax', 'a label stands on one line');
    const name = quoted ? stringValue(label.text, label.start) : label.text;
    const role = quoted ? 'data' : /^_?#/.test(name) ? 'definition' : name.startsWith('_') ? 'hidden' : 'data';
    if (!quoted && name === '_') refuse(label, 'syntax', '_ is no label');
    this.#at += marked ? 3 : 2;
    const value = this.#nested(() => this.#fieldValue());
    const field = { name, role, nameable: !quoted, optional: mark === '?', label: { start: label.start, end: label.end }, value } as const;
    return { kind: 'field', ...field, start: label.start, end: value.end };
  }

  #numericLabel(): undefined {
    if (this.#peek.kind === 'number' && this.#ahead(1)?.text === ':') {
      refuse(this.#peek, 'syntax', 'a number is no label', `write "${this.#peek.text}"`);
    }
    if (this.#is('(')) {
      const close = this.#matching();
      if (close !== undefined && this.#tokens[close + 1]?.text === ':') refuse(this.#peek, 'unsupported', 'labels are not computed here');
    }
    return undefined;
  }

  /** `a: b: c` is `a: {b: c}`. */
  #fieldValue(): CueExpr {
    const field = this.#field() ?? this.#pattern();
    if (field === undefined) {
      const value = this.#expression();
      if (this.#is('@')) refuse(this.#peek, 'unsupported', 'attributes are not read here');
      return value;
    }
    return { kind: 'struct', declarations: [field], start: field.start, end: field.end };
  }

  /** Index of the token that closes the bracket at hand. */
  #matching(): number | undefined {
    let nested = 0;
    for (let at = this.#at; at < this.#tokens.length; at++) {
      const { kind, text } = this.#tokens[at]!;
      if (kind !== 'operator') continue;
      if (CLOSERS.has(text)) nested++;
      else if (text === ')' || text === ']' || text === '}') nested--;
      if (nested === 0) return at;
    }
    return undefined;
  }

  #pattern(): CueDeclaration | undefined {
    if (!this.#is('[')) return undefined;
    const close = this.#matching();
    if (close === undefined || this.#tokens[close + 1]?.text !== ':') return undefined;
    const { start } = this.#peek;
    this.#at++;
    if (this.#ahead(1)?.text === '=' && this.#peek.kind === 'identifier') refuse(this.#peek, 'unsupported', 'aliases are not read here');
    const pattern = this.#expression();
    this.#expect(']', ']');
    this.#expect(':', ':');
    const value = this.#nested(() => this.#fieldValue());
    return { kind: 'pattern', pattern, value, start, end: value.end };
  }

  #embedding(): CueDeclaration {
    const value = this.#expression();
    return { kind: 'embedding', value, start: value.start, end: value.end };
  }

  #expression(): CueExpr {
    return this.#nested(() => this.#terms('|', 'or', () => this.#terms('&', 'and', () => this.#unary())));
  }

  #terms(operator: string, kind: 'and' | 'or', term: () => CueExpr): CueExpr {
    const first = term();
    if (!this.#is(operator)) return first;
    const terms = [first];
    while (this.#skip(operator)) terms.push(term());
    return { kind, terms, start: first.start, end: terms.at(-1)!.end };
  }

  #unary(): CueExpr {
    const operator = this.#peek;
    if (operator.kind !== 'operator') return this.#operand();
    if (BOUNDS.has(operator.text) || operator.text === '*') {
      this.#at++;
      const operand = this.#nested(() => this.#unary());
      return { kind: 'unary', operator: operator.text as CueBound | '*', operand, start: operator.start, end: operand.end };
    }
    if (operator.text === '-' || operator.text === '+') {
      this.#at++;
      const { start } = operator;
      const operand = this.#nested(() => this.#unary());
      const value = operand.kind === 'literal' ? operand.value : undefined;
      if (value === null || typeof value !== 'object') return refuse(operator, 'unsupported', 'values are not computed here');
      if (operator.text === '+') return { ...operand, start } as CueExpr;
      const negative =
        value.kind === 'int' ? { kind: 'int' as const, value: -value.value } : { kind: 'float' as const, value: -value.value };
      return { kind: 'literal', value: negative, start, end: operand.end };
    }
    if (operator.text === '!' || operator.text === '==') refuse(operator, 'unsupported', 'values are not computed here');
    return this.#operand();
  }

  #operand(): CueExpr {
    let expr = this.#primary();
    for (;;) {
      if (this.#is('.')) {
        this.#at++;
        const name = this.#peek;
        if (name.kind !== 'identifier') this.#unexpected('a name');
        this.#at++;
        expr = { kind: 'selector', operand: expr, name: name.text, start: expr.start, end: name.end };
      } else if (this.#is('(')) {
        const callee = expr;
        expr = this.#nested(() => this.#call(callee));
      } else if (this.#is('[')) {
        refuse(this.#peek, 'unsupported', 'values are not computed here');
      } else break;
    }
    this.#refuseComputing();
    return expr;
  }

  #refuseComputing(): void {
    const token = this.#peek;
    if (token.kind !== 'string' && token.kind !== 'end' && COMPUTING.has(token.text) && this.#ahead(1)?.text !== ':') {
      refuse(token, 'unsupported', `values are not computed here: ${token.text}`, 'write the value, or a validation with `expression`');
    }
  }

  #call(callee: CueExpr): CueExpr {
    this.#at++;
    const args: CueExpr[] = [];
    while (!this.#is(')')) {
      args.push(this.#expression());
      if (!this.#skip(',') && !this.#is(')')) this.#unexpected('a comma or )');
    }
    const { end } = this.#expect(')', ')');
    return { kind: 'call', callee, args, start: callee.start, end };
  }

  #primary(): CueExpr {
    const token = this.#peek;
    const { start, end } = token;
    const span: Span = { start, end };
    switch (token.kind) {
      case 'number':
        this.#at++;
        return { kind: 'literal', value: numberValue(token.text, start), ...span };
      case 'string':
        this.#at++;
        return { kind: 'literal', value: stringValue(token.text, start), ...span };
      case 'identifier':
        this.#at++;
        if (token.text === 'true' || token.text === 'false') return { kind: 'literal', value: token.text === 'true', ...span };
        return token.text === 'null' ? { kind: 'literal', value: null, ...span } : { kind: 'reference', name: token.text, ...span };
      case 'end':
        return this.#unexpected('a value');
    }
    switch (token.text) {
      case '_|_':
        this.#at++;
        return { kind: 'reference', name: '_|_', ...span };
      case '{': {
        this.#at++;
        const declarations = this.#nested(() => this.#declarations('}'));
        return { kind: 'struct', declarations, start, end: this.#expect('}', '}').end };
      }
      case '[':
        return this.#nested(() => this.#list());
      case '(': {
        this.#at++;
        const inner = this.#expression();
        this.#skip(',');
        return { ...inner, start, end: this.#expect(')', ')').end };
      }
      default:
        return this.#unexpected('a value');
    }
  }

  #list(): CueExpr {
    const { start } = this.#peek;
    this.#at++;
    const items: CueExpr[] = [];
    let rest: CueExpr | 'anything' | undefined;
    while (!this.#is(']')) {
      if (this.#skip('...')) {
        rest = this.#is(']') || this.#is(',') ? 'anything' : this.#expression();
        this.#skip(',');
        if (!this.#is(']')) refuse(this.#peek, 'syntax', '... is the last of a list');
        break;
      }
      if (this.#isWord('for') || this.#isWord('if')) refuse(this.#peek, 'unsupported', 'comprehensions are not read here');
      items.push(this.#expression());
      if (!this.#skip(',') && !this.#is(']')) this.#unexpected('a comma or ]');
    }
    const { end } = this.#expect(']', ']');
    return rest === undefined ? { kind: 'list', items, start, end } : { kind: 'list', items, rest, start, end };
  }
}

/** Packages whose validators are known. */
const PACKAGES: ReadonlySet<string> = new Set(['strings', 'list', 'struct']);
