import { type JsonObject, jsonEqual } from '../../engine/object/json.ts';
import { EffectError, runSteps, type Steps } from '../../engine/step/effect.ts';
import type { Operation, OwnerTag, Recollection, StepContext } from '../../engine/step/operation.ts';
import { BindError, type BoundStep, type PerformedStep } from '../../engine/step/plan.ts';
import type { Clock } from '../host/clock.ts';
import { errorMessage } from '../host/error-message.ts';
import { describeError, describeStep, oneLine } from './failure-text.ts';
import type { Journal } from './journal.ts';
import { journalledSession } from './journalled-session.ts';
import { type KeyLocks, LockError } from './key-locks.ts';
import { type HostHandler, type HostSession, StepFailure } from './performer.ts';
import { RecordLogError } from './record-log.ts';
import { isUsed } from './shared-use.ts';
import { stepDeadline } from './step-deadline.ts';

/** What all plans of a performer share. */
export interface PerformerParts {
  readonly handler: HostHandler;
  readonly operations: ReadonlyMap<string, Operation>;
  readonly journal: Journal;
  /** By the keys of operations. */
  readonly stepLocks: KeyLocks;
  readonly clock: Clock;
  readonly crashPoint: (name: string) => void;
  /** What operations recollect, by plan and step. */
  readonly recollections: Map<string, unknown>;
}

/** A plan of more steps is a mistake. */
export const MAX_STEPS = 10_000;

/** Stands in a failure where it was no step that failed. */
export const NO_STEP: BoundStep = { key: '', operation: '', arguments: {}, timeout: 0, path: [] };

export type StepVerb = 'ensure' | 'check' | 'undo';

export interface PlanRunOptions {
  readonly id: string;
  readonly owner: OwnerTag;
  readonly netns: string | undefined;
  /** The plan was performed before the machine was started anew. */
  readonly isOfEarlierBoot?: boolean;
}

/** One verb on one plan: its session with the host, and how a step is run in it. */
export class PlanRun {
  readonly #parts: PerformerParts;
  readonly #options: PlanRunOptions;
  readonly #session: HostSession;
  #touchedDisk = false;

  private constructor(parts: PerformerParts, options: PlanRunOptions, session: HostSession) {
    this.#parts = parts;
    this.#options = options;
    this.#session = session;
  }

  /** Close what it answers. Throws what the handler throws. */
  static async open(parts: PerformerParts, options: PlanRunOptions): Promise<PlanRun> {
    // The path may be there again, and be another's.
    const session = await parts.handler.session(options.isOfEarlierBoot === true ? undefined : options.netns);
    return new PlanRun(parts, options, session);
  }

  get netnsGone(): boolean {
    return this.#options.netns !== undefined && (this.#options.isOfEarlierBoot === true || this.#session.netnsGone);
  }

  /** Whether something was done in the namespace. */
  get hasEntered(): boolean {
    return this.#session.hasEntered === true;
  }

  /** Begins to enter the namespace, as something will be done there. */
  prepare(): void {
    this.#session.prepare?.();
  }

  /** Whether something was changed that outlives the machine's power. */
  get touchedDisk(): boolean {
    return this.#touchedDisk;
  }

  close(): void {
    this.#session.close();
  }

  /**
   * Journals the step, runs its `ensure`, and journals what it ended with. `known`: what is recorded under its key, which is not written
   * again. Throws {@link StepFailure}.
   */
  async ensure(step: BoundStep, known: PerformedStep | undefined, signal: AbortSignal | undefined): Promise<JsonObject> {
    const { journal, handler } = this.#parts;
    const { id } = this.#options;
    const operation = this.#operation(step, 'ensure');
    const isRecorded = known !== undefined && isSameStep(known.step, step);
    const outputs = await this.#run('ensure', known ?? { step }, signal, async (run) => {
      const requirements = operation.requires(step.arguments);
      const missing = requirements.length === 0 ? [] : await handler.missing(requirements);
      if (missing.length > 0) {
        const message = `${describeStep(this.#options.owner.rule, step)}: ${missing.map((each) => each.message).join('; ')}`;
        throw new StepFailure(message, { step, verb: 'ensure', code: 'requirement' });
      }
      if (!isRecorded) journal.beginStep(id, step);
      return run((context) => operation.ensure(step.arguments, context));
    });
    try {
      if (!isRecorded || !jsonEqual(known.outputs, outputs)) journal.endStep(id, step.key, outputs);
      return outputs;
    } catch (error) {
      throw this.failure('ensure', step, error);
    }
  }

  /** What is wrong with a step, in words. Throws {@link StepFailure} where that can't be found out. */
  check(performed: PerformedStep, signal: AbortSignal | undefined): Promise<readonly string[]> {
    const { step } = performed;
    const operation = this.#operation(step, 'check');
    return this.#run('check', performed, signal, (run) => run((context) => operation.check(step.arguments, context)));
  }

  /**
   * Undoes a step. What is shared stays for the others until garbage is collected; but where its `ensure` did not end and no other record
   * uses it, nobody could tell any more that it is ours. Where a program ended by itself it is undone again, as that is what would come next.
   * Throws {@link StepFailure}.
   */
  async undo(performed: PerformedStep, signal: AbortSignal | undefined): Promise<void> {
    const { step } = performed;
    const operation = this.#operation(step, 'undo');
    const isShared = operation.lifetime === 'shared';
    if (isShared && performed.outputs !== undefined) return;
    const undoOnce = (): Promise<void> =>
      this.#run('undo', performed, signal, (run) =>
        run((context) => {
          const keys = isShared ? operation.lockKeys(step.arguments, context) : [];
          const stays = isShared && isUsed(this.#parts.journal, operation, keys, this.#options.id);
          return stays ? nothing() : operation.undo(step.arguments, context);
        }),
      );
    try {
      await undoOnce();
    } catch (error) {
      if (!(error instanceof StepFailure && error.code === 'program') || signal?.aborted) throw error;
      await undoOnce();
    }
  }

  /** The failure of a step in one line: the step, its place in the rule, what was tried, and what was said. */
  failure(verb: StepVerb, during: BoundStep, error: unknown): StepFailure {
    if (error instanceof StepFailure) return error;
    const step = error instanceof BindError ? unboundStep(error) : during;
    const doing = verb === 'ensure' ? '' : verb === 'undo' ? 'could not be undone: ' : 'could not be checked: ';
    const message = oneLine(`${describeStep(this.#options.owner.rule, step)}: ${doing}${describeError(error)}`);
    return new StepFailure(message, { step, verb, code: codeOf(error), cause: error });
  }

  #operation(step: BoundStep, verb: StepVerb): Operation {
    const operation = this.#parts.operations.get(step.operation);
    if (operation !== undefined) return operation;
    const said = `this version has no operation ${JSON.stringify(step.operation)}; the version that performed it can undo it`;
    throw this.failure(verb, step, new Error(said));
  }

  /** Runs `act` under the step's locks and deadline. */
  async #run<T>(
    verb: StepVerb,
    performed: PerformedStep,
    outer: AbortSignal | undefined,
    act: (run: <R>(steps: (context: StepContext) => Steps<R>) => Promise<R>) => Promise<T>,
  ): Promise<T> {
    const { step } = performed;
    const { clock, journal, operations, stepLocks, crashPoint } = this.#parts;
    const { id, owner, netns } = this.#options;
    const context: { -readonly [Key in keyof StepContext]: StepContext[Key] } = {
      owner,
      netns,
      netnsGone: this.netnsGone,
      recollection: recollectionOf(this.#parts.recollections, `${id} ${step.key}`),
      ...(performed.memory === undefined ? {} : { memory: performed.memory }),
      ...(performed.outputs === undefined ? {} : { outputs: performed.outputs }),
    };
    const session = journalledSession({
      session: this.#session,
      lostNetns: this.#options.isOfEarlierBoot === true ? netns : undefined,
      remember(value) {
        journal.remember(id, step.key, value);
        context.memory = value;
      },
      sync: () => journal.sync(),
      crashPoint,
    });
    const deadline = stepDeadline(clock, step.timeout, outer);
    let release: (() => void) | undefined;
    try {
      if (verb !== 'check') {
        const keys = operations.get(step.operation)!.lockKeys(step.arguments, context);
        if (keys.length > 0) release = await stepLocks.acquire(keys, `step ${step.key} of ${owner.text}`, deadline.signal);
      }
      return await act((steps) => runSteps(steps(context), session, deadline.signal));
    } catch (error) {
      if (outer?.aborted) throw this.failure(verb, step, new EffectError('timeout', 'it was called off', 'go on'));
      if (deadline.isPassed) throw this.failure(verb, step, overdue(error, step.timeout));
      throw this.failure(verb, step, error);
    } finally {
      release?.();
      deadline.end();
      if (session.touchedDisk) this.#touchedDisk = true;
    }
  }
}

function* nothing(): Steps<void> {}

const recollectionOf = (kept: Map<string, unknown>, key: string): Recollection => ({
  take() {
    const value = kept.get(key);
    kept.delete(key);
    return value;
  },
  keep: (value) => void kept.set(key, value),
});

/** Whether two steps are one, its place in the rule included. */
export function isSameStep(a: BoundStep, b: BoundStep): boolean {
  if (a === b) return true;
  const isHere = a.key === b.key && a.line === b.line && a.timeout === b.timeout && jsonEqual(a.path, b.path);
  return isHere && a.operation === b.operation && jsonEqual(a.arguments, b.arguments);
}

function overdue(error: unknown, timeout: number): EffectError {
  const [tried, said] = error instanceof EffectError ? [error.tried, error.message] : ['wait', errorMessage(error)];
  return new EffectError('timeout', `not done within the step's timeout of ${timeout} ms (${said})`, tried);
}

function unboundStep({ step, path, line }: BindError): BoundStep {
  return { ...NO_STEP, key: step, path, ...(line === undefined ? {} : { line }) };
}

function codeOf(error: unknown): string {
  if (error instanceof BindError) return 'expression';
  if (error instanceof EffectError) return error.code;
  if (error instanceof LockError) return 'timeout';
  if (error instanceof RecordLogError && error.code === 'full') return 'full';
  return 'other';
}
