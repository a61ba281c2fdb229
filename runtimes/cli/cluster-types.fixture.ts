import { createServer } from 'node:http';

/** A server on loopback that answers some paths, queries included: text as text, anything else as JSON; 404 to the rest. */
export async function listenOnLoopback(
  answers: Readonly<Record<string, unknown>>,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const known = new Map(Object.entries(answers));
  const server = createServer((request, response) => {
    const answer = known.get(request.url ?? '');
    if (answer === undefined) response.writeHead(404, { 'content-type': 'application/json' }).end('{"kind":"Status","code":404}');
    else if (typeof answer === 'string') response.writeHead(200, { 'content-type': 'text/plain' }).end(answer);
    else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
