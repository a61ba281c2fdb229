import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

let text: string | undefined;

/** `#AdmissionRule` and the rest, which CUE sources may use without an import; empty where the package's schemas are missing. */
export function cueDefinitions(): string {
  text ??= read();
  return text;
}

function read(): string {
  // The sources and dist/ lie at different depths below the package.
  const here = import.meta.url;
  for (let folder = dirname(here.startsWith('file:') ? fileURLToPath(here) : here), up = dirname(folder); ; folder = up, up = dirname(up)) {
    const file = join(folder, 'schemas/cue/fairlead.cue');
    if (existsSync(file)) return readFileSync(file, 'utf8');
    if (up === folder) return '';
  }
}
