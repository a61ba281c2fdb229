import { invalid, type LabelOperator, type LabelRequirement, requirement, SelectorError } from './label-requirement.ts';
import { labelKeyErrors } from './label-syntax.ts';

type Token = { readonly kind: 'end' | 'word' | 'symbol' | 'error'; readonly text: string };

const SYMBOLS = new Set([')', ',', '!', '==', '=', '>', '<', '!=', '(']);
const BINARY = new Map<string, LabelOperator>([
  ['in', 'in'],
  ['notin', 'notin'],
  ['=', '='],
  ['==', '=='],
  ['!=', '!='],
  ['>', 'gt'],
  ['<', 'lt'],
]);

/** The grammar of `kubectl -l`. `in` and `notin` are operators only behind a key; elsewhere they are words. */
export class SelectorParser {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(text: string) {
    this.#tokens = tokenize(text);
  }

  parse(): LabelRequirement[] {
    const requirements: LabelRequirement[] = [];
    for (;;) {
      const token = this.#peek();
      if (token.kind === 'end') return requirements;
      if (!beginsRequirement(token)) throw new SelectorError(`found '${token.text}', expected: !, identifier, or 'end of string'`);
      requirements.push(this.#requirement());
      const next = this.#next();
      if (next.kind === 'end') return requirements;
      if (next.text !== ',' || next.kind !== 'symbol') throw new SelectorError(`found '${next.text}', expected: ',' or 'end of string'`);
      const after = this.#peek();
      if (!beginsRequirement(after)) throw new SelectorError(`found '${after.text}', expected: identifier after ','`);
    }
  }

  #requirement(): LabelRequirement {
    try {
      return this.#keyAndRest();
    } catch (error) {
      if (error instanceof SelectorError) throw new SelectorError(`unable to parse requirement: ${error.message}`);
      throw error;
    }
  }

  #keyAndRest(): LabelRequirement {
    let token = this.#next();
    const absent = isSymbol(token, '!');
    if (absent) token = this.#next();
    if (token.kind !== 'word') throw new SelectorError(`found '${token.text}', expected: identifier`);
    const key = token.text;
    const wrong = labelKeyErrors(key);
    // The path of the key is a nil pointer in the API server's code, and shows so.
    if (wrong.length > 0) throw new SelectorError(invalid('<nil>', key, wrong.join('; ')));
    const following = this.#peek();
    if (following.kind === 'end' || isSymbol(following, ',')) return requirement(key, absent ? '!' : 'exists', []);
    // After `!key` an operator would do nothing, but it is parsed all the same.
    if (absent) return requirement(key, '!', []);
    const sign = this.#next();
    const operator = BINARY.get(sign.text);
    if (operator === undefined || sign.kind === 'error') {
      throw new SelectorError(`found '${sign.text}', expected: in, notin, =, ==, !=, gt, lt`);
    }
    const values = operator === 'in' || operator === 'notin' ? this.#valueList() : this.#exactValue();
    return requirement(key, operator, [...values].sort());
  }

  #exactValue(): ReadonlySet<string> {
    const token = this.#peek();
    if (token.kind === 'end' || isSymbol(token, ',')) return new Set(['']);
    this.#at++;
    if (token.kind !== 'word') throw new SelectorError(`found '${token.text}', expected: identifier`);
    return new Set([token.text]);
  }

  #valueList(): ReadonlySet<string> {
    const open = this.#next();
    if (!isSymbol(open, '(')) throw new SelectorError(`found '${open.text}' expected: '('`);
    const first = this.#peek();
    if (isSymbol(first, ')')) {
      this.#at++;
      return new Set(['']);
    }
    if (first.kind !== 'word' && !isSymbol(first, ',')) throw new SelectorError(`found '${first.text}', expected: ',', ')' or identifier`);
    const values = this.#words();
    if (!isSymbol(this.#next(), ')')) throw new SelectorError(`found '${first.text}', expected: ')'`);
    return values;
  }

  /** Words between commas; nothing between two commas is the empty value. Stops in front of the parenthesis. */
  #words(): ReadonlySet<string> {
    const values = new Set<string>();
    for (;;) {
      const token = this.#next();
      if (token.kind === 'word') {
        values.add(token.text);
        const next = this.#peek();
        if (isSymbol(next, ')')) return values;
        if (!isSymbol(next, ',')) throw new SelectorError(`found '${next.text}', expected: ',' or ')'`);
      } else if (isSymbol(token, ',')) {
        if (values.size === 0) values.add('');
        const next = this.#peek();
        if (isSymbol(next, ')')) return values.add('');
        if (isSymbol(next, ',')) values.add('');
      } else throw new SelectorError(`found '${token.text}', expected: ',', or identifier`);
    }
  }

  #peek(): Token {
    return this.#tokens[this.#at] ?? END;
  }

  #next(): Token {
    return this.#tokens[this.#at++] ?? END;
  }
}

const END: Token = { kind: 'end', text: '' };

function beginsRequirement(token: Token): boolean {
  return token.kind === 'word' || isSymbol(token, '!');
}

function isSymbol(token: Token, text: string): boolean {
  return token.kind === 'symbol' && token.text === text;
}

function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = [];
  for (const [part] of text.matchAll(/[=!(),<>]+|[^=!(),<> \t\r\n]+/g)) {
    if (!/^[=!(),<>]/.test(part)) tokens.push({ kind: 'word', text: part });
    else tokens.push(...symbols(part));
  }
  return tokens;
}

/** Cuts a run of symbols into the longest ones. */
function symbols(run: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < run.length) {
    const two = run.slice(at, at + 2);
    const text = SYMBOLS.has(two) ? two : (run[at] as string);
    tokens.push({ kind: 'symbol', text });
    at += text.length;
  }
  return tokens;
}
