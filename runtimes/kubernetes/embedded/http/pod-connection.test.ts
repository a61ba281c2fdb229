import { afterEach, beforeEach, expect, it } from 'vitest';
import { type EmbeddedServer, startEmbeddedServer } from '../server.ts';

let server: EmbeddedServer;
beforeEach(async () => {
  server = await startEmbeddedServer();
});
afterEach(() => server.close());

const PODS = '/api/v1/namespaces/default/pods';
const make = (name: string, spec: object): Promise<Response> =>
  fetch(`${server.url}${PODS}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ metadata: { name }, spec: { containers: [{ name: 'c', image: 'c' }], ...spec } }),
  });

it.each<readonly [string, number, string]>([
  ['none/log', 404, 'pods \\"none\\" not found'],
  ['waiting/log', 204, ''],
  ['placed/log', 501, 'no containers run here: there is nothing behind pods/log'],
  ['placed/exec', 501, 'no containers run here: there is nothing behind pods/exec'],
])('%s answers %i', async (path, code, text) => {
  await make('waiting', {});
  await make('placed', { nodeName: 'a' });
  const answer = await fetch(`${server.url}${PODS}/${path}`);
  expect(answer.status).toBe(code);
  expect(await answer.text()).toContain(text);
});
