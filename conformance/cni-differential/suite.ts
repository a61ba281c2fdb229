import { inParallel } from '../apiserver-admission/pool.ts';
import { networkLibrary, ruleOf } from '../cni/network-library.ts';
import { needNamespaces } from '../cni/node.ts';
import { ASPECTS, type Aspect, differentLines, type NormaliseOptions, type NormalState } from '../cni/normalise.ts';
import { official } from '../cni/official-plugins.ts';
import type { PluginSet } from '../cni/plugin-set.ts';
import { pluginsUnderTest } from '../cni/plugins-under-test.ts';
import { openScene, RuleMissing, type Scene } from '../cni/scene.ts';
import { type CaseResult, type Suite, type SuiteContext, SuiteUnavailable } from '../suite.ts';
import { type DifferentialCase, normaliseResult } from './case.ts';
import { allCases } from './cases/all.ts';

const NETWORK_STATE = '/var/lib/cni/networks/';
/** Plays wait for the kernel and for what official plugins wait for, and work little. */
const PARALLEL = 6;

/** The official plugins and ours: the same list on two fresh nodes, the same result and the same state of the kernel. */
export const suite: Suite = {
  name: 'cni-differential',
  description: 'the official CNI plugins: the same network made by them and by network rules, the same results and kernel state',
  async *run(context): AsyncIterable<CaseResult> {
    needNamespaces();
    const ours = pluginsUnderTest();
    const wanted = allCases.filter(
      ({ name }) => context.wanted(name) || ['result', ...ASPECTS].some((aspect) => context.wanted(`${name}: ${aspect}`)),
    );
    yield* (await inParallel(wanted, PARALLEL, (each, index) => compareCase(context, each, `d${index}`, ours))).flat();
  },
};

/** What one node showed: before, with the pods attached, and after. */
interface Story {
  readonly before: NormalState;
  readonly attached: NormalState;
  readonly after: NormalState;
  readonly results: readonly string[];
  readonly checks: readonly string[];
  readonly answers: readonly string[];
}

async function compareCase(
  context: SuiteContext,
  differential: DifferentialCase,
  node: string,
  ours: PluginSet,
): Promise<readonly CaseResult[]> {
  const { name, kind } = differential;
  const options = { log: context.log, signal: context.signal };
  const scenes: Scene[] = [];
  try {
    const reference = await openScene(`${node}o`, official, options);
    scenes.push(reference);
    const missing = await differential.unavailable?.(reference);
    if (missing !== undefined) return [{ name, outcome: 'skipped', reason: missing }];
    // Its bundle alone: what is compared does not wait for the rest of the library.
    const bundle = networkLibrary().rules.get(ruleOf(kind));
    if (bundle === undefined) return [{ name, outcome: 'skipped', reason: `the library has no rule for it: ${ruleOf(kind)}` }];
    const compared = await openScene(`${node}f`, ours, { ...options, rules: [bundle] });
    scenes.push(compared);
    differential.list((conf) => compared.plugin(kind, conf));
    const expected = await play(differential, reference).catch((error: Error) =>
      Promise.reject(new Error(`the official plugin: ${error.message}`)),
    );
    const found = await play(differential, compared);
    return judge(name, expected, found);
  } catch (error) {
    if (error instanceof SuiteUnavailable) throw error;
    if (error instanceof RuleMissing) return [{ name, outcome: 'skipped', reason: error.message }];
    return [{ name, outcome: 'failed', reason: error instanceof Error ? error.message : String(error) }];
  } finally {
    for (const scene of scenes) await scene.stop();
  }
}

async function play(differential: DifferentialCase, scene: Scene): Promise<Story> {
  const { kind, pods = ['pod1', 'pod2'], macs = [], capabilities, args } = differential;
  const normalising: NormaliseOptions = {
    macs,
    effectOnly: true,
    // host-local leaves the file that it locks.
    file: (path, text) => (path.startsWith(NETWORK_STATE) && !path.endsWith('/lock') ? text : undefined),
  };
  const attachment = { ...(capabilities === undefined ? {} : { capabilities }), ...(args === undefined ? {} : { args }) };
  await differential.prepare?.(scene);
  const list = differential.list((conf) => scene.plugin(kind, conf));
  scene.configure(list);
  const before = await scene.state([], normalising);
  const results: string[] = [];
  const checks: string[] = [];
  for (const pod of pods) {
    results.push(JSON.stringify(normaliseResult(await scene.attach(list.name, pod, attachment), macs), null, 1));
    // Before the next is attached: with it the bridge may get another hardware address, which the official plugin does not forgive.
    const { exitCode, stderr } = await scene.cnitool.call({ ...attachment, verb: 'check', network: list.name, pod });
    checks.push(exitCode === 0 ? 'well' : (stderr.trim().split('\n')[0] ?? ''));
  }
  const attached = await scene.state(pods, normalising);
  const answers = (await differential.ask?.(scene)) ?? [];
  for (const pod of [...pods].reverse()) await scene.detach(list.name, pod, attachment);
  return { before, attached, after: await stateAtRest(scene, normalising), results, checks, answers };
}

/** The state once two looks at it say the same: what was removed is gone a moment later. */
async function stateAtRest(scene: Scene, normalising: NormaliseOptions): Promise<NormalState> {
  let last = await scene.state([], normalising);
  for (let looks = 0; looks < 20; looks++) {
    const next = await scene.state([], normalising);
    if (JSON.stringify(next) === JSON.stringify(last)) return next;
    last = next;
  }
  return last;
}

function judge(name: string, expected: Story, found: Story): CaseResult[] {
  const results: CaseResult[] = [];
  const compare = (subject: string, left: readonly string[], right: readonly string[]): void => {
    const differences = differentLines(left, right);
    results.push({
      name: `${name}: ${subject}`,
      ...(differences.length === 0 ? { outcome: 'passed' } : { outcome: 'failed', reason: differences.slice(0, 40).join('\n') }),
    });
  };
  compare('result', expected.results.flatMap(linesOf), found.results.flatMap(linesOf));
  compare('check', expected.checks, found.checks);
  if (expected.answers.length > 0) compare('answers', expected.answers, found.answers);
  for (const aspect of ASPECTS) {
    if (isTouched(aspect, 'attached', expected, found)) compare(aspect, expected.attached[aspect], found.attached[aspect]);
    if (isTouched(aspect, 'after', expected, found)) compare(`${aspect} after deletion`, expected.after[aspect], found.after[aspect]);
  }
  return results;
}

function linesOf(text: string): string[] {
  return text.split('\n').map((line) => line.replace(/,$/, ''));
}

/** Whether the plugins of either node changed anything: what nobody touches is no case. */
function isTouched(aspect: Aspect, when: 'attached' | 'after', ...stories: readonly Story[]): boolean {
  return stories.some((story) => differentLines(story.before[aspect], story[when][aspect]).length > 0);
}
