/**
 * For measuring clients: a server of pods in a process of its own, which does as little as it can. A list, plain or streaming,
 * answers `initial` pods; a watch sends `events` changes of them at once, and then nothing more. Its port is the message it sends.
 */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { podAt } from './watch-pods.ts';

const [initial = 0, events = 0] = process.argv.slice(2).map(Number);
/** Changes are sent in pieces of the size that sockets deliver. */
const PIECE = 64 * 1024;

const line = (type: string, object: unknown): string => `${JSON.stringify({ type, object })}\n`;
const version = { resourceVersion: '90000' };
const pods = Array.from({ length: initial }, (_, index) => podAt(index));
const list = Buffer.from(
  JSON.stringify({ kind: 'PodList', apiVersion: 'v1', metadata: version, items: pods.map(({ kind: _, apiVersion: __, ...pod }) => pod) }),
);
const bookmark = line('BOOKMARK', {
  kind: 'Pod',
  apiVersion: 'v1',
  metadata: { ...version, annotations: { 'k8s.io/initial-events-end': 'true' } },
});
const streamed = Buffer.from(pods.map((pod) => line('ADDED', pod)).join('') + bookmark);
const changes = Buffer.from(Array.from({ length: events }, (_, index) => line('ADDED', podAt(index))).join(''));

function sendPieces(response: ServerResponse, bytes: Buffer, from = 0): void {
  for (let at = from; at < bytes.length; at += PIECE) {
    if (response.write(bytes.subarray(at, at + PIECE))) continue;
    response.once('drain', () => sendPieces(response, bytes, at + PIECE));
    return;
  }
}

const server = createServer((request, response) => {
  const { searchParams } = new URL(request.url!, 'http://server');
  response.writeHead(200, { 'content-type': 'application/json' });
  response.flushHeaders();
  if (!searchParams.has('watch')) response.end(list);
  else sendPieces(response, searchParams.get('sendInitialEvents') === 'true' ? streamed : changes);
});
server.listen(0, '127.0.0.1', () => process.send!((server.address() as AddressInfo).port));
process.on('disconnect', () => process.exit());
