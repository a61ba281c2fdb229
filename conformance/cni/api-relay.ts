import { createServer, connect as openConnection } from 'node:net';
import { join } from 'node:path';
import type { NetworkNode } from './node.ts';

/** In the node: connections to its loopback address go on to a socket in the file system, which has no network. */
const RELAY = `
const net = require('node:net');
const [path, port] = process.argv.slice(1);
net.createServer((from) => {
  const to = net.connect(path);
  from.pipe(to).pipe(from);
  from.on('error', () => to.destroy());
  to.on('error', () => from.destroy());
}).listen(Number(port), '127.0.0.1', () => console.log('relaying'));
`;
const PORT = 6443;

/** Lets a node, which is in a network of its own, reach an API server of this process. Answers its URL there, and what ends it. */
export async function relayApi(node: NetworkNode, port: number): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const path = join(node.folder, 'api.sock');
  const sockets = new Set<{ destroy(): void }>();
  const server = createServer((from) => {
    const to = openConnection(port, '127.0.0.1');
    for (const socket of [from, to]) {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    }
    from.pipe(to).pipe(from);
    from.on('error', () => to.destroy());
    to.on('error', () => from.destroy());
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve));
  await node.start('api', process.execPath, ['-e', RELAY, path, String(PORT)], { readyText: 'relaying' });
  return {
    url: `http://127.0.0.1:${PORT}`,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
