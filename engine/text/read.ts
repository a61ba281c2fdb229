import type { CueBackend } from './cue.ts';
import type { Source } from './diagnostic.ts';
import { parseJson } from './json.ts';
import { DEFAULT_LIMITS, type TextLimits } from './limits.ts';
import { type ParsedText, parseYaml } from './yaml.ts';

export type TextFormat = 'yaml' | 'json' | 'cue';

/** The format a file name stands for; undefined when it is none of ours. */
export function formatOf(name: string): TextFormat | undefined {
  const extension = /\.([a-z]+)$/i.exec(name)?.[1]?.toLowerCase();
  if (extension === 'yaml' || extension === 'yml') return 'yaml';
  if (extension === 'json' || extension === 'cue') return extension;
  return undefined;
}

export interface ReadOptions {
  /** Default: by the source's name, otherwise YAML (which most JSON is, too). */
  readonly format?: TextFormat;
  readonly limits?: TextLimits;
  /** Asked for when a CUE source is met. */
  readonly cue?: () => Promise<CueBackend | undefined>;
  /** Definitions that CUE sources may use without importing them. */
  readonly cueDefinitions?: () => string;
}

/**
 * Documents of one source, whatever its format, and everything that is wrong with it: all syntax errors, not the first only.
 * What is needed only for broken YAML or for CUE is loaded then.
 */
export async function readText(source: Source, options: ReadOptions = {}): Promise<ParsedText> {
  const limits = options.limits ?? DEFAULT_LIMITS;
  switch (options.format ?? formatOf(source.name) ?? guessFormat(source.text)) {
    case 'json':
      return parseJson(source, limits);
    case 'cue': {
      const { readCue } = await import('./cue.ts');
      return readCue(source, await options.cue?.(), {
        limits,
        ...(options.cueDefinitions === undefined ? {} : { definitions: options.cueDefinitions() }),
      });
    }
    case 'yaml': {
      const parsed = parseYaml(source, limits);
      if (!parsed.diagnostics.some((diagnostic) => diagnostic.code === 'yaml-syntax')) return parsed;
      const { findYamlSyntaxErrors } = await import('./yaml-syntax.ts');
      const all = findYamlSyntaxErrors(source, limits);
      if (all.length === 0) return parsed;
      const others = parsed.diagnostics.filter((diagnostic) => diagnostic.code !== 'yaml-syntax');
      const diagnostics = [...all, ...others].toSorted((a, b) => (a.span?.start ?? -1) - (b.span?.start ?? -1));
      return { documents: parsed.documents, diagnostics };
    }
  }
}

/** Text without a name: an object or a list in JSON's strict form is JSON, everything else YAML. */
function guessFormat(text: string): TextFormat {
  return /^\s*[{[]\s*(["{[\]}]|$)/.test(text) ? 'json' : 'yaml';
}
