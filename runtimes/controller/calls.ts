import type { JsonObject } from '../../engine/object/json.ts';
import { isExpected } from '../../engine/rules/reconcile/http-calls.ts';
import type { CallRequest, CallResult, HttpRequest, UndoCall } from '../../engine/rules/reconcile/program.ts';
import { CallError } from '../host/http-caller.ts';
import type { Environment, FailedCall, InstanceMemory, RuleIdentity } from './environment.ts';
import { isUndone, type Journal, type JournalEntry, openJournal, undoDiffers } from './journal.ts';
import { uidOf } from './ownership.ts';
import { type Problem, problem } from './problem.ts';

export interface CallContext {
  readonly env: Environment;
  readonly rule: RuleIdentity;
  readonly instance: JsonObject;
  readonly memory: InstanceMemory;
  /** What a plan with this answer gives to undo the call: asked before the answer is kept, so that both are kept at once. */
  readonly undoOf: (id: string, key: string, result: CallResult) => UndoCall | undefined;
}

/** Milliseconds before a failed call is made again; doubled with each further failure. */
const FIRST_RETRY = 1000;
const LONGEST_RETRY = 5 * 60_000;
/** Methods that may be repeated without a trace (RFC 9110 9.2.1). */
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

export async function journalOf({
  env,
  rule,
  instance,
  memory,
}: Pick<CallContext, 'env' | 'rule' | 'instance' | 'memory'>): Promise<Journal> {
  memory.journal ??= await openJournal(env.writer, { namespace: env.stateNamespace, rule: rule.name, instanceUid: uidOf(instance) });
  return memory.journal;
}

export interface CallOutcome {
  /** An answer came that was not known before. */
  readonly answered: boolean;
  readonly problem?: Problem;
  /** Milliseconds after which the call may be made again. */
  readonly again?: number;
}

/** Makes one call, unless it failed a moment ago. */
export async function makeCall(context: CallContext, request: CallRequest): Promise<CallOutcome> {
  const { env, memory } = context;
  const failed = memory.failedCalls.get(request.id);
  if (failed?.key === request.key && failed.retryAt > env.clock.elapsed()) {
    return { answered: false, again: failed.retryAt - env.clock.elapsed(), problem: problem('CallFailed', failed.message, false) };
  }
  const journal = await journalOf(context);
  const before = journal.entries.get(request.id);
  if (!SAFE.has(request.request.method) && !(before?.key === request.key && before.state === 'started')) {
    // Under another key it is another call: the former answer is none to it. What would undo the former one stays until this one is known.
    const kept = before?.key === request.key ? before : undoField(before?.undo);
    await put(memory, journal, request.id, { ...kept, key: request.key, state: 'started' });
  }
  let answer: Omit<CallResult, 'at'>;
  try {
    answer = await env.call(request.request, request.key);
  } catch (error) {
    const final = error instanceof CallError && error.final;
    return fail(context, request, error instanceof Error ? error.message : String(error), undefined, final);
  }
  const result: CallResult = { ...answer, at: env.clock.now() };
  if (!isExpected(request.request, answer.status)) {
    return fail(context, request, `call ${request.id} was answered with ${answer.status}`, result, false);
  }
  memory.failedCalls.delete(request.id);
  const undo = context.undoOf(request.id, request.key, result);
  const former = before?.undo;
  const entry: JournalEntry = { key: request.key, state: 'done', result, ...undoField(undo?.request ?? former) };
  await put(memory, journal, request.id, entry);
  return { answered: true };
}

const undoField = (undo: HttpRequest | undefined): { readonly undo?: HttpRequest } => (undo === undefined ? {} : { undo });

function fail(context: CallContext, request: CallRequest, message: string, result: CallResult | undefined, stalled: boolean): CallOutcome {
  const { memory, env } = context;
  const before = memory.failedCalls.get(request.id);
  const failed = failedCall(env, request.key, message, before, result);
  memory.failedCalls.set(request.id, failed);
  // An answer that was not expected is a fact: the rule may have something to say about it.
  const answered = result !== undefined && result.status !== before?.result?.status;
  return {
    answered,
    again: failed.retryAt - env.clock.elapsed(),
    problem: problem(stalled ? 'CallRefused' : 'CallFailed', message, stalled),
  };
}

function failedCall(
  env: Environment,
  key: string,
  message: string,
  before: FailedCall | undefined,
  result: CallResult | undefined,
): FailedCall {
  const attempts = before?.key === key ? before.attempts + 1 : 1;
  const retryAt = env.clock.elapsed() + Math.min(FIRST_RETRY * 2 ** (attempts - 1), LONGEST_RETRY);
  return { key, message, attempts, retryAt, ...(result === undefined ? {} : { result }) };
}

/** Where another process wrote the journal, what we know of it is worth nothing. */
async function put(memory: InstanceMemory, journal: Journal, id: string, entry: JournalEntry | undefined): Promise<void> {
  try {
    await journal.put(id, entry);
  } catch (error) {
    memory.journal = undefined;
    throw error;
  }
}

/** Keeps what the plan gives to undo calls, where it is not kept already. */
export async function keepUndos(context: CallContext, undos: readonly UndoCall[]): Promise<void> {
  if (undos.length === 0) return;
  const journal = await journalOf(context);
  for (const undo of undos) {
    const entry = journal.entries.get(undo.id);
    if (entry?.key === undo.key && undoDiffers(entry, undo)) await put(context.memory, journal, undo.id, { ...entry, undo: undo.request });
  }
}

export interface UndoOutcome {
  /** Nothing is left to undo. */
  readonly done: boolean;
  readonly problem?: Problem;
  readonly again?: number;
}

/** Undoes calls, from the journal alone, the last made first. `ids` are ids of entries, with all their items; undefined for all. */
export async function undoCalls(context: Omit<CallContext, 'undoOf'>, ids: ReadonlySet<string> | undefined): Promise<UndoOutcome> {
  const { env, memory, instance } = context;
  const journal = await journalOf(context);
  for (const [id, entry] of [...journal.entries].reverse()) {
    if (ids !== undefined && !ids.has(id) && !ids.has(id.slice(0, id.indexOf('/')))) continue;
    if (entry.undo !== undefined) {
      const failed = memory.failedUndos.get(id);
      const wait = (failed?.retryAt ?? 0) - env.clock.elapsed();
      if (failed !== undefined && wait > 0) return { done: false, again: wait, problem: problem('UndoFailed', failed.message, false) };
      const message = await undo(env, id, entry.key, entry.undo);
      if (message !== undefined) {
        const next = failedCall(env, entry.key, message, failed, undefined);
        memory.failedUndos.set(id, next);
        return { done: false, again: next.retryAt - env.clock.elapsed(), problem: problem('UndoFailed', message, false) };
      }
      memory.failedUndos.delete(id);
    } else if (entry.state === 'started') {
      env.report(
        instance,
        'Warning',
        'CallUnknown',
        `call ${id} may have been made; its answer never came, so there is nothing to undo it by`,
      );
    }
    await put(memory, journal, id, undefined);
    memory.failedCalls.delete(id);
  }
  return { done: true };
}

/** Why it failed. */
async function undo(env: Environment, id: string, key: string, request: HttpRequest): Promise<string | undefined> {
  try {
    const { status } = await env.call(request, `${key}/undo`);
    return isUndone(status, request) ? undefined : `undoing call ${id} was answered with ${status}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
