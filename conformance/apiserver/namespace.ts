import { setTimeout as delay } from 'node:timers/promises';
import type { ApiClient } from '../cluster/client.ts';

const DEADLINE_MS = 30_000;
const POLL_MS = 50;

/** A namespace's name from a case's: the same on every server, and a word for other names too. */
export function namespaceOf(caseName: string): string {
  const words = caseName
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');
  if (words.length > 55) throw new Error(`the name of a case has at most 55 letters: ${caseName}`);
  return words;
}

/** Makes a namespace, and waits for the service account without which no pod may be made in it. */
export async function prepareNamespace(client: ApiClient, name: string): Promise<void> {
  await client.expect({ method: 'POST', path: '/api/v1/namespaces', body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name } } });
  const deadline = Date.now() + DEADLINE_MS;
  for (const path of [`/api/v1/namespaces/${name}/serviceaccounts/default`, `/api/v1/namespaces/${name}/configmaps/kube-root-ca.crt`]) {
    while ((await client.request({ path })).status !== 200) {
      if (Date.now() > deadline) throw new Error(`${path} was not there after ${DEADLINE_MS / 1000} s`);
      await delay(POLL_MS);
    }
  }
}
