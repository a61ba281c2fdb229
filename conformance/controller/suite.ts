import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { KubernetesClient } from '../../runtimes/kubernetes/client.ts';
import type { CaseResult, Suite, SuiteContext } from '../suite.ts';
import { asServiceAccount, withoutOneVerb } from './access-cases.ts';
import { behaviour, workload } from './behaviour.ts';
import { type LibraryBundle, libraryBundles } from './library.ts';
import { judgeLibrary, type LibraryOutcome, performLibrary } from './library-cases.ts';
import { Person } from './person.ts';
import { type ControlledServer, startEmbedded, startReal } from './servers.ts';

/** The controller on a real API server and on the embedded one. */
export const suite: Suite = {
  name: 'controller',
  description:
    'the controller on kube-apiserver with the controllers of Kubernetes, and on the embedded server: the library, faults, access',
  async *run(context: SuiteContext): AsyncIterable<CaseResult> {
    const bundles = await libraryBundles();
    const store = await secretStore();
    const [real, embedded] = await Promise.all([
      perform(await startReal(context), bundles, store.url),
      perform(await startEmbedded(), bundles, store.url),
    ]);
    await store.close();
    yield* judgeLibrary(bundles, real.library, embedded.library);
    yield* real.results;
    yield* embedded.results;
  },
};

interface Performance {
  readonly library: LibraryOutcome;
  readonly results: readonly CaseResult[];
}

async function perform(server: ControlledServer, bundles: readonly LibraryBundle[], store: string): Promise<Performance> {
  const adminClient = server.connect();
  const admin = new Person(adminClient);
  let client: KubernetesClient | undefined;
  try {
    client = await asServiceAccount(server, admin);
    const library = await performLibrary(bundles, client, admin, store);
    const results: CaseResult[] = [];
    try {
      const { missingAccess } = library.controller.status();
      const name = `${server.name}, what --print-rbac prints is enough`;
      results.push(
        missingAccess.length === 0 ? { name, outcome: 'passed' } : { name, outcome: 'failed', reason: missingAccess.join('\n') },
      );
      results.push(...(await workload(server, admin)), ...(await behaviour(server, admin)));
    } finally {
      await library.controller.stop();
    }
    results.push(await withoutOneVerb(server, admin, client, bundles));
    return { library, results };
  } finally {
    client?.close();
    adminClient.close();
    await server.stop();
  }
}

/** Answers every key with a value, for those who show the token of the examples. */
async function secretStore(): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    const isKnown = request.headers.authorization === 'Bearer secret';
    response.writeHead(isKnown ? 200 : 401, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(isKnown ? { value: `value of ${request.url}` } : {}));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () => new Promise((resolve) => void server.close(() => resolve())),
  };
}
