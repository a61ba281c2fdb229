/**
 * A load generator of its own process: keep-alive TLS connections that send one prepared request again and again, one at a
 * time per connection. It reads answers only as far as needed, so that the server, not the generator, is the narrow place.
 */
import { connect, type TLSSocket } from 'node:tls';

/** Asks for one round over connections that stay open for the next. */
export interface LoadOrder {
  readonly port: number;
  readonly ca: string;
  /** The whole request, head and body. */
  readonly request: string;
  readonly connections: number;
  /** How long to go on sending. */
  readonly milliseconds: number;
}

export interface LoadResult {
  readonly requests: number;
  readonly perSecond: number;
  readonly failed: number;
  /** Milliseconds of the slowest of each hundred requests. */
  readonly p99: number;
}

interface Connection {
  readonly socket: TLSSocket;
  send: () => void;
  onAnswer: (ok: boolean) => void;
}

const open = new Map<number, readonly Connection[]>();

function openConnection(order: LoadOrder): Promise<Connection> {
  const request = Buffer.from(order.request);
  return new Promise((resolve, reject) => {
    const socket = connect({ port: order.port, host: '127.0.0.1', ca: order.ca, servername: 'localhost' });
    const connection: Connection = { socket, send: () => socket.write(request), onAnswer: () => {} };
    let partial: Buffer | undefined;
    socket.setNoDelay(true);
    socket.once('secureConnect', () => resolve(connection));
    socket.on('error', reject);
    socket.on('close', () => {
      process.stderr.write('load generator: the server closed a connection\n');
      process.exit(1);
    });
    socket.on('data', (chunk: Buffer) => {
      const data = partial === undefined ? chunk : Buffer.concat([partial, chunk]);
      const end = data.indexOf('\r\n\r\n');
      const length = end === -1 ? undefined : /content-length: (\d+)/i.exec(data.toString('latin1', 0, end))?.[1];
      if (length === undefined || data.length < end + 4 + Number(length)) {
        partial = data;
        return;
      }
      partial = undefined;
      connection.onAnswer(data.toString('latin1', 9, 12) === '200');
    });
  });
}

async function run(order: LoadOrder): Promise<LoadResult> {
  let connections = open.get(order.port);
  if (connections === undefined) {
    connections = await Promise.all(Array.from({ length: order.connections }, () => openConnection(order)));
    open.set(order.port, connections);
  }
  const times: number[] = [];
  let failed = 0;
  // A sleeping reader makes each of the server's writes wake a processor, which on a virtual machine costs as much as all the
  // rest of a request, and only the slower server would pay it. So the generator stays awake while a round lasts.
  let running = true;
  const stayAwake = (): void => {
    if (running) setImmediate(stayAwake);
  };
  stayAwake();
  const started = performance.now();
  const end = started + order.milliseconds;
  await Promise.all(
    connections.map(
      (connection) =>
        new Promise<void>((resolve) => {
          let sentAt = performance.now();
          connection.onAnswer = (ok) => {
            const now = performance.now();
            times.push(now - sentAt);
            if (!ok) failed++;
            if (now >= end) {
              resolve();
              return;
            }
            sentAt = now;
            connection.send();
          };
          connection.send();
        }),
    ),
  );
  running = false;
  const seconds = (performance.now() - started) / 1000;
  times.sort((a, b) => a - b);
  return { requests: times.length, perSecond: times.length / seconds, failed, p99: times[Math.floor(times.length * 0.99)]! };
}

process.on('message', (order: LoadOrder) => {
  run(order).then(
    (result) => process.send!(result),
    (error: unknown) => {
      process.stderr.write(`load generator: ${error instanceof Error ? error.message : error}\n`);
      process.exit(1);
    },
  );
});
