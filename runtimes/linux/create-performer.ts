import type { BoundStep, PerformedStep, Plan } from '../../engine/step/plan.ts';
import { systemClock } from '../host/clock.ts';
import { collectGarbage } from './collect.ts';
import { convergeRecord } from './converge.ts';
import { describeError } from './failure-text.ts';
import { Journal, type JournalRecord, ownerOf } from './journal.ts';
import { KeyLocks, LockError } from './key-locks.ts';
import { type Performer, type PerformerOptions, type PlanRecord, StepFailure, type StepProblem } from './performer.ts';
import { MAX_STEPS, NO_STEP, type PerformerParts, PlanRun, type StepVerb } from './plan-run.ts';
import { Strays } from './strays.ts';
import { undoSteps } from './undo-steps.ts';

/** Plans that are undone at once after a start. */
const RECOVERED_AT_ONCE = 8;

/**
 * A performer on a folder that nobody else has. Call `recover` before anything else. Throws `FileError` where another process has the
 * folder, and `RecordLogError` where the journal can't be read or written.
 */
export async function createPerformer(options: PerformerOptions): Promise<Performer> {
  const { handler, operations, bootId, log, clock = systemClock, crashPoint = () => undefined } = options;
  const journal = await Journal.open({ folder: options.folder, bootId, log, crashPoint });
  const planLocks = new KeyLocks();
  /** Rules of which the last plan did something in its namespace: to enter one takes as long as all the rest. */
  const entering = new Set<string>();
  const parts: PerformerParts = { handler, operations, journal, stepLocks: new KeyLocks(), clock, crashPoint, recollections: new Map() };
  const strays = new Strays({ collect: (wanted) => collectGarbage(parts, planLocks, wanted), clock, log });

  /** One verb of a plan at a time. */
  async function alone<T>(verb: string, id: string, signal: AbortSignal | undefined, act: () => Promise<T>): Promise<T> {
    let release: () => void;
    try {
      release = await planLocks.acquire([id], `${verb} of it`, signal);
    } catch (error) {
      if (!(error instanceof LockError)) throw error;
      throw new StepFailure(`plan ${id}: ${error.message}`, { step: NO_STEP, verb: verbOf(verb), code: 'timeout', cause: error });
    }
    try {
      crashPoint(`before ${verb}`);
      const result = await act();
      crashPoint(`after ${verb}`);
      return result;
    } finally {
      release();
    }
  }

  /** The record of a plan that stands. What an earlier failure or boot left is undone, and not in the way of a new attempt. */
  async function standing(id: string, signal: AbortSignal | undefined): Promise<JournalRecord | undefined> {
    const record = journal.get(id);
    if (record === undefined || (record.state === 'performed' && record.bootId === bootId)) return record;
    await undoRecord(record, signal);
    return undefined;
  }

  function perform(plan: Plan, signal?: AbortSignal): Promise<readonly PerformedStep[]> {
    return alone('perform', plan.id, signal, async () => {
      const known = await standing(plan.id, signal);
      if (known !== undefined) {
        const message = `plan ${plan.id} of rule ${known.rule} is performed already, since ${new Date(known.since).toISOString()}`;
        throw new StepFailure(message, { step: known.steps[0]?.step ?? NO_STEP, verb: 'ensure', code: 'exists' });
      }
      return begin(plan, (run) => performIn(run, plan, signal));
    });
  }

  function converge(plan: Plan, signal?: AbortSignal): Promise<readonly PerformedStep[]> {
    return alone('converge', plan.id, signal, async () => {
      const known = await standing(plan.id, signal);
      return begin(plan, (run) => (known === undefined ? performIn(run, plan, signal) : convergeRecord(parts, run, plan, known, signal)));
    });
  }

  async function begin<T>(plan: Plan, act: (run: PlanRun) => Promise<T>): Promise<T> {
    strays.begun(plan.id);
    await requireHost(plan);
    await readyJournal(plan);
    const run = await openRun(plan, 'ensure');
    try {
      return await act(run);
    } finally {
      run.close();
    }
  }

  async function performIn(run: PlanRun, plan: Plan, signal: AbortSignal | undefined): Promise<readonly PerformedStep[]> {
    if (run.netnsGone) {
      const message = `rule ${plan.owner.rule}: the network namespace ${plan.netns} is not there`;
      throw new StepFailure(message, { step: NO_STEP, verb: 'ensure', code: 'namespace' });
    }
    let current: BoundStep = NO_STEP;
    try {
      if (entering.has(plan.owner.rule)) run.prepare();
      journal.put(newRecord(plan));
      const walk = plan.walk();
      for (let count = 0; ; count++) {
        const step = walk.next();
        if (step === undefined) break;
        if (count >= MAX_STEPS) throw run.failure('ensure', step, new Error(`the plan has more than ${MAX_STEPS} steps`));
        current = step;
        walk.done(await run.ensure(step, undefined, signal));
      }
      journal.performed(plan.id);
      if (run.hasEntered) entering.add(plan.owner.rule);
      else entering.delete(plan.owner.rule);
      // Steps were on disk before what they did there. What was told of them since is of use in this boot only, and the page cache keeps it.
      return journal.get(plan.id)!.steps;
    } catch (error) {
      const failure = run.failure('ensure', current, error);
      const record = journal.get(plan.id);
      const left = record === undefined ? [] : await undoneOrLeft(run, record);
      throw left.length === 0 ? failure : withLeft(failure, left);
    }
  }

  /** What could not be undone, in words. */
  function undoneOrLeft(run: PlanRun, record: JournalRecord): Promise<readonly string[]> {
    return undoSteps(parts, run, record, undefined).then(
      (failures) => failures.map((each) => each.message),
      (error) => [describeError(error)],
    );
  }

  function newRecord(plan: Plan): JournalRecord {
    const { id, owner, subject, netns } = plan;
    return { id, rule: owner.rule, tag: owner.text, subject, netns, state: 'performing', steps: [], bootId, since: options.now() };
  }

  async function requireHost(plan: Plan): Promise<void> {
    const missing = plan.requirements === undefined ? [] : await handler.missing(plan.requirements);
    if (missing.length === 0) return;
    const message = `rule ${plan.owner.rule}: ${missing.map((each) => each.message).join('; ')}`;
    throw new StepFailure(message, { step: NO_STEP, verb: 'ensure', code: 'requirement' });
  }

  async function readyJournal(plan: Plan): Promise<void> {
    try {
      await journal.ready();
    } catch (error) {
      throw new StepFailure(`rule ${plan.owner.rule}: ${describeError(error)}`, {
        step: NO_STEP,
        verb: 'ensure',
        code: 'full',
        cause: error,
      });
    }
  }

  async function openRun(plan: Pick<Plan, 'id' | 'owner' | 'netns'>, verb: StepVerb, isOfEarlierBoot = false): Promise<PlanRun> {
    const { id, owner, netns } = plan;
    try {
      return await PlanRun.open(parts, { id, owner, netns, isOfEarlierBoot });
    } catch (error) {
      throw new StepFailure(`rule ${owner.rule}: ${describeError(error)}`, { step: NO_STEP, verb, code: 'namespace', cause: error });
    }
  }

  /** Throws the first failure when the others are undone. */
  async function undoRecord(record: JournalRecord, signal: AbortSignal | undefined): Promise<void> {
    const plan = { id: record.id, owner: ownerOf(record), netns: record.netns };
    const run = await openRun(plan, 'undo', record.bootId !== bootId);
    try {
      if (record.state !== 'undoing') journal.undoing(record.id);
      const [first, ...others] = await undoSteps(parts, run, record, signal);
      if (first !== undefined)
        throw others.length === 0
          ? first
          : withLeft(
              first,
              [first, ...others].map((each) => each.message),
            );
    } finally {
      run.close();
    }
  }

  function undo(id: string, signal?: AbortSignal): Promise<void> {
    return alone('undo', id, signal, async () => {
      const record = journal.get(id);
      if (record === undefined) return;
      await undoRecord(record, signal);
      // What an earlier boot had, somebody may have saved and restored.
      if (record.bootId === bootId) strays.undone(id);
    });
  }

  function forget(id: string, signal?: AbortSignal): Promise<boolean> {
    return alone('undo', id, signal, async () => {
      if (journal.get(id)?.state !== 'undoing') return false;
      journal.forget(id);
      strays.lostSightOf(id);
      await journal.sync();
      return true;
    });
  }

  function check(id: string, signal?: AbortSignal): Promise<readonly StepProblem[]> {
    return alone('check', id, signal, async () => {
      const record = journal.get(id);
      if (record === undefined) throw new Error(`plan ${id} is not recorded`);
      const run = await openRun({ id, owner: ownerOf(record), netns: record.netns }, 'check', record.bootId !== bootId);
      try {
        if (entering.has(record.rule)) run.prepare();
        const problems: StepProblem[] = [];
        for (const performed of record.steps) problems.push(...(await checkStep(run, performed, signal)));
        return problems;
      } finally {
        run.close();
      }
    });
  }

  async function recover(): Promise<{ readonly undone: readonly PlanRecord[]; readonly left: readonly string[] }> {
    const waiting = [...journal.records()].filter((record) => record.state !== 'performed' || record.bootId !== bootId);
    const undone: PlanRecord[] = [];
    const left: string[] = [];
    const work = async (): Promise<void> => {
      for (let record = waiting.shift(); record !== undefined; record = waiting.shift()) {
        try {
          await undo(record.id);
          undone.push(record);
        } catch (error) {
          left.push(...(error instanceof StepFailure && error.left.length > 0 ? error.left : [describeError(error)]));
        }
      }
    };
    await Promise.all(Array.from({ length: RECOVERED_AT_ONCE }, work));
    return { undone, left };
  }

  return {
    perform,
    converge,
    undo,
    forget,
    check,
    record: (id) => journal.get(id),
    records: () => journal.records(),
    recover,
    collect: ({ rules }) => strays.collect(rules === undefined ? {} : { rules }),
    sweep: (id) => strays.sweep(id),
    async close() {
      await strays.close();
      await journal.close();
    },
  };
}

const verbOf = (verb: string): StepVerb => (verb === 'undo' || verb === 'check' ? verb : 'ensure');

async function checkStep(run: PlanRun, performed: PerformedStep, signal: AbortSignal | undefined): Promise<readonly StepProblem[]> {
  const { step } = performed;
  if (performed.outputs === undefined) return [{ step, message: 'was begun, and did not end' }];
  try {
    return (await run.check(performed, signal)).map((message) => ({ step, message }));
  } catch (error) {
    // One that is called off is not answered at all.
    if (!(error instanceof StepFailure) || signal?.aborted) throw error;
    return [{ step, message: error.message }];
  }
}

function withLeft({ message, step, verb, code, cause }: StepFailure, left: readonly string[]): StepFailure {
  return new StepFailure(message, { step, verb, code, left, cause });
}
