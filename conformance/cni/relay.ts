import { createConnection, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import type { NetworkNode } from './node.ts';
import type { Probe } from './probe.ts';

/** Lets a node reach a server on this machine's loopback at the same port of its own. Close what is answered. */
export async function relayLoopback(node: NetworkNode, probe: Probe, port: number): Promise<Server> {
  const path = join(node.folder, `loopback-${port}.sock`);
  const server = createServer((near) => {
    const far = createConnection({ host: '127.0.0.1', port });
    for (const each of [near, far]) {
      each.on('error', () => {
        for (const other of [near, far]) other.destroy();
      });
    }
    near.pipe(far).pipe(near);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  await node.start('relay', probe.path, ['forward', `127.0.0.1:${port}`, path], { readyText: 'ready' });
  return server;
}
