import type { JsonObject } from '../../engine/object/json.ts';
import { type ClusterNode, type ClusterScene, openClusterScene, POD_NAMESPACE, podObject } from '../cni/cluster-scene.ts';
import { type Conflist, environmentOf, findPlugin, requestOf } from '../cni/conflist.ts';
import { needNamespaces, podPath } from '../cni/node.ts';
import { buildFairlead } from '../cni/program.ts';
import type { Bench, BenchContext, BenchRow } from './bench.ts';
import { percentile, relativeSpread } from './measure.ts';

const NETWORK = 'pods';
const TYPE = 'fairlead-network-policy';
/** Pods of the cluster on other nodes. */
const ELSEWHERE = 2000;
/** Pods of the node that are there before those that are measured. */
const STANDING = 80;
const ROUNDS = 3;
/** Pods of a round, one after the other. */
const PODS = 10;
const POLICIES = [20, 200] as const;
const CREATED_AT_ONCE = 32;

/**
 * What policies cost an ADD: the rule alone, behind a plugin that has attached the pod. Each policy names every pod on both of its sides, so
 * that each pod that comes is one more that is isolated by all of them, and one more that all of them let in. The reference is the same
 * without policies.
 */
export const bench: Bench = {
  name: 'network-policy',
  description: `the ADD of a pod that every policy of a cluster of ${ELSEWHERE} pods names, beside one without policies`,
  async *run(context): AsyncIterable<BenchRow> {
    needNamespaces();
    const scene = await openClusterScene('policies', { ...context, bundles: ['network-policy'], program: await buildFairlead() });
    try {
      const node: Side = { ...scene.nodes[0], probe: scene.probe };
      await populate(scene, context);
      await node.node.addPods(Array.from({ length: STANDING + PODS }, (_, index) => podName(index)));
      await attach(node, context, 0, STANDING);
      await measure(node, context);
      const without = await measure(node, context);
      let made = 0;
      for (const count of POLICIES) {
        await inParallel(count - made, (index) => scene.create(policy(made + index)));
        made = count;
        await settled(node, count);
        const rounds = await measure(node, context);
        for (const verb of ['ADD', 'DEL'] as const) yield rowOf(`${verb} with ${count} policies`, verb, rounds, without);
      }
    } finally {
      await scene.stop();
    }
  },
};

/** The node of which ADDs are measured. */
type Side = ClusterNode & Pick<ClusterScene, 'probe'>;

const podName = (index: number): string => `pod${index}`;
const addressOf = (index: number): string => `10.244.${1 + (index >> 8)}.${index & 255}`;

function policy(index: number): JsonObject {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: `policy${index}`, namespace: POD_NAMESPACE },
    spec: { podSelector: {}, ingress: [{ from: [{ podSelector: {} }], ports: [{ port: 1000 + index }] }] },
  };
}

async function inParallel(count: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: CREATED_AT_ONCE }, worker));
}

async function populate(scene: ClusterScene, { log, signal }: BenchContext): Promise<void> {
  log(`creating ${ELSEWHERE} pods`);
  const own = STANDING + PODS;
  await inParallel(own + ELSEWHERE, async (index) => {
    signal.throwIfAborted();
    const pod = podObject(podName(index), { app: `app${index % 50}` });
    await scene.create(index < own ? pod : { ...pod, status: { phase: 'Running', podIP: addressOf(index) } });
  });
}

/** Waits until the node has as many policies: what changes in a cluster is on its nodes a moment later. */
async function settled({ node }: ClusterNode, count: number): Promise<void> {
  for (let turn = 0; turn < 600; turn++) {
    const chains = await node.expect('nft', ['list', 'chains']);
    if ((chains.match(/chain policy-\S*policy\d/g) ?? []).length >= count) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`the node does not get its ${count} policies`);
}

interface Round {
  readonly ADD: readonly number[];
  readonly DEL: readonly number[];
}

async function measure(node: Side, context: BenchContext): Promise<readonly Round[]> {
  const rounds: Round[] = [];
  for (let round = 0; round < ROUNDS && !context.signal.aborted; round++) {
    rounds.push({ ADD: await attach(node, context, STANDING, PODS), DEL: await detach(node, STANDING, PODS) });
  }
  return rounds;
}

/** Milliseconds of each. */
const attach = (node: Side, { log }: BenchContext, from: number, count: number): Promise<readonly number[]> => {
  if (count > PODS) log(`attaching ${count} pods`);
  return call(node, 'ADD', from, count);
};
const detach = (node: Side, from: number, count: number): Promise<readonly number[]> => call(node, 'DEL', from, count);

async function call({ node, plugins, probe }: Side, verb: 'ADD' | 'DEL', from: number, count: number): Promise<readonly number[]> {
  const list: Conflist = { cniVersion: '1.1.0', name: NETWORK, plugins: [{ type: TYPE, bridged: false }] };
  const results = await probe.calls(
    node,
    Array.from({ length: count }, (_, index) => {
      const name = podName(from + index);
      const args = `IgnoreUnknown=1;K8S_POD_NAMESPACE=${POD_NAMESPACE};K8S_POD_NAME=${name}`;
      const interfaces = [{ name: 'eth0', sandbox: podPath(name) }];
      const prevResult = { cniVersion: '1.1.0', interfaces, ips: [{ address: `${addressOf(from + index)}/16`, interface: 0 }] };
      return {
        path: findPlugin(plugins.path, TYPE),
        env: environmentOf({ command: verb, containerId: name, netns: podPath(name), path: plugins.path, args }),
        stdin: requestOf(list, list.plugins[0]!, { prevResult }),
        wave: index,
      };
    }),
  );
  for (const { exitCode, stdout, stderr } of results)
    if (exitCode !== 0) throw new Error(`${verb} ended with ${exitCode}: ${stdout}${stderr}`);
  return results.map(({ nanoseconds }) => nanoseconds / 1e6);
}

function rowOf(name: string, verb: keyof Round, rounds: readonly Round[], without: readonly Round[]): BenchRow {
  const medianOf = (each: Round): number => percentile(each[verb], 0.5);
  const all = (side: readonly Round[]): readonly number[] => side.flatMap((each) => each[verb]);
  return {
    name: `${name}, median`,
    unit: 'ms',
    ours: percentile(all(rounds), 0.5),
    reference: { name: 'no policies', value: percentile(all(without), 0.5) },
    spread: relativeSpread(rounds.map(medianOf)),
    better: 'lower',
  };
}
