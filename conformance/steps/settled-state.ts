import { readKernelState } from '../cni/kernel-state.ts';
import type { NetworkNode } from '../cni/node.ts';

/** What changes by itself, or from one reading to the next. */
const RESTLESS = new Set([
  'stats',
  'stats64',
  'packets',
  'bytes',
  'hello_timer',
  'gc_timer',
  'tcn_timer',
  'topology_change_timer',
  'handle',
]);

/** Everything that steps may change in a node, one fact a line, to be compared. Files are those below `/run/flb`. */
export async function readState(node: NetworkNode, pods: readonly string[]): Promise<readonly string[]> {
  const state = await readKernelState(node, { pods, folders: ['/run/flb'] });
  const lines: string[] = [];
  const network = (place: string, parts: object): void => {
    for (const [part, value] of Object.entries(parts)) {
      const rows = Array.isArray(value)
        ? value
        : String(value)
            .split('\n')
            .filter((line) => line !== '' && !line.startsWith('#'));
      for (const row of rows) lines.push(`${place} ${part}: ${typeof row === 'string' ? row : JSON.stringify(row, calm)}`);
    }
  };
  network('node', state.node);
  for (const [pod, parts] of Object.entries(state.pods)) network(pod, parts);
  for (const [path, text] of Object.entries(state.files)) lines.push(`file ${path}: ${text}`);
  const folders = await node.expect('find', ['/run/flb', '-type', 'd']);
  lines.push(
    ...folders
      .trim()
      .split('\n')
      .map((path) => `folder ${path}`),
  );
  return lines.sort();
}

const calm = (key: string, value: unknown): unknown => (RESTLESS.has(key) ? undefined : value);

/** What is in one and not in the other, in a few lines; undefined where they are the same. */
export function difference(before: readonly string[], after: readonly string[]): string | undefined {
  const [had, has] = [new Set(before), new Set(after)];
  const lines = [
    ...before.filter((line) => !has.has(line)).map((line) => `gone: ${line}`),
    ...after.filter((line) => !had.has(line)).map((line) => `left: ${line}`),
  ];
  return lines.length === 0
    ? undefined
    : lines
        .slice(0, 12)
        .map((line) => line.slice(0, 500))
        .join('\n');
}
