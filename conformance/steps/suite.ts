import { needNamespaces, podPath } from '../cni/node.ts';
import type { CaseResult, Suite, SuiteContext } from '../suite.ts';
import { fullDisk } from './full-disk.ts';
import { objection, result } from './judge.ts';
import { PLANS, POD, type TrialPlan } from './plans.ts';
import type { Act, Death, Task } from './task.ts';
import { JOURNAL, Trial } from './trial.ts';

/** What begins the tags of all that is made here. */
const TAG_PREFIX = 'fairlead:steps:';

function taskOf(plan: TrialPlan, acts: readonly Act[], death?: Death): Task {
  return { folder: JOURNAL, plan, acts, ...(plan.inPod ? { netns: podPath(POD) } : {}), ...(death === undefined ? {} : { death }) };
}

const LIFE: readonly Act[] = ['perform', 'converge', 'check', 'undo', 'collect', 'count'];
/**
 * What is left of a life that ended: a plan that was performed to its end is there, and whole. One that was becoming another goes on to be
 * that.
 */
const AFTERLIFE: readonly Act[] = ['recover', 'converge', 'check', 'undo', 'collect', 'count'];

/** How many points there are is known when they were reached. */
function anyWanted(context: SuiteContext, name: (at: number) => string): boolean {
  return Array.from({ length: 300 }, (_, index) => name(index + 1)).some((each) => context.wanted(each));
}

/** `FAIRLEAD_STEPS_EVERY`: only every n-th point, for those who have no time for all. Odd, so that kinds of death still take turns. */
function stride(context: SuiteContext): number {
  const text = process.env['FAIRLEAD_STEPS_EVERY'];
  if (text === undefined || text === '1') return 1;
  const every = Number(text);
  if (!Number.isInteger(every) || every < 1 || every % 2 === 0) throw new Error('FAIRLEAD_STEPS_EVERY must be an odd number');
  context.incomplete(`one of ${every} points only; without FAIRLEAD_STEPS_EVERY it is all of them`);
  return every;
}

/** The tables and chains that all owners share stay, without anything of an owner; they are what later lives find. */
async function* undisturbed(trial: Trial, plan: TrialPlan): AsyncIterable<CaseResult> {
  const process = trial.process();
  try {
    const report = await process.perform(taskOf(plan, LIFE));
    const isShared = (line: string): boolean => line.startsWith('node nft: ') && !line.includes(TAG_PREFIX);
    yield result(`${plan.name}, undisturbed`, objection(report!, await trial.difference({ isShared })));
    await trial.remember();
  } finally {
    await process.stop();
  }
}

/** One life after the other, each of which ends a point later, until one ends by itself. */
async function* deaths(
  trial: Trial,
  plan: TrialPlan,
  kinds: readonly Death['how'][],
  every: number,
  context: SuiteContext,
): AsyncIterable<CaseResult> {
  if (!anyWanted(context, (at) => `${plan.name}, killed ${kinds[at % kinds.length]} (${at})`)) return;
  let process = trial.process();
  try {
    for (let at = 1; !context.signal.aborted; at += every) {
      const how = kinds[at % kinds.length]!;
      const report = await process.perform(taskOf(plan, LIFE, { at, how }));
      if (report !== undefined) return;
      await trial.orphansGone();
      process = trial.process();
      const after = await process.perform(taskOf(plan, AFTERLIFE));
      yield result(`${plan.name}, killed ${how} (${at})`, objection(after!, await trial.difference()));
    }
  } finally {
    await process.stop();
  }
}

/** The children of a process are killed while they work; the process lives and makes the best of it. */
async function* childrenKilled(trial: Trial, plan: TrialPlan, every: number, context: SuiteContext): AsyncIterable<CaseResult> {
  if (!anyWanted(context, (at) => `${plan.name}, children killed during an effect (${at})`)) return;
  const process = trial.process();
  try {
    for (let at = 1; !context.signal.aborted; at += every) {
      const report = await process.perform(taskOf(plan, LIFE, { at, how: 'children only' }));
      if (report === undefined) {
        if (context.signal.aborted) return;
        throw new Error('the process did not survive its children');
      }
      if (report.points.length < at) return;
      // It may fail, as long as it says so: what is left is recorded, and goes when it is tried again.
      const after = await process.perform(taskOf(plan, AFTERLIFE));
      yield result(`${plan.name}, children killed during an effect (${at})`, objection(after!, await trial.difference()));
    }
  } finally {
    await process.stop();
  }
}

/** A namespace goes before what was performed in it is undone, or before what was begun is. */
async function* namespaceGone(trial: Trial, plan: TrialPlan): AsyncIterable<CaseResult> {
  for (const [when, acts, death] of [
    ['after it was performed', ['perform'], undefined],
    ['while it was performed', ['perform'], { at: 15, how: 'at a point' }],
  ] as const) {
    const first = trial.process();
    await first.perform(taskOf(plan, acts, death));
    await first.stop();
    await trial.orphansGone();
    await trial.node.removePod(POD);
    const second = trial.process();
    const report = await second.perform(taskOf(plan, ['recover', 'undo', 'collect', 'count']));
    await second.stop();
    yield result(`${plan.name}, the namespace went ${when}`, objection(report!, await trial.difference({ pods: [] })));
    await trial.addPod();
    await trial.remember();
  }
}

/** Steps on a real kernel: whoever performs them is killed at every point, and what is there then is what was there before. */
export const suite: Suite = {
  name: 'steps',
  description: 'steps on a real kernel: their performer is killed at every point, another starts, and nothing of them is left',
  async *run(context): AsyncIterable<CaseResult> {
    needNamespaces();
    const every = stride(context);
    const trial = await Trial.start(context.signal);
    try {
      await trial.remember();
      for (const plan of PLANS) {
        const began = Date.now();
        // Always: it makes what is shared, which the others take for given.
        yield* undisturbed(trial, plan);
        yield* deaths(trial, plan, ['at a point', 'at a point, with its children'], every, context);
        yield* deaths(trial, plan, ['during an effect'], every, context);
        yield* childrenKilled(trial, plan, every, context);
        if (plan.survivesNamespace && context.wanted(`${plan.name}, the namespace went`)) yield* namespaceGone(trial, plan);
        context.log(`${plan.name}: ${Math.round((Date.now() - began) / 1000)} s`);
      }
      if (context.wanted('full disk')) yield* fullDisk(trial);
    } finally {
      await trial.stop();
    }
  },
};
