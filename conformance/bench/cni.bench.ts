import { type Conflist, environmentOf, findPlugin, requestOf } from '../cni/conflist.ts';
import { needNamespaces, podPath } from '../cni/node.ts';
import { fairleadPlugins, official, type PluginSet } from '../cni/plugin-set.ts';
import type { PluginCall, PluginCalled } from '../cni/probe.ts';
import { openScene, type Scene } from '../cni/scene.ts';
import type { Bench, BenchRow } from './bench.ts';
import { percentile, relativeSpread } from './measure.ts';

const ROUNDS = 12;
/** Pods of a round, one after the other. */
const PODS = 10;
const AT_ONCE = 50;
const NETWORK = 'testnet';

/** The official `bridge` with `host-local` beside the rule of the library, each on a node of its own, in turns. */
export const bench: Bench = {
  name: 'cni',
  description: 'the bridge rule beside the official bridge with host-local, executed as a container runtime executes plugins',
  async *run({ log, signal }): AsyncIterable<BenchRow> {
    needNamespaces();
    const sides: Side[] = [];
    try {
      for (const plugins of [fairleadPlugins(), official]) sides.push(await openSide(plugins, { log, signal }));
      const [ours, theirs] = sides as [Side, Side];
      for (const side of sides) await playRound(side, 2);
      const rounds: { readonly ours: Round; readonly theirs: Round }[] = [];
      for (let round = 0; round < ROUNDS && !signal.aborted; round++) {
        // Who goes first changes, so that neither always follows the other's leftovers.
        const first = round % 2 === 0 ? await playRound(ours, PODS) : undefined;
        const other = await playRound(theirs, PODS);
        rounds.push({ ours: first ?? (await playRound(ours, PODS)), theirs: other });
      }
      yield* rowsOf(rounds);
      const together = { ours: [] as number[], theirs: [] as number[] };
      for (let round = 0; round < 4 && !signal.aborted; round++) {
        together.theirs.push(await attachAtOnce(theirs));
        together.ours.push(await attachAtOnce(ours));
      }
      yield {
        name: `${AT_ONCE} ADDs at once, until the last has ended`,
        unit: 'ms',
        ours: percentile(together.ours, 0.5),
        reference: { name: 'official', value: percentile(together.theirs, 0.5) },
        spread: relativeSpread(together.ours.map((value, index) => value / together.theirs[index]!)),
        better: 'lower',
      };
    } finally {
      for (const { scene } of sides) await scene.stop();
    }
  },
};

interface Side {
  readonly scene: Scene;
  readonly list: Conflist;
  readonly executable: string;
}

const VERBS = ['ADD', 'CHECK', 'DEL', 'STATUS', 'VERSION'] as const;
type Verb = (typeof VERBS)[number];

/** Milliseconds of each call. */
type Round = Readonly<Record<Verb, readonly number[]>>;

async function openSide(
  plugins: PluginSet,
  options: { readonly log: (line: string) => void; readonly signal: AbortSignal },
): Promise<Side> {
  const scene = await openScene(`bench-${plugins.name}`, plugins, options);
  const ipam = { type: 'host-local', ranges: [[{ subnet: '10.1.0.0/16' }]], routes: [{ dst: '0.0.0.0/0' }] };
  const plugin = scene.plugin('bridge', { bridge: 'cni0', isGateway: true, ipam });
  for (let pod = 0; pod < AT_ONCE; pod++) await scene.node.addPod(podName(pod));
  return {
    scene,
    list: { cniVersion: '1.1.0', name: NETWORK, plugins: [plugin] },
    executable: findPlugin(scene.plugins.path, plugin.type),
  };
}

function podName(index: number): string {
  return `pod${index}`;
}

function call({ scene, list, executable }: Side, verb: Verb, pod: number, wave: number, prevResult?: unknown): PluginCall {
  const containerId = `container-${pod}`;
  return {
    path: executable,
    env: environmentOf({ command: verb, containerId, netns: podPath(podName(pod)), path: scene.plugins.path }),
    stdin: requestOf(list, list.plugins[0]!, prevResult === undefined ? {} : { prevResult }),
    wave,
  };
}

async function execute(side: Side, calls: readonly PluginCall[]): Promise<readonly PluginCalled[]> {
  const results = await side.scene.probe.calls(side.scene.node, calls);
  for (const { exitCode, stdout, stderr } of results) {
    if (exitCode !== 0) throw new Error(`${side.executable} ended with ${exitCode}: ${stdout}${stderr}`);
  }
  return results;
}

function milliseconds(results: readonly PluginCalled[]): number[] {
  return results.map(({ nanoseconds }) => nanoseconds / 1e6);
}

async function playRound(side: Side, pods: number): Promise<Round> {
  const indexes = Array.from({ length: pods }, (_, index) => index);
  const added = await execute(
    side,
    indexes.map((pod) => call(side, 'ADD', pod, pod)),
  );
  const results = added.map(({ stdout }) => JSON.parse(stdout) as unknown);
  const checked = await execute(
    side,
    indexes.map((pod) => call(side, 'CHECK', pod, pod, results[pod])),
  );
  const asked = await execute(
    side,
    indexes.map((pod) => call(side, 'STATUS', pod, pod)),
  );
  const answered = await execute(
    side,
    indexes.map((pod) => call(side, 'VERSION', pod, pod)),
  );
  const deleted = await execute(
    side,
    indexes.map((pod) => call(side, 'DEL', pod, pod, results[pod])),
  );
  return {
    ADD: milliseconds(added),
    CHECK: milliseconds(checked),
    DEL: milliseconds(deleted),
    STATUS: milliseconds(asked),
    VERSION: milliseconds(answered),
  };
}

/** Milliseconds from the first start to the last end. */
async function attachAtOnce(side: Side): Promise<number> {
  const indexes = Array.from({ length: AT_ONCE }, (_, index) => index);
  const added = await execute(
    side,
    indexes.map((pod) => call(side, 'ADD', pod, 0)),
  );
  await execute(
    side,
    indexes.map((pod) => call(side, 'DEL', pod, pod, JSON.parse(added[pod]!.stdout))),
  );
  return Math.max(...added.map(({ began, nanoseconds }) => began + nanoseconds)) / 1e6;
}

const GOALS: readonly { readonly verb: Verb; readonly fraction: number; readonly name: string; readonly goal?: string }[] = [
  { verb: 'ADD', fraction: 0.5, name: 'ADD, median', goal: 'at most half' },
  { verb: 'ADD', fraction: 0.99, name: 'ADD, 99th percentile', goal: 'at most half' },
  { verb: 'DEL', fraction: 0.5, name: 'DEL, median', goal: 'at most half' },
  { verb: 'DEL', fraction: 0.99, name: 'DEL, 99th percentile', goal: 'at most half' },
  { verb: 'CHECK', fraction: 0.5, name: 'CHECK, median' },
  { verb: 'STATUS', fraction: 0.5, name: 'STATUS, median', goal: 'at most 3 ms' },
  { verb: 'STATUS', fraction: 0.99, name: 'STATUS, 99th percentile' },
  { verb: 'VERSION', fraction: 0.5, name: 'VERSION, median: the executable alone' },
];

function* rowsOf(rounds: readonly { readonly ours: Round; readonly theirs: Round }[]): Generator<BenchRow> {
  for (const { verb, fraction, name, goal } of GOALS) {
    const all = (side: 'ours' | 'theirs'): number[] => rounds.flatMap((round) => round[side][verb]);
    yield {
      name,
      unit: 'ms',
      ours: percentile(all('ours'), fraction),
      reference: { name: 'official', value: percentile(all('theirs'), fraction) },
      spread: relativeSpread(rounds.map(({ ours, theirs }) => percentile(ours[verb], 0.5) / percentile(theirs[verb], 0.5))),
      better: 'lower',
      ...(goal === undefined ? {} : { goal }),
    };
  }
}
