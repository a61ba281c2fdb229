import { type Conflist, environmentOf, findPlugin, type PluginConf, requestOf } from '../cni/conflist.ts';
import { fairleadPlugins } from '../cni/fairlead.ts';
import { needNamespaces, podPath } from '../cni/node.ts';
import { official } from '../cni/official-plugins.ts';
import type { PluginSet } from '../cni/plugin-set.ts';
import type { PluginCall, PluginCalled } from '../cni/probe.ts';
import { openScene, type Scene } from '../cni/scene.ts';
import type { Bench, BenchRow } from './bench.ts';
import { percentile, relativeSpread } from './measure.ts';

const ROUNDS = 12;
/** Pods of a round, one after the other. */
const PODS = 10;
const AT_ONCE = 50;
/** Rounds of what has no goal of its own. */
const FEW_ROUNDS = 4;
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
      const inTurns = async <T>(rounds: number, play: (side: Side, round: number) => Promise<T>): Promise<readonly Pair<T>[]> => {
        const pairs: Pair<T>[] = [];
        for (let round = 0; round < rounds && !signal.aborted; round++) {
          // Who goes first changes, so that neither always follows the other's leftovers.
          const first = round % 2 === 0 ? await play(ours, round) : undefined;
          const other = await play(theirs, round);
          pairs.push({ ours: first ?? (await play(ours, round)), theirs: other });
        }
        return pairs;
      };
      for (const side of sides) await playRound(side, 2);
      yield* rowsOf(await inTurns(ROUNDS, (side) => playRound(side, PODS)), GOALS);
      const masquerading = (side: Side): Side => ({ ...side, plugin: { ...side.plugin, ipMasq: true } });
      for (const side of sides) await playRound(masquerading(side), 2);
      yield* rowsOf(await inTurns(ROUNDS, (side) => playRound(masquerading(side), PODS)), WITH_MASQUERADE);
      const unknown = await inTurns(FEW_ROUNDS, async (side, round) => ({ DEL: await detachUnknown(side, round) }));
      yield* rowsOf(unknown, [{ verb: 'DEL', fraction: 0.5, name: 'DEL of what was never added, median' }]);
      const together = await inTurns(FEW_ROUNDS, async (side) => ({ ADD: [await attachAtOnce(side)] }));
      yield* rowsOf(together, [{ verb: 'ADD', fraction: 0.5, name: `${AT_ONCE} ADDs at once, until the last has ended` }]);
    } finally {
      for (const { scene } of sides) await scene.stop();
    }
  },
};

interface Side {
  readonly scene: Scene;
  readonly plugin: PluginConf;
  readonly executable: string;
}

interface Pair<T> {
  readonly ours: T;
  readonly theirs: T;
}

const VERBS = ['ADD', 'CHECK', 'DEL', 'STATUS', 'VERSION'] as const;
type Verb = (typeof VERBS)[number];

/** Milliseconds of each call. */
type Round = Readonly<Record<Verb, readonly number[]>>;

async function openSide(
  plugins: PluginSet,
  options: { readonly log: (line: string) => void; readonly signal: AbortSignal },
): Promise<Side> {
  const scene = await openScene(`bench-${plugins.name}`, plugins, { ...options, rehearses: true });
  const ipam = { type: 'host-local', ranges: [[{ subnet: '10.1.0.0/16' }]], routes: [{ dst: '0.0.0.0/0' }] };
  const plugin = scene.plugin('bridge', { bridge: 'cni0', isGateway: true, ipam });
  for (let pod = 0; pod < AT_ONCE; pod++) await scene.node.addPod(podName(pod));
  return { scene, plugin, executable: findPlugin(scene.plugins.path, plugin.type) };
}

function podName(index: number): string {
  return `pod${index}`;
}

function call({ scene, plugin, executable }: Side, verb: Verb, pod: number, wave: number, prevResult?: unknown): PluginCall {
  const list: Conflist = { cniVersion: '1.1.0', name: NETWORK, plugins: [plugin] };
  const containerId = `container-${pod}`;
  return {
    path: executable,
    env: environmentOf({ command: verb, containerId, netns: podPath(podName(pod)), path: scene.plugins.path }),
    stdin: requestOf(list, plugin, prevResult === undefined ? {} : { prevResult }),
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

/** Milliseconds of DELs that nothing was added for: runtimes repeat what they are not sure of. */
async function detachUnknown(side: Side, number: number): Promise<readonly number[]> {
  return milliseconds(
    await execute(
      side,
      Array.from({ length: PODS }, (_, pod) => call(side, 'DEL', pod, pod)).map((each) => ({
        ...each,
        env: each.env.map((line) => line.replace(/^CNI_CONTAINERID=.*/, (given) => `${given}-never-${number}`)),
      })),
    ),
  );
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

interface Wanted {
  readonly verb: Verb;
  readonly fraction: number;
  readonly name: string;
  readonly goal?: string;
}

const GOALS: readonly Wanted[] = [
  { verb: 'ADD', fraction: 0.5, name: 'ADD, median', goal: 'at most half' },
  { verb: 'ADD', fraction: 0.99, name: 'ADD, 99th percentile', goal: 'at most half' },
  { verb: 'DEL', fraction: 0.5, name: 'DEL, median', goal: 'at most half' },
  { verb: 'DEL', fraction: 0.99, name: 'DEL, 99th percentile', goal: 'at most half' },
  { verb: 'CHECK', fraction: 0.5, name: 'CHECK, median' },
  { verb: 'STATUS', fraction: 0.5, name: 'STATUS, median', goal: 'at most 3 ms' },
  { verb: 'STATUS', fraction: 0.99, name: 'STATUS, 99th percentile' },
  { verb: 'VERSION', fraction: 0.5, name: 'VERSION, median: the executable alone' },
];

const WITH_MASQUERADE: readonly Wanted[] = [
  { verb: 'ADD', fraction: 0.5, name: 'ADD with ipMasq, median' },
  { verb: 'ADD', fraction: 0.99, name: 'ADD with ipMasq, 99th percentile' },
  { verb: 'DEL', fraction: 0.5, name: 'DEL with ipMasq, median' },
  { verb: 'DEL', fraction: 0.99, name: 'DEL with ipMasq, 99th percentile' },
];

function* rowsOf(rounds: readonly Pair<Partial<Round>>[], wanted: readonly Wanted[]): Generator<BenchRow> {
  for (const { verb, fraction, name, goal } of wanted) {
    const each = (round: Partial<Round>): readonly number[] => round[verb] ?? [];
    const all = (side: 'ours' | 'theirs'): number[] => rounds.flatMap((round) => each(round[side]));
    yield {
      name,
      unit: 'ms',
      ours: percentile(all('ours'), fraction),
      reference: { name: 'official', value: percentile(all('theirs'), fraction) },
      spread: relativeSpread(rounds.map(({ ours, theirs }) => percentile(each(ours), 0.5) / percentile(each(theirs), 0.5))),
      better: 'lower',
      ...(goal === undefined ? {} : { goal }),
    };
  }
}
