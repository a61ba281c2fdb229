import { type Effect, EffectError, type EffectHandler, type FailureCode, runSteps } from '../../engine/step/effect.ts';
import type { Operation, OwnedThing } from '../../engine/step/operation.ts';
import { readOwnerTag } from '../../engine/step/owner-tag.ts';
import { describeError, oneLine } from './failure-text.ts';
import type { KeyLocks } from './key-locks.ts';
import type { HostHandler, Performer } from './performer.ts';
import type { PerformerParts } from './plan-run.ts';
import { isUsed } from './shared-use.ts';
import { stepDeadline } from './step-deadline.ts';

/** Milliseconds for listing what one operation made, and for removing one thing. */
const PATIENCE = 30_000;

export interface Collected {
  readonly removed: readonly OwnedThing[];
  /** What could not be listed or removed, in words. */
  readonly left: readonly string[];
}

/** Removes what carries a tag of these rules and belongs to no record. Goes on after a failure. */
export async function collectGarbage(
  parts: PerformerParts,
  planLocks: KeyLocks,
  { rules, plans }: Parameters<Performer['collect']>[0],
): Promise<Collected> {
  const { handler, operations, clock, stepLocks } = parts;
  const wanted = rules === undefined ? undefined : new Set(rules.map(ruleInTag));
  const wantedPlans = plans === undefined ? undefined : new Set(plans);
  const removed: OwnedThing[] = [];
  const left: string[] = [];

  async function inTime<T>(what: string, act: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
    const deadline = stepDeadline(clock, PATIENCE, undefined);
    try {
      return await act(deadline.signal);
    } catch (error) {
      if (await isWithoutNftables(handler, error)) return undefined;
      left.push(oneLine(`${what}: ${describeError(error)}`));
      return undefined;
    } finally {
      deadline.end();
    }
  }

  /** Removes a thing while nobody can begin to use it, unless somebody does. */
  const remove = (operation: Operation, thing: OwnedThing, planId: string): Promise<void> =>
    inTime(`${operation.name}: ${thing.what} of ${thing.tag}`, async (signal) => {
      const isShared = operation.lifetime === 'shared';
      const locks = isShared ? stepLocks : planLocks;
      const release = await locks.acquire([isShared ? sharedKey(thing) : planId], 'the collection of garbage', signal);
      try {
        if (isShared ? isUsed(parts.journal, operation, [sharedKey(thing)]) : parts.journal.has(planId)) return;
        parts.crashPoint('before collecting');
        await runSteps(thing.remove(), handler, signal);
        parts.crashPoint('after collecting');
        removed.push(thing);
      } finally {
        release();
      }
    });

  const asked = [...operations.values()].filter(
    ({ inventory, lifetime }) => inventory !== undefined && (plans === undefined || lifetime !== 'shared'),
  );
  // Questions to different programs, some of which are started for each.
  const once = askedOnce(handler);
  const made = await Promise.all(
    asked.map((operation) => inTime(`what ${operation.name} made`, (signal) => runSteps(operation.inventory!(), once, signal))),
  );
  for (const [index, operation] of asked.entries()) {
    for (const thing of made[index] ?? []) {
      const tag = readOwnerTag(thing.tag);
      if (tag === undefined || wanted?.has(tag.rule) === false || wantedPlans?.has(tag.id) === false) continue;
      await remove(operation, thing, tag.id);
    }
  }
  return { removed, left };
}

/** Asks a question once, however many want to know. */
function askedOnce(handler: EffectHandler): EffectHandler {
  const answers = new Map<string, Promise<unknown>>();
  return {
    perform(effect, signal) {
      if (!QUESTIONS.has(effect.kind)) return handler.perform(effect, signal);
      const key = JSON.stringify(effect);
      const answer = answers.get(key) ?? handler.perform(effect, signal);
      answers.set(key, answer);
      return answer;
    },
  };
}

const QUESTIONS: ReadonlySet<Effect['kind']> = new Set(['show', 'nft-list', 'iptables-save']);

/** A host that has only iptables has nothing of ours in nftables. */
async function isWithoutNftables(handler: HostHandler, error: unknown): Promise<boolean> {
  if (!(error instanceof EffectError) || !error.tried.startsWith('nft ') || !LACKS.has(error.code)) return false;
  return (await handler.missing([{ kind: 'nft-family', name: 'inet' }])).length > 0;
}

const LACKS: ReadonlySet<FailureCode> = new Set(['program', 'unsupported']);

/** A tag holds no more of a rule's name. */
const ruleInTag = (rule: string): string => rule.slice(0, 90);

/** The lock key of the steps that use a shared thing. */
const sharedKey = (thing: OwnedThing): string => thing.key ?? thing.what.replace(' ', ':');
