import type { JsonObject } from '../../engine/object/json.ts';
import type { EffectHandler } from '../../engine/step/effect.ts';
import type { Operation, OwnedThing } from '../../engine/step/operation.ts';
import type { BoundStep, PerformedStep, Plan } from '../../engine/step/plan.ts';
import type { MissingRequirement, Requirement } from '../../engine/step/requirement.ts';
import type { Clock } from '../host/clock.ts';

/*
 * Performs plans on this host: the contract. One performer has the journal's folder for itself.
 */

/** A plan as the journal keeps it. */
export interface PlanRecord {
  /** {@link Plan.id}. */
  readonly id: string;
  readonly rule: string;
  readonly subject: JsonObject;
  readonly netns: string | undefined;
  /** `performing` and `undoing` are only seen after a crash, before `recover`. */
  readonly state: 'performing' | 'performed' | 'undoing';
  readonly steps: readonly PerformedStep[];
  /** Boot of the machine in which it was performed. */
  readonly bootId: string;
  /** Milliseconds since 1970. */
  readonly since: number;
}

/** A step that failed. The plan was undone. */
export class StepFailure extends Error {
  override readonly name = 'StepFailure';
  readonly step: BoundStep;
  readonly verb: 'ensure' | 'check' | 'undo';
  /** {@link FailureCode} of the effect, `expression` where the rule's text is to blame, `requirement` where the host lacks something. */
  readonly code: string;
  /** What could not be undone afterwards, in words; it stays in the journal and is tried again by `recover`. */
  readonly left: readonly string[];
  constructor(
    message: string,
    fields: {
      readonly step: BoundStep;
      readonly verb: 'ensure' | 'check' | 'undo';
      readonly code: string;
      readonly left?: readonly string[];
      readonly cause?: unknown;
    },
  ) {
    super(message, { cause: fields.cause });
    this.step = fields.step;
    this.verb = fields.verb;
    this.code = fields.code;
    this.left = fields.left ?? [];
  }
}

/** What was removed that no record knows of. */
export interface Collected {
  readonly removed: readonly OwnedThing[];
  /** What could not be listed or removed, in words. */
  readonly left: readonly string[];
}

/** A step that is not as it should be. */
export interface StepProblem {
  readonly step: BoundStep;
  readonly message: string;
}

export interface PerformerOptions {
  /** Folder of the journal. */
  readonly folder: string;
  /** What is on this host's kernel and disk. */
  readonly handler: HostHandler;
  /** The vocabulary, by name. */
  readonly operations: ReadonlyMap<string, Operation>;
  readonly now: () => number;
  /** For deadlines. Default: the machine's. */
  readonly clock?: Clock;
  readonly bootId: string;
  readonly log: (line: string, fields?: Readonly<Record<string, unknown>>) => void;
  /** Called at each point where a crash is possible; a fault injection ends the process there. */
  readonly crashPoint?: (name: string) => void;
}

/** Performs effects, and knows of namespaces. */
export interface HostHandler extends EffectHandler {
  /** A handler for one plan: enters the namespace at most once, at the first effect that needs it. Close it. */
  session(netns: string | undefined): Promise<HostSession>;
  /** What the host has not. Answers are kept: a host does not change often. */
  missing(requirements: readonly Requirement[]): Promise<readonly MissingRequirement[]>;
}

export interface HostSession extends EffectHandler {
  /** Whether the namespace is not there (any more). */
  readonly netnsGone: boolean;
  /** Whether the namespace was entered, or is being entered. */
  readonly hasEntered?: boolean;
  /** Begins to enter the namespace, as something will be done there. */
  prepare?(): void;
  close(): void;
}

export interface Performer {
  /**
   * Performs a plan from its start and answers its steps. A plan that is recorded as performed is not performed again: throws
   * {@link StepFailure} with code `exists`. When a step fails, those before it are undone in reverse, and the failure is thrown.
   */
  perform(plan: Plan, signal?: AbortSignal): Promise<readonly PerformedStep[]>;
  /** Makes a recorded plan what `plan` says: steps that are gone or have changed are undone, the others ensured. Records it if it is new. */
  converge(plan: Plan, signal?: AbortSignal): Promise<readonly PerformedStep[]>;
  /** Undoes a recorded plan and forgets it. Goes on after a failure and throws {@link StepFailure} at the end; what is left stays recorded. Nothing happens for an id that is not recorded. */
  undo(id: string, signal?: AbortSignal): Promise<void>;
  /**
   * Forgets a plan of which something could not be undone, as if it had been. Answers whether there was such a plan; nothing happens to others.
   * What of it is still there and carries a tag is found by {@link sweep} and {@link collect}.
   */
  forget(id: string, signal?: AbortSignal): Promise<boolean>;
  /** Runs the checks of a recorded plan. Throws where there is no record. */
  check(id: string, signal?: AbortSignal): Promise<readonly StepProblem[]>;
  record(id: string): PlanRecord | undefined;
  records(): IterableIterator<PlanRecord>;
  /** After a start: undoes what was begun and not ended, and what belongs to an earlier boot. Answers what it did, and what it could not. */
  recover(): Promise<{ readonly undone: readonly PlanRecord[]; readonly left: readonly string[] }>;
  /**
   * Removes what carries a tag of ours and belongs to no record. Shared things go when no record uses them. `rules`: only theirs; default:
   * of all that ever were.
   */
  collect(options: { readonly rules?: readonly string[] }): Promise<Collected>;
  /**
   * Removes what carries the tag of a plan that has no record; shared things stay. Quick where it is known that there is nothing: see `Strays`.
   * What is answered may be of other plans as well.
   */
  sweep(id: string): Promise<Collected>;
  close(): Promise<void>;
}
