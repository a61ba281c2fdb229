import { createServer } from 'node:http';

/** A secret store on this machine: `GET /kv/<key>` with the right token answers a value. */
export interface SecretStore {
  /** `http://127.0.0.1:<port>/kv` */
  readonly url: string;
  /** `127.0.0.1:<port>` */
  readonly host: string;
  /** Requests answered so far. */
  count(): number;
  close(): Promise<void>;
}

export async function startSecretStore(token: string): Promise<SecretStore> {
  let answered = 0;
  const server = createServer((request, response) => {
    answered++;
    if (request.headers.authorization !== `Bearer ${token}`) {
      response.writeHead(401).end();
      return;
    }
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ value: `value of ${request.url}` }));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const host = `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  return {
    url: `http://${host}/kv`,
    host,
    count: () => answered,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
