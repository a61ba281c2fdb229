/** Writes docs/cli.md from the commands: `node --import tsx scripts/generate-cli-reference.ts`. */
import { writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { COMMANDS } from '../runtimes/cli/commands.ts';
import { cliReference } from '../runtimes/cli/reference.ts';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
writeFileSync(join(root, 'docs/cli.md'), cliReference(COMMANDS));
