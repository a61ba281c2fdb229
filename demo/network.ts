import { styleText } from 'node:util';
import { combineBundles } from '../runtimes/cli/combine-bundles.ts';
import { planInvocations } from '../runtimes/cli/plan-recorded.ts';
import { readRecording } from '../runtimes/host/recording.ts';
import type { Library } from './library.ts';
import type { Narrator } from './reconcile.ts';

export interface NetworkSummary {
  readonly steps: number;
  /** What a host that has nothing would be changed by: lines of ip, transactions of nft, kernel parameters. */
  readonly changes: number;
}

/** The network rules of the library before they touch a kernel: what recorded calls of a container runtime would do. Throws where one fails. */
export async function showNetwork(library: Library, invocations: string, { heading, line }: Narrator): Promise<NetworkSummary> {
  heading('7  Networks');
  line(
    `CNI plugins: ${library.compiled
      .flatMap(({ program }) => program?.network.rules ?? [])
      .map(({ name }) => name)
      .join(', ')}`,
  );
  const { program } = combineBundles(library.compiled);
  if (program === undefined) throw new Error('the library has no network rules');
  const { objects } = await readRecording([invocations]);
  const planned = planInvocations(program.network, objects, { objects: [], node: '' });
  let steps = 0;
  let changes = 0;
  for (const { request, fault, steps: performed, result } of planned) {
    if (request === undefined || fault !== undefined || result === undefined) throw new Error(`a recorded call fails: ${fault?.msg}`);
    const { K8S_POD_NAMESPACE: namespace, K8S_POD_NAME: pod } = request.args;
    line(`${styleText('bold', request.command)} ${request.ifName} of pod ${namespace}/${pod} to network ${request.network}`);
    for (const { operation, step, changes: effects } of performed) {
      const count = effects.reduce((sum, effect) => sum + (effect.kind === 'iproute' ? effect.commands.length : 1), 0);
      line(`  ${operation.describe(step.arguments)}`);
      steps += 1;
      changes += count;
    }
    const { ips } = result as { readonly ips: readonly { readonly address: string }[] };
    line(`  answer: ${ips.map(({ address }) => address).join(', ')}`);
  }
  return { steps, changes };
}
