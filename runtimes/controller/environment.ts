import type { JsonObject } from '../../engine/object/json.ts';
import type { CallResult } from '../../engine/rules/reconcile/program.ts';
import type { Clock } from '../host/clock.ts';
import type { HttpCaller } from '../host/http-caller.ts';
import type { Log } from '../host/log.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import type { RandomBytes } from './generate.ts';
import type { Journal } from './journal.ts';
import type { RewriteWatch } from './rewrite-watch.ts';
import type { Sources } from './sources.ts';
import type { Writer } from './writer.ts';

/** Tells people who look at an object what happened to it. */
export type ReportEvent = (about: JsonObject, type: 'Normal' | 'Warning', reason: string, message: string) => void;

/** What all instances share. */
export interface Environment {
  readonly client: KubernetesClient;
  readonly writer: Writer;
  readonly sources: Sources;
  readonly call: HttpCaller;
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
  readonly log: Log;
  readonly report: ReportEvent;
  readonly rewrites: RewriteWatch;
  /** Where journals are kept. */
  readonly stateNamespace: string;
  /** Whether a field manager belongs to a rule that is still there. */
  readonly isLivingManager: (manager: string) => boolean;
  /** Whether an instance of any rule has this uid. */
  readonly instanceLives: (uid: string) => boolean;
}

/** What was applied last, so that the same need not be applied again. */
export interface Applied {
  /** Of what was wanted. */
  readonly desired: string;
  /** Of what we owned afterwards. */
  readonly owned: string;
}

export interface FailedCall {
  readonly key: string;
  /** The answer, where there was one. */
  readonly result?: CallResult;
  readonly message: string;
  readonly attempts: number;
  /** On {@link Clock.elapsed}: not to be made again before. */
  readonly retryAt: number;
}

/**
 * What is remembered of an instance between two looks. All of it can be found out again: a process that starts anew remembers nothing.
 */
export interface InstanceMemory {
  uid: string;
  generation: number | undefined;
  /** By reference. */
  readonly applied: Map<string, Applied>;
  /** Fields of the status that we wrote. */
  statusFields: ReadonlySet<string> | undefined;
  journal: Journal | undefined;
  readonly failedCalls: Map<string, FailedCall>;
  readonly failedUndos: Map<string, FailedCall>;
  /** Text of the problem that was reported last. */
  reported: string;
}

export function createMemory(uid: string): InstanceMemory {
  return {
    uid,
    generation: undefined,
    applied: new Map(),
    statusFields: undefined,
    journal: undefined,
    failedCalls: new Map(),
    failedUndos: new Map(),
    reported: '',
  };
}

/** The fields of a rule that outlive the rule itself: enough to clean up after it. */
export interface RuleIdentity {
  readonly name: string;
  readonly fieldManager: string;
}
