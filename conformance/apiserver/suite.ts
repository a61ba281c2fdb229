import { inParallel } from '../apiserver-admission/pool.ts';
import type { CaseResult, Suite, SuiteContext } from '../suite.ts';
import type { ContractCase } from './case.ts';
import { allCases } from './cases/all.ts';
import { compareAnswers } from './compare.ts';
import { namespaceOf, prepareNamespace } from './namespace.ts';
import { type Answer, runScript } from './script.ts';
import { type ContractServer, startEmbedded, startReal } from './servers.ts';

const PARALLEL = 6;

/** The same requests to the embedded API server and to a real one: the same answers. */
export const suite: Suite = {
  name: 'apiserver',
  description: 'the contract of the API: a real kube-apiserver and the embedded server side by side',
  async *run(context) {
    const cases = allCases.filter(({ name }) => context.wanted(name));
    const servers: ContractServer[] = [];
    try {
      servers.push(await startReal(context));
      servers.push(await startEmbedded());
      yield* compareServers(context, servers[0]!, servers[1]!, cases);
    } finally {
      for (const server of servers) await server.stop();
    }
  },
};

async function* compareServers(
  context: SuiteContext,
  real: ContractServer,
  embedded: ContractServer,
  cases: readonly ContractCase[],
): AsyncGenerator<CaseResult> {
  const alone = cases.filter((each) => each.alone);
  const together = cases.filter((each) => !each.alone);
  const compareOne = (each: ContractCase): Promise<CaseResult> => compareCase(context, real, embedded, each);
  for (const each of alone) yield await compareOne(each);
  yield* await inParallel(together, PARALLEL, compareOne);
}

async function compareCase(
  context: SuiteContext,
  real: ContractServer,
  embedded: ContractServer,
  contractCase: ContractCase,
): Promise<CaseResult> {
  const { name } = contractCase;
  if (context.signal.aborted) return { name, outcome: 'skipped', reason: 'interrupted' };
  const ask = async (server: ContractServer): Promise<readonly Answer[]> => {
    const namespace = namespaceOf(name);
    await prepareNamespace(server.admin, namespace);
    return runScript(server.admin, contractCase, namespace, server.patience);
  };
  const [expected, found] = await Promise.allSettled([ask(real), ask(embedded)]);
  if (expected.status === 'rejected') return { name, outcome: 'failed', reason: `the real API server: ${expected.reason}` };
  if (found.status === 'rejected') return { name, outcome: 'failed', reason: `the embedded server: ${found.reason}` };
  const differences = compareAnswers(expected.value, found.value);
  return differences.length === 0 ? { name, outcome: 'passed' } : { name, outcome: 'failed', reason: differences.join('\n') };
}
