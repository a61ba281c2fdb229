/**
 * Token kinds of CEL's grammar, as small integers so that the parser's comparisons are integer comparisons, in the order in
 * which cel-go's messages list them. cel-go: parser/gen/CEL.g4.
 */
export const EOF: number = 0;
export const EQ: number = 1;
export const NE: number = 2;
export const IN: number = 3;
export const LT: number = 4;
export const LE: number = 5;
export const GE: number = 6;
export const GT: number = 7;
export const AND: number = 8;
export const OR: number = 9;
export const LBRACKET: number = 10;
export const RBRACKET: number = 11;
export const LBRACE: number = 12;
export const RBRACE: number = 13;
export const LPAREN: number = 14;
export const RPAREN: number = 15;
export const DOT: number = 16;
export const COMMA: number = 17;
export const MINUS: number = 18;
export const NOT: number = 19;
export const QUESTION: number = 20;
export const COLON: number = 21;
export const PLUS: number = 22;
export const STAR: number = 23;
export const SLASH: number = 24;
export const PERCENT: number = 25;
export const TRUE: number = 26;
export const FALSE: number = 27;
export const NULL: number = 28;
export const FLOAT: number = 29;
export const INT: number = 30;
export const UINT: number = 31;
export const STRING: number = 32;
export const BYTES: number = 33;
export const IDENT: number = 34;
export const ESC_IDENT: number = 35;

/** How a syntax error names each kind, by kind. */
export const TOKEN_NAMES: readonly string[] = [
  '<EOF>',
  "'=='",
  "'!='",
  "'in'",
  "'<'",
  "'<='",
  "'>='",
  "'>'",
  "'&&'",
  "'||'",
  "'['",
  "']'",
  "'{'",
  "'}'",
  "'('",
  "')'",
  "'.'",
  "','",
  "'-'",
  "'!'",
  "'?'",
  "':'",
  "'+'",
  "'*'",
  "'/'",
  "'%'",
  "'true'",
  "'false'",
  "'null'",
  'NUM_FLOAT',
  'NUM_INT',
  'NUM_UINT',
  'STRING',
  'BYTES',
  'IDENTIFIER',
  'ESC_IDENTIFIER',
];

/** Some kinds of tokens, with the text that names them in a message: one alone, or several in the order of the kinds. */
export interface TokenSet {
  readonly text: string;
  has(kind: number): boolean;
}

export function tokenSet(...kinds: readonly number[]): TokenSet {
  const flags = new Uint8Array(TOKEN_NAMES.length);
  for (const kind of kinds) flags[kind] = 1;
  const names = TOKEN_NAMES.filter((_, kind) => flags[kind] === 1);
  return { text: names.length === 1 ? names[0]! : `{${names.join(', ')}}`, has: (kind) => flags[kind] === 1 };
}

/** Words that may name a field, but not a variable or a function. `in`, `true`, `false`, `null` are tokens of their own. */
export const RESERVED: ReadonlySet<string> = new Set([
  'as',
  'break',
  'const',
  'continue',
  'else',
  'for',
  'function',
  'if',
  'import',
  'let',
  'loop',
  'package',
  'namespace',
  'return',
  'var',
  'void',
  'while',
]);
