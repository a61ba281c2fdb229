import { setTimeout as delay } from 'node:timers/promises';
import { stringifyJson } from '../../../runtimes/host/json-body.ts';
import { messageOf } from '../../cluster/client.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import type { CaseResult, SuiteContext } from '../../suite.ts';
import type { ServedRules } from './server.ts';

const REQUESTS_PER_SECOND = 200;
const SECONDS = 10;
const SWAP_EVERY_MS = 400;
/** Most of the schedule must have been kept, or the load was not what it says. */
const LEAST_RATE = 0.9;

export const LOAD_CASE = '200 requests per second while certificate and rules are swapped';

/**
 * Sends requests at a steady rate while the certificate and the rules are replaced in turns, and looks at every answer: denied or
 * mutated as it should be, by one of the versions that were served, and no call that failed.
 */
export async function putUnderLoad(context: SuiteContext, cluster: Cluster, server: ServedRules, namespace: string): Promise<CaseResult> {
  const versions = new Set(['v0']);
  const seen = new Set<string>();
  const wrong: string[] = [];
  let swaps = 0;
  let done = false;
  const swapping = (async () => {
    while (!done) {
      if (swaps % 2 === 0) server.swapCertificate();
      else {
        const version = `v${swaps}`;
        versions.add(version);
        server.swapRules(version);
      }
      swaps++;
      await delay(SWAP_EVERY_MS);
    }
  })();

  const send = async (index: number): Promise<void> => {
    const isBad = index % 3 === 0;
    const response = await cluster.admin.request({
      method: 'POST',
      path: `/api/v1/namespaces/${namespace}/configmaps`,
      query: { dryRun: 'All' },
      body: {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: `load-${index}` },
        data: isBad ? { bad: 'yes' } : { a: String(index) },
      },
    });
    const text = isBad ? messageOf(response.body) : stringifyJson(response.body);
    const version = (
      isBad ? /AdmissionRule 'bad-data' denied request: bad data, says (v\d+)$/ : /"conformance\.example\/version":"(v\d+)"/
    ).exec(text)?.[1];
    if (response.status !== (isBad ? 403 : 201) || version === undefined || !versions.has(version))
      wrong.push(`${response.status} ${text}`);
    else seen.add(version);
  };

  const started = performance.now();
  const total = REQUESTS_PER_SECOND * SECONDS;
  const pending: Promise<void>[] = [];
  for (let index = 0; index < total && !context.signal.aborted; index++) {
    const due = started + (index * 1000) / REQUESTS_PER_SECOND;
    const wait = due - performance.now();
    if (wait > 1) await delay(wait);
    pending.push(send(index).catch((error: Error) => void wrong.push(error.message)));
  }
  await Promise.all(pending);
  const seconds = (performance.now() - started) / 1000;
  done = true;
  await swapping;
  const rate = pending.length / seconds;
  const measured = `${pending.length} requests in ${seconds.toFixed(1)} s (${rate.toFixed(0)}/s), ${swaps} swaps, ${seen.size} versions of the rules seen`;
  context.log(`${measured}, ${wrong.length} wrong`);
  const name = `webhook/${LOAD_CASE}`;
  if (wrong.length > 0) return { name, outcome: 'failed', reason: `${wrong.length} wrong of ${measured}\n${wrong.slice(0, 5).join('\n')}` };
  if (seen.size < 2) return { name, outcome: 'failed', reason: `the rules were never swapped: ${measured}\n${server.tail()}` };
  if (rate < REQUESTS_PER_SECOND * LEAST_RATE)
    return { name, outcome: 'skipped', reason: `none wrong, but this machine is too slow for the load: ${measured}` };
  return { name, outcome: 'passed' };
}
