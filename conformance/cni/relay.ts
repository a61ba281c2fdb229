import { createConnection, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import type { NetworkNode } from './node.ts';
import type { Probe } from './probe.ts';

/**
 * Lets a node, which is in a network of its own, reach a server on this machine's loopback: at the same port of its own, or where `at` says,
 * an address and a port.
 */
export async function relayLoopback(
  node: NetworkNode,
  probe: Probe,
  port: number,
  at = `127.0.0.1:${port}`,
): Promise<{ stop(): Promise<void> }> {
  // A socket in the file system has no network.
  const path = join(node.folder, `loopback-${at.replace(':', '-')}.sock`);
  const open = new Set<Socket>();
  const server = createServer((near) => {
    const far = createConnection({ host: '127.0.0.1', port });
    for (const [each, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(each);
      each.on('error', () => other.destroy());
      each.on('close', () => open.delete(each));
    }
    near.pipe(far).pipe(near);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  await node.start('relay', probe.path, ['forward', at, path], { readyText: 'ready' });
  return {
    async stop() {
      for (const each of open) each.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
