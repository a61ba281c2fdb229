import type { ParseResult } from '../environment.ts';
import type { CelIssue } from '../issue.ts';
import type { MacroDeclaration } from './macro.ts';
import type { MacroTable } from './parser.ts';
import { Parser } from './parser.ts';
import { OPTIONAL_MACROS, STANDARD_MACROS } from './standard-macros.ts';
import { withHints } from './syntax-hint.ts';
import { ParseAbort } from './token-reader.ts';

export interface ParseOptions {
  /** Calls that are expanded. Default: those of standard CEL and of optional types. */
  readonly macros?: readonly MacroDeclaration[];
}

/** An expression may have so many code points. cel-go: parser/options.go ExpressionSizeCodePointLimit. */
export const MAX_CODE_POINTS = 100_000;

const DEFAULT_MACROS: readonly MacroDeclaration[] = [...STANDARD_MACROS, ...OPTIONAL_MACROS];

/**
 * Parses an expression and expands its macros, with cel-go's tree, node ids, positions and messages.
 *
 * Never throws: an expression that is too long, too deep or too large is an issue like any other mistake.
 */
export function parse(text: string, options: ParseOptions = {}): ParseResult {
  const tooLong = sizeIssue(text);
  if (tooLong) return { ok: false, issues: [tooLong] };
  const parser = new Parser(text, macroTable(options.macros ?? DEFAULT_MACROS));
  try {
    const root = parser.parseAll();
    if (parser.issues.length === 0) return { ok: true, ast: { text, root, nodeCount: parser.lastId } };
  } catch (error) {
    if (!(error instanceof ParseAbort)) throw error;
  }
  return { ok: false, issues: withHints(text, parser.issues) };
}

const TABLES = new WeakMap<readonly MacroDeclaration[], MacroTable>();

/** The table of a list of macros, made once per list. */
function macroTable(macros: readonly MacroDeclaration[]): MacroTable {
  let table = TABLES.get(macros);
  if (!table) {
    const byName = new Map<string, MacroDeclaration[]>();
    for (const macro of macros) {
      const others = byName.get(macro.name);
      if (others) others.push(macro);
      else byName.set(macro.name, [macro]);
    }
    table = byName;
    TABLES.set(macros, table);
  }
  return table;
}

function sizeIssue(text: string): CelIssue | undefined {
  if (text.length <= MAX_CODE_POINTS) return undefined;
  let size = 0;
  for (const _ of text) size++;
  if (size <= MAX_CODE_POINTS) return undefined;
  const message = `expression code point size exceeds limit: size: ${size}, limit ${MAX_CODE_POINTS}`;
  return { code: 'expression-too-large', severity: 'error', message, start: 0, end: text.length, at: -1 };
}
