import { appendFileSync, existsSync } from 'node:fs';
import { compileBundle } from '../../engine/bundle/compile.ts';
import { startNetworkDaemon } from '../../runtimes/cni/daemon.ts';
import { readBundle } from '../../runtimes/host/bundle-files.ts';
import { fixedBundle } from '../../runtimes/host/bundle-watch.ts';

/*
 * The daemon of a node, which kills itself at a point where it may die: a program of its own for fault injection.
 *
 *     MORTAL_SOCKET, MORTAL_STATE   as of `fairlead cni serve`
 *     MORTAL_RULES                  a bundle folder
 *     MORTAL_ARMED                  points are counted while there is a file of this name
 *     MORTAL_POINTS                 file to which the name of each counted point is written
 *     MORTAL_AT                     number of the point at which it dies, from 1; 0: never
 */

function setting(name: string): string {
  const value = process.env[`MORTAL_${name}`];
  if (value === undefined) throw new Error(`MORTAL_${name} is not set`);
  return value;
}

const [armed, points, at] = [setting('ARMED'), setting('POINTS'), Number(setting('AT'))];
let counted = 0;

function crashPoint(name: string): void {
  if (!existsSync(armed)) return;
  counted++;
  appendFileSync(points, `${name}\n`);
  if (counted !== at) return;
  process.kill(process.pid, 'SIGKILL');
  // The signal is for this thread, too, but nothing may be done until it comes.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10_000);
}

const { name, documents, diagnostics } = await readBundle(setting('RULES'), { cwd: process.cwd(), stdin: async () => Buffer.alloc(0) });
const bundle = fixedBundle(compileBundle(documents, { name, diagnostics }));
const daemon = await startNetworkDaemon({ bundle, socketPath: setting('SOCKET'), stateFolder: setting('STATE'), crashPoint });
process.stdout.write('serving networks\n');
process.once('SIGTERM', () => void daemon.close({ grace: 5000 }).then(() => process.exit(0)));
