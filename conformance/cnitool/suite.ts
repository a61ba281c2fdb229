import { inParallel } from '../apiserver-admission/pool.ts';
import { needNamespaces } from '../cni/node.ts';
import { type PluginSet, pluginsUnderTest } from '../cni/plugin-set.ts';
import { openScene, RuleMissing } from '../cni/scene.ts';
import { type CaseResult, type Suite, type SuiteContext, SuiteUnavailable } from '../suite.ts';
import type { CniCase } from './case.ts';
import { allCases } from './cases/all.ts';

/** Plays wait more than they work. */
const PARALLEL = 3;

/** The official cnitool calls our plugins, on a node of its own for each case. */
export const suite: Suite = {
  name: 'cnitool',
  description: 'network rules as CNI plugins, called by the official cnitool in real namespaces',
  async *run(context): AsyncIterable<CaseResult> {
    needNamespaces();
    const plugins = pluginsUnderTest();
    const wanted = allCases.filter(({ name }) => context.wanted(name));
    const together = wanted.filter(({ alone }) => alone !== true);
    yield* await inParallel(together, PARALLEL, (each, index) => playCase(context, each, `c${index}`, plugins));
    for (const [index, each] of wanted.filter(({ alone }) => alone === true).entries()) {
      yield await playCase(context, each, `a${index}`, plugins);
    }
  },
};

async function playCase(
  context: SuiteContext,
  { name, notOfficial, prepare, play }: CniCase,
  node: string,
  plugins: PluginSet,
): Promise<CaseResult> {
  if (plugins.name === 'official' && notOfficial !== undefined) return { name, outcome: 'skipped', reason: notOfficial };
  const scene = await openScene(node, plugins, { log: context.log, signal: context.signal, ...(prepare ? { prepare } : {}) });
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
