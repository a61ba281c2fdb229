import { canonicalJson, type JsonObject, jsonEqual } from '../../engine/object/json.ts';
import type { StepContext } from '../../engine/step/operation.ts';
import type { BoundStep, PerformedStep, Plan } from '../../engine/step/plan.ts';
import type { JournalRecord } from './journal.ts';
import { isSameStep, MAX_STEPS, NO_STEP, type PerformerParts, type PlanRun } from './plan-run.ts';

interface ForeseenStep {
  readonly step: BoundStep;
  /** The recorded step that does the same, or is about the same thing: it is kept, perhaps under another key. */
  readonly known?: PerformedStep;
}

/**
 * Makes a record that was performed what a plan says. What is not wanted any more is undone first, so that what takes its place (the same
 * route with another gateway) is not undone with it. For that the plan is walked once ahead, with the outputs that are recorded or follow
 * from arguments. Where the walk then takes another way, what was not reached until there is undone, and comes again.
 *
 * After a failure ({@link StepFailure}) nothing is undone: the record holds what is there, and another attempt goes on from it.
 */
export async function convergeRecord(
  parts: PerformerParts,
  run: PlanRun,
  plan: Plan,
  record: JournalRecord,
  signal: AbortSignal | undefined,
): Promise<readonly PerformedStep[]> {
  const { journal } = parts;
  const foreseen = foresee(parts, plan, record);
  const kept = foreseen.flatMap(({ step, known }) => (known === undefined ? [] : [{ ...known, step }]));
  const keptBefore = new Set(foreseen.map(({ known }) => known));
  const ensured: string[] = [];
  let asForeseen = true;
  let current: BoundStep = NO_STEP;
  try {
    await undoAll(record.steps.filter((each) => !keptBefore.has(each)));
    const ahead: JournalRecord = { ...record, subject: plan.subject, netns: plan.netns, steps: kept };
    if (!sameRecord(record, ahead)) journal.put(ahead);
    const walk = plan.walk();
    for (;;) {
      const step = walk.next();
      if (step === undefined) break;
      current = step;
      if (ensured.length >= MAX_STEPS) throw new Error(`the plan has more than ${MAX_STEPS} steps`);
      const expected = foreseen[ensured.length]?.step;
      asForeseen &&= expected !== undefined && isSameStep(expected, step);
      if (!asForeseen) await undoUnreached();
      const known = journal.get(plan.id)!.steps.find((each) => each.step.key === step.key);
      walk.done(await run.ensure(step, known, signal));
      ensured.push(step.key);
    }
    current = NO_STEP;
    await undoUnreached();
    const now = journal.get(plan.id)!;
    const order = new Map(ensured.map((key, index) => [key, index]));
    const ordered = now.steps.toSorted((a, b) => order.get(a.step.key)! - order.get(b.step.key)!);
    if (ordered.some((each, index) => each !== now.steps[index])) journal.put({ ...now, steps: ordered });
    if (run.touchedDisk) await journal.sync();
    return ordered;
  } catch (error) {
    throw run.failure('ensure', current, error);
  }

  async function undoUnreached(): Promise<void> {
    const reached = new Set(ensured);
    await undoAll(journal.get(plan.id)!.steps.filter(({ step }) => !reached.has(step.key)));
  }

  async function undoAll(steps: readonly PerformedStep[]): Promise<void> {
    for (const performed of steps.toReversed()) {
      // After a death in between it counts as begun, not as performed.
      journal.beginStep(record.id, performed.step);
      await run.undo(performed, signal);
      journal.undone(record.id, [performed.step.key]);
    }
  }
}

/** The steps of a plan as far as they can be told without performing it. */
function foresee({ operations }: PerformerParts, plan: Plan, record: JournalRecord): readonly ForeseenStep[] {
  const recorded = new RecordedSteps(operations, record.steps);
  const context: StepContext = { owner: plan.owner, netns: plan.netns, netnsGone: false };
  const foreseen: ForeseenStep[] = [];
  try {
    const walk = plan.walk();
    while (foreseen.length < MAX_STEPS) {
      const step = walk.next();
      if (step === undefined) break;
      const known = recorded.take(step);
      foreseen.push(known === undefined ? { step } : { step, known });
      const outputs = known?.outputs ?? operations.get(step.operation)?.predict(step.arguments, context);
      if (outputs === undefined) break;
      // An expression that needs what is not foretold fails, and ends the look ahead.
      walk.done(outputs as JsonObject);
    }
  } catch {
    // The walk that performs will say it.
  }
  return foreseen;
}

/** Finds the recorded step that did the same as one of a plan, or the same thing with other arguments; each is found once. */
class RecordedSteps {
  readonly #operations: PerformerParts['operations'];
  readonly #byMeaning = new Map<string, PerformedStep[]>();
  readonly #byIdentity = new Map<string, PerformedStep[]>();

  constructor(operations: PerformerParts['operations'], steps: readonly PerformedStep[]) {
    this.#operations = operations;
    // What does the same is about the same thing, and arguments may be long: where there is an identity, they are compared, and not written out.
    for (const each of steps) {
      const identity = this.#identity(each.step);
      if (identity === undefined) push(this.#byMeaning, meaning(each.step), each);
      else push(this.#byIdentity, identity, each);
    }
  }

  take(step: BoundStep): PerformedStep | undefined {
    const identity = this.#identity(step);
    if (identity === undefined) return this.#byMeaning.get(meaning(step))?.shift();
    const about = this.#byIdentity.get(identity) ?? [];
    const same = about.findIndex((each) => jsonEqual(each.step.arguments, step.arguments));
    return about.splice(Math.max(0, same), 1)[0];
  }

  #identity({ operation, arguments: args }: BoundStep): string | undefined {
    const name = this.#operations.get(operation)?.identity?.(args);
    return name === undefined ? undefined : `${operation} ${name}`;
  }
}

function push(map: Map<string, PerformedStep[]>, key: string, step: PerformedStep): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [step]);
  else known.push(step);
}

const meaning = (step: BoundStep): string => `${step.operation} ${canonicalJson(step.arguments)}`;

function sameRecord(a: JournalRecord, b: JournalRecord): boolean {
  return (
    a.netns === b.netns &&
    jsonEqual(a.subject, b.subject) &&
    a.steps.length === b.steps.length &&
    a.steps.every(({ step }, index) => isSameStep(b.steps[index]!.step, step))
  );
}
