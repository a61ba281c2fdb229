import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { contentVersion, type GoTool } from './go-tool.ts';

const MODULE = join(dirname(fileURLToPath(import.meta.url)), 'netprobe');

/** Both ends of a connection under test, and a caller of plugins; see `netprobe/main.go`. Static: it runs in any container. */
export const netprobe: GoTool = { name: 'netprobe', version: contentVersion(MODULE), module: MODULE, packages: { netprobe: '.' } };
