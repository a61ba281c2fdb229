import type { Source } from './diagnostic.ts';
import { DiagnosticList } from './diagnostic-list.ts';
import { parseJson } from './json.ts';
import type { TextLimits } from './limits.ts';
import type { ParsedText } from './yaml.ts';

/** Something that evaluates CUE: a `cue` binary, or CUE compiled to WebAssembly. */
export interface CueBackend {
  /** What diagnostics and users call it: `cue v0.17.1 (/usr/bin/cue)`, `cue-wasm (CUE 0.4.3)`. */
  readonly name: string;
  /** Evaluates one self-contained CUE text to concrete data. Never throws for a mistake in the text. */
  evaluate(text: string): Promise<CueResult>;
}

export type CueResult = { readonly ok: true; readonly json: string } | { readonly ok: false; readonly errors: readonly CueError[] };

export interface CueError {
  readonly message: string;
  /** From 1, as CUE counts: columns are bytes of UTF-8. Absent where the back end gives none. */
  readonly line?: number;
  readonly column?: number;
}

/** Evaluates a CUE source and reads what it stands for. */
export async function readCue(source: Source, backend: CueBackend | undefined, limits: TextLimits): Promise<ParsedText> {
  const report = new DiagnosticList(source, limits.maxDiagnostics);
  if (backend === undefined) {
    report.add('cue-unavailable', 'nothing here can evaluate CUE', undefined);
    return { documents: [], diagnostics: report.finish() };
  }
  const result = await backend.evaluate(source.text);
  if (!result.ok) {
    for (const error of result.errors) report.add('cue-invalid', error.message, undefined);
    return { documents: [], diagnostics: report.finish() };
  }
  return parseJson({ name: source.name, text: result.json }, limits);
}
