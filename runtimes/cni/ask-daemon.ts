import { invoke } from './invoke.ts';

/*
 * What the daemon tells of itself over the same socket. Executables only send variables of CNI, so nothing that a runtime does is taken for
 * such a question.
 */

/** Variable that makes an invocation a question to the daemon itself. */
export const QUESTION = 'FAIRLEAD_QUESTION';
export type Question = 'status' | GcQuestion;
/** `all`: of all rules that ever were. `forget`: what still can't be undone is not tried any more. */
export type GcQuestion = 'gc' | 'gc all' | 'gc forget' | 'gc all forget';

export interface DaemonStatus {
  readonly version: string;
  readonly node: string;
  /** Why no ADD is served; absent when they are. */
  readonly notReady?: string;
  readonly bundle: {
    readonly name: string;
    readonly version: string;
    /** Counts the bundles that served since the daemon began, from 1. */
    readonly generation: number;
    /** What kept the newest version of the files from serving. */
    readonly failure?: string;
  };
  readonly rules: readonly RuleStatus[];
  readonly networks: readonly NetworkStatus[];
  readonly attachments: readonly AttachmentStatus[];
  /** What any network needs and the host, or this process, has not, in words. */
  readonly missing: readonly string[];
  /** DELs that wait in the spool. */
  readonly spooled: number;
}

export interface RuleStatus {
  readonly name: string;
  /** What the host has not that the rule needs, in words. */
  readonly missing: readonly string[];
  /** What stands against its steps for the node, in words. */
  readonly faults: readonly string[];
}

export interface NetworkStatus {
  readonly name: string;
  readonly rules: readonly string[];
  readonly attachments: number;
  /** Of the ranges that its attachments have addresses from. */
  readonly addresses: readonly AddressStatus[];
}

export interface AddressStatus {
  /** `10.1.0.1-10.1.0.254`. */
  readonly ranges: string;
  /** Decimal numbers, which for IPv6 may be long. */
  readonly total: string;
  readonly free: string;
}

export interface AttachmentStatus {
  readonly network: string;
  readonly rule: string;
  readonly containerId: string;
  readonly ifName: string;
  readonly netns: string;
  /** CIDRs. */
  readonly addresses: readonly string[];
  /** Milliseconds since 1970. */
  readonly since: number;
  /** `undoing`: something is left of it that could not be undone, or it is being undone at this moment. */
  readonly state: 'performing' | 'performed' | 'undoing';
  /** Why it could not be undone when that was tried last; absent where it was not tried again yet. */
  readonly reason?: string;
}

export interface GcReport {
  readonly removed: readonly string[];
  /** What could not be removed, in words. */
  readonly left: readonly string[];
  /** What could not be removed and was forgotten, in words. */
  readonly forgotten: readonly string[];
}

/** Milliseconds for an answer. */
const deadlineOf = (question: Question): number => (question === 'status' ? 10_000 : 120_000);

/** Asks the daemon at a socket. Throws `NoAnswerError`, and an Error with what the daemon says against it. */
export async function askDaemon(socketPath: string, question: 'status'): Promise<DaemonStatus>;
export async function askDaemon(socketPath: string, question: GcQuestion): Promise<GcReport>;
export async function askDaemon(socketPath: string, question: Question): Promise<unknown> {
  const { exitCode, stdout, stderr } = await invoke(
    socketPath,
    { environment: new Map([[QUESTION, question]]), stdin: '' },
    deadlineOf(question),
  );
  if (exitCode !== 0) throw new Error(`the daemon at ${socketPath} can't answer: ${stderr || stdout}`);
  return JSON.parse(stdout);
}
