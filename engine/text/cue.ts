import { cueTextTree } from './cue-labels.ts';
import type { Source, Span } from './diagnostic.ts';
import { DiagnosticList } from './diagnostic-list.ts';
import { type Document, type DocumentPath, formatPath } from './document.ts';
import { parseJson } from './json.ts';
import { DEFAULT_LIMITS, type TextLimits } from './limits.ts';
import { lineStarts } from './position.ts';
import { lazyDocument } from './text-tree.ts';
import type { ParsedText } from './yaml.ts';

/** Something that evaluates CUE: a `cue` binary, or CUE compiled to WebAssembly. */
export interface CueBackend {
  /** What diagnostics and users call it: `cue v0.11.2`, `cue-wasm (CUE 0.4.3)`. */
  readonly name: string;
  /** Evaluates one self-contained CUE text to concrete data. Never throws for a mistake in the text, nor when time runs out. */
  evaluate(text: string): Promise<CueResult>;
}

export type CueResult = { readonly ok: true; readonly json: string } | { readonly ok: false; readonly errors: readonly CueError[] };

export interface CueError {
  readonly message: string;
  /** From 1, as CUE counts: columns are bytes of UTF-8. Absent where the back end gives none. */
  readonly line?: number;
  readonly column?: number;
}

export interface ReadCueOptions {
  readonly limits?: TextLimits;
  /** CUE text put behind the source's when it uses a definition from there: `#AdmissionRule` and the rest. */
  readonly definitions?: string;
}

/**
 * Evaluates a CUE source and reads what it stands for: an object with `kind` is one document; otherwise each item of a list, or each
 * field whose value has `kind`, is one. Positions are those of the field labels in the source; what CUE computed from elsewhere
 * is placed at the nearest label.
 */
export async function readCue(source: Source, backend: CueBackend | undefined, options: ReadCueOptions = {}): Promise<ParsedText> {
  const limits = options.limits ?? DEFAULT_LIMITS;
  const report = new DiagnosticList(source, limits.maxDiagnostics);
  const nothing = (): ParsedText => ({ documents: [], diagnostics: report.finish() });
  if (source.text.length > limits.maxLength) {
    report.add('text-too-large', `the text has ${source.text.length} characters, at most ${limits.maxLength} are read`, undefined);
    return nothing();
  }
  if (backend === undefined) {
    report.add('cue-unavailable', 'nothing here can evaluate CUE', undefined, {
      hint: 'put a cue binary on PATH, or install the package cue-wasm',
    });
    return nothing();
  }
  const tree = cueTextTree(source.text);
  const locate = lazyDocument(source, 0, undefined, () => tree).locate;
  const result = await evaluated(source.text, backend, options.definitions);
  if (!result.ok) {
    for (const error of result.errors) {
      const { path, message } = splitPath(error.message);
      const span = spanOf(source, error) ?? (path.length > 0 ? locate(path, 'key') : undefined);
      report.add('cue-invalid', message, span, {
        ...(path.length > 0 ? { path: formatPath(path) } : {}),
        hint: `says ${backend.name}`,
      });
    }
    return nothing();
  }
  const parsed = parseJson({ name: source.name, text: result.json }, limits);
  const value = parsed.documents[0]?.value;
  if (value === undefined) {
    report.add('cue-invalid', `${backend.name} did not print JSON`, undefined);
    return nothing();
  }
  const documents: Document[] = documentPaths(value).map((path, index) => {
    const whole = lazyDocument(source, index, valueAt(value, path), () => tree);
    return {
      ...whole,
      locate: (inner, part) => whole.locate([...path, ...inner], part),
      locateWithin: (inner, offset) => whole.locateWithin([...path, ...inner], offset),
    };
  });
  if (documents.length === 0) {
    report.add(
      'cue-no-documents',
      'this stands for no document: neither an object with `kind`, nor a list or fields of such objects',
      undefined,
    );
  }
  return { documents, diagnostics: report.finish() };
}

/**
 * Evaluates a text with the definitions that it uses. What does not fit a definition is taken as it is, and left to those who check documents:
 * of a step that fits none of many forms, CUE says no more than that.
 */
async function evaluated(text: string, backend: CueBackend, definitions: string | undefined): Promise<CueResult> {
  if (definitions === undefined || !usesDefinitions(text, definitions)) return backend.evaluate(text);
  const result = await backend.evaluate(`${text}\n${definitions}`);
  return result.ok ? result : backend.evaluate(`${text}\n${openDefinitions(definitions)}`);
}

/** The same definitions, which only say what kind of document each is. */
function openDefinitions(definitions: string): string {
  const blocks = definitions.split(/^(?=#\w+:)/m).filter((block) => block.startsWith('#'));
  return blocks
    .map((block) => {
      const name = /^#\w+/.exec(block)![0];
      const kind = block.match(/^\t(?:apiVersion|kind): .*$/gm);
      return kind === null ? `${name}: _\n` : `${name}: {\n${kind.join('\n')}\n\t...\n}\n`;
    })
    .join('');
}

function usesDefinitions(text: string, definitions: string): boolean {
  const defined = [...definitions.matchAll(/^(#\w+):/gm)].map((match) => match[1] as string);
  const used = defined.some((name) => new RegExp(`${name}\\b`).test(text));
  const clashes = defined.some((name) => new RegExp(`^\\s*${name}\\s*:`, 'm').test(text));
  return used && !clashes;
}

/** CUE puts the path in front of most messages: `spec.replicas: conflicting values 1 and "a"`. */
function splitPath(message: string): { readonly path: DocumentPath; readonly message: string } {
  const marshal = message.replace(/^cue: marshal error: /, '');
  const match = /^((?:#?[\w$]+|"(?:[^"\\]|\\.)*")(?:\.(?:[\w$]+|"(?:[^"\\]|\\.)*"))*): (.*)$/s.exec(marshal);
  if (match === null) return { path: [], message: marshal };
  const path = [...(match[1] as string).matchAll(/"(?:[^"\\]|\\.)*"|#?[\w$]+/g)].map(([label]) => {
    if (label.startsWith('"')) return JSON.parse(label) as string;
    return /^[0-9]+$/.test(label) ? Number(label) : label;
  });
  // A path that starts in a definition is not one into the document.
  return String(path[0]).startsWith('#') ? { path: path.slice(1), message: marshal } : { path, message: match[2] as string };
}

function spanOf(source: Source, { line, column }: CueError): Span | undefined {
  const start = line === undefined ? undefined : lineStarts(source)[line - 1];
  if (start === undefined) return undefined;
  let offset = start;
  for (let bytes = (column ?? 1) - 1; bytes > 0 && offset < source.text.length; ) {
    const code = source.text.codePointAt(offset) ?? 0;
    bytes -= code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    offset += code > 0xffff ? 2 : 1;
  }
  const rest = /^(?:[\w#$]+|"[^"\n]*"|[^\s])/.exec(source.text.slice(offset, offset + 200))?.[0] ?? '';
  return { start: offset, end: offset + rest.length };
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const isDocument = (value: unknown): boolean => isObject(value) && Object.hasOwn(value, 'kind');

function documentPaths(value: unknown): DocumentPath[] {
  if (isDocument(value)) return [[]];
  if (Array.isArray(value)) return value.map((_, i) => [i]);
  if (!isObject(value)) return [];
  return Object.keys(value)
    .filter((key) => isDocument(value[key]))
    .map((key) => [key]);
}

function valueAt(value: unknown, path: DocumentPath): unknown {
  return path.reduce<unknown>((part, segment) => (part as Record<string | number, unknown>)[segment], value);
}
