import { namespaceOf, prepareNamespace } from '../apiserver/namespace.ts';
import { inParallel } from '../apiserver-admission/pool.ts';
import type { CaseResult, Suite } from '../suite.ts';
import type { KubectlCase } from './case.ts';
import { kubectlCases } from './cases.ts';
import { type Output, runCommands } from './script.ts';
import { type KubectlServer, startEmbedded, startReal } from './servers.ts';

const PARALLEL = 3;

/** The real kubectl with the embedded API server, and with a real one: the same words. */
export const suite: Suite = {
  name: 'kubectl',
  description: 'the real kubectl: what it says of a real kube-apiserver and of the embedded server',
  async *run(context) {
    const cases = kubectlCases.filter(({ name }) => context.wanted(name));
    const servers: KubectlServer[] = [];
    try {
      const real = await startReal(context);
      servers.push(real);
      const embedded = await startEmbedded(real.kubectl.executable);
      servers.push(embedded);
      yield* await inParallel(cases, PARALLEL, (each) => compareCase(each, real, embedded));
    } finally {
      for (const server of servers) await server.stop();
    }
  },
};

async function compareCase(kubectlCase: KubectlCase, real: KubectlServer, embedded: KubectlServer): Promise<CaseResult> {
  const { name } = kubectlCase;
  const namespace = namespaceOf(name);
  const ask = async ({ admin, kubectl }: KubectlServer): Promise<readonly Output[]> => {
    await prepareNamespace(admin, namespace);
    return runCommands(kubectl, kubectlCase, namespace);
  };
  const [expected, found] = await Promise.allSettled([ask(real), ask(embedded)]);
  if (expected.status === 'rejected') return { name, outcome: 'failed', reason: `the real API server: ${expected.reason}` };
  if (found.status === 'rejected') return { name, outcome: 'failed', reason: `the embedded server: ${found.reason}` };
  const differences = compareOutputs(expected.value, found.value);
  return differences.length === 0 ? { name, outcome: 'passed' } : { name, outcome: 'failed', reason: differences.join('\n') };
}

/** Differences in words; none when both said the same. `expected` is what was said of the real API server. */
function compareOutputs(expected: readonly Output[], found: readonly Output[]): string[] {
  const differences: string[] = [];
  for (const [index, right] of expected.entries()) {
    if (right.failure !== undefined) return [`the case is wrong: kubectl ${right.command}: ${right.failure}\n${right.out}${right.errors}`];
    const wrong = found[index];
    if (wrong === undefined) return [...differences, `kubectl ${right.command}: not run`];
    const own = [
      ...(wrong.failure === undefined ? [] : [wrong.failure]),
      ...(right.exitCode === wrong.exitCode ? [] : [`exit code: expected ${right.exitCode}, found ${wrong.exitCode}`]),
      ...differentLines('', right.out, wrong.out),
      ...differentLines('error: ', right.errors, wrong.errors),
    ];
    if (own.length > 0) differences.push(`kubectl ${wrong.command}`, ...own.map((line) => `  ${line}`));
    if (wrong.failure !== undefined) return differences;
  }
  return differences;
}

const SHOWN = 12;

function differentLines(prefix: string, expected: string, found: string): string[] {
  if (expected === found) return [];
  const [left, right] = [expected.split('\n'), found.split('\n')];
  const missing = left.filter((line) => !right.includes(line)).map((line) => `${prefix}expected ${JSON.stringify(line)}`);
  const extra = right.filter((line) => !left.includes(line)).map((line) => `${prefix}found    ${JSON.stringify(line)}`);
  const lines = [...missing.slice(0, SHOWN), ...extra.slice(0, SHOWN)];
  return lines.length > 0 ? lines : [`${prefix}the same lines in another order or number`];
}
