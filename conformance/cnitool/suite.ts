import { inParallel } from '../apiserver-admission/pool.ts';
import { openClusterScene } from '../cni/cluster-scene.ts';
import { needNamespaces } from '../cni/node.ts';
import type { PluginSet } from '../cni/plugin-set.ts';
import { pluginsUnderTest } from '../cni/plugins-under-test.ts';
import { buildFairlead } from '../cni/program.ts';
import { openScene, RuleMissing } from '../cni/scene.ts';
import { type CaseResult, type Suite, type SuiteContext, SuiteUnavailable } from '../suite.ts';
import type { CniCase } from './case.ts';
import { allCases } from './cases/all.ts';
import { type ClusterCase, clusterCases } from './cases/cluster.ts';
import { dualStackCases } from './cases/dual-stack.ts';
import { stride } from './cases/faults.ts';
import { multiNetworkCases } from './cases/multi-network.ts';

/** Plays wait more than they work. */
const PARALLEL = 4;

/** The official cnitool calls our plugins, on a node of its own for each case. */
export const suite: Suite = {
  name: 'cnitool',
  description: 'network rules as CNI plugins, called by the official cnitool in real namespaces',
  async *run(context): AsyncIterable<CaseResult> {
    needNamespaces(['conntrack']);
    const plugins = pluginsUnderTest();
    const every = stride();
    if (every > 1) context.log(`the daemon dies at one of ${every} points; without FAIRLEAD_CNITOOL_EVERY at all`);
    const wanted = allCases.filter(({ name }) => context.wanted(name));
    const together = wanted.filter(({ alone }) => alone !== true);
    yield* await inParallel(together, PARALLEL, (each, index) => playCase(context, each, `c${index}`, plugins));
    for (const [index, each] of wanted.filter(({ alone }) => alone === true).entries()) {
      yield await playCase(context, each, `a${index}`, plugins);
    }
    yield* playClusterCases(context, plugins);
  },
};

async function* playClusterCases(context: SuiteContext, plugins: PluginSet): AsyncIterable<CaseResult> {
  const wanted = [...clusterCases, ...dualStackCases, ...multiNetworkCases].filter(({ name }) => context.wanted(name));
  if (plugins.name === 'official' || wanted.length === 0) {
    for (const { name } of wanted) yield { name, outcome: 'skipped', reason: 'official plugins know of no cluster' };
    return;
  }
  const program = await buildFairlead();
  for (const [index, each] of wanted.entries()) yield await playClusterCase(context, each, `n${index}`, program);
}

async function playClusterCase(
  { log, signal }: SuiteContext,
  { name, bundles, play }: ClusterCase,
  node: string,
  program: string,
): Promise<CaseResult> {
  const scene = await openClusterScene(node, { log, signal, bundles, program });
  try {
    await play(scene);
    return { name, outcome: 'passed' };
  } catch (error) {
    if (error instanceof SuiteUnavailable) throw error;
    const message = error instanceof Error ? error.message : String(error);
    const logs = scene.nodes.map(({ name: which, plugins: { daemon } }) => {
      const lines = daemon?.process.log().trimEnd().split('\n').slice(-6) ?? [];
      return `${which}:\n${lines.join('\n')}`;
    });
    return { name, outcome: 'failed', reason: `${message}\nlast words of the daemons:\n${logs.join('\n')}` };
  } finally {
    await scene.stop();
  }
}

async function playCase(
  context: SuiteContext,
  { name, notOfficial, prepare, rules, play }: CniCase,
  node: string,
  plugins: PluginSet,
): Promise<CaseResult> {
  if (plugins.name === 'official' && notOfficial !== undefined) return { name, outcome: 'skipped', reason: notOfficial };
  const scene = await openScene(node, plugins, {
    log: context.log,
    signal: context.signal,
    ...(prepare ? { prepare } : {}),
    ...(rules ? { rules } : {}),
  });
  try {
    await play(scene);
    return { name, outcome: 'passed' };
  } catch (error) {
    if (error instanceof SuiteUnavailable) throw error;
    if (error instanceof RuleMissing) return { name, outcome: 'skipped', reason: error.message };
    const log = scene.plugins.daemon?.process.log().trimEnd().split('\n').slice(-8).join('\n');
    const message = error instanceof Error ? error.message : String(error);
    return { name, outcome: 'failed', reason: log ? `${message}\nthe daemon's last words:\n${log}` : message };
  } finally {
    await scene.stop();
  }
}
