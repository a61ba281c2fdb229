/**
 * Token kinds of CEL's grammar, as small integers so that the parser's comparisons are integer comparisons.
 * cel-go: parser/gen/CEL.g4.
 */
export const EOF: number = 0;
export const IDENT: number = 1;
export const ESC_IDENT: number = 2;
export const INT: number = 3;
export const UINT: number = 4;
export const FLOAT: number = 5;
export const STRING: number = 6;
export const BYTES: number = 7;
export const TRUE: number = 8;
export const FALSE: number = 9;
export const NULL: number = 10;
export const IN: number = 11;
export const EQ: number = 12;
export const NE: number = 13;
export const LT: number = 14;
export const LE: number = 15;
export const GE: number = 16;
export const GT: number = 17;
export const AND: number = 18;
export const OR: number = 19;
export const LBRACKET: number = 20;
export const RBRACKET: number = 21;
export const LBRACE: number = 22;
export const RBRACE: number = 23;
export const LPAREN: number = 24;
export const RPAREN: number = 25;
export const DOT: number = 26;
export const COMMA: number = 27;
export const MINUS: number = 28;
export const NOT: number = 29;
export const QUESTION: number = 30;
export const COLON: number = 31;
export const PLUS: number = 32;
export const STAR: number = 33;
export const SLASH: number = 34;
export const PERCENT: number = 35;

/** How a syntax error names each kind, by kind. */
export const TOKEN_NAMES: readonly string[] = [
  '<EOF>',
  'IDENTIFIER',
  'ESC_IDENTIFIER',
  'NUM_INT',
  'NUM_UINT',
  'NUM_FLOAT',
  'STRING',
  'BYTES',
  "'true'",
  "'false'",
  "'null'",
  "'in'",
  "'=='",
  "'!='",
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
];

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
