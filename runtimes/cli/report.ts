import { type Diagnostic, isError } from '../../engine/text/diagnostic.ts';
import { renderDiagnostic, toRecord } from '../../engine/text/render.ts';
import type { ParsedArguments } from './command.ts';
import { type ColorChoice, type CommandContext, type Output, type Paint, paint, terminalStyle, usesColor } from './context.ts';

/** The colours of a command's output, as the user and the terminal want them. */
export function paintFor(args: ParsedArguments, context: CommandContext, output: Output = context.out): Paint {
  return paint(usesColor((args.text('color') ?? 'auto') as ColorChoice, output, context.env));
}

/** Diagnostics as pictures, divided by empty lines. */
export function renderDiagnostics(diagnostics: readonly Diagnostic[], color: Paint): string {
  const style = terminalStyle(color);
  return diagnostics.map((diagnostic) => `${renderDiagnostic(diagnostic, style)}\n\n`).join('');
}

export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : noun.endsWith('s') ? 'es' : 's'}`;
}

export interface Counts {
  readonly errors: number;
  readonly warnings: number;
}

export function countSeverities(diagnostics: readonly Diagnostic[]): Counts {
  const errors = diagnostics.filter(isError).length;
  return { errors, warnings: diagnostics.filter(({ severity }) => severity === 'warning').length };
}

export function describeCounts({ errors, warnings }: Counts): string {
  return warnings === 0 ? plural(errors, 'error') : `${plural(errors, 'error')}, ${plural(warnings, 'warning')}`;
}

/** JSON as all commands print it: two spaces, integers beyond 2^53 with all their digits. */
export function toJson(value: unknown): string {
  return `${stringify(value, '')}\n`;
}

function stringify(value: unknown, indent: string): string {
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]';
    return `[\n${value.map((item) => `${inner}${stringify(item, inner)}`).join(',\n')}\n${indent}]`;
  }
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  if (entries.length === 0) return '{}';
  return `{\n${entries.map(([key, item]) => `${inner}${JSON.stringify(key)}: ${stringify(item, inner)}`).join(',\n')}\n${indent}}`;
}

export const toRecords = (diagnostics: readonly Diagnostic[]) => diagnostics.map(toRecord);
