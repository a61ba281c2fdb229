import { type Effect, type EffectHandler, runSteps } from '../../engine/step/effect.ts';
import type { Operation, OwnedThing } from '../../engine/step/operation.ts';
import { readOwnerTag } from '../../engine/step/owner-tag.ts';
import { describeError, oneLine } from './failure-text.ts';
import type { KeyLocks } from './key-locks.ts';
import type { Collected } from './performer.ts';
import type { PerformerParts } from './plan-run.ts';
import { isUsed } from './shared-use.ts';
import { stepDeadline } from './step-deadline.ts';

/** Milliseconds for listing what one operation made, and for removing one thing. */
const PATIENCE = 30_000;

/** What is looked for; nothing said: everything. */
export interface Wanted {
  /** Only what these rules made. */
  readonly rules?: readonly string[];
  /** Only what carries the tags of these plans; shared things stay then. */
  readonly plans?: readonly string[];
  /** Calls it off. */
  readonly signal?: AbortSignal;
}

export interface Collection extends Collected {
  /** Plans without a record of which something is there still, shared things aside; undefined where not everything was listed. */
  readonly strays: ReadonlySet<string> | undefined;
}

/** Removes what is wanted and belongs to no record. Goes on after a failure. */
export async function collectGarbage(
  parts: PerformerParts,
  planLocks: KeyLocks,
  { rules, plans, signal: outer }: Wanted,
): Promise<Collection> {
  const { handler, operations, clock, stepLocks, journal } = parts;
  const wanted = rules === undefined ? undefined : new Set(rules.map(ruleInTag));
  const wantedPlans = plans === undefined ? undefined : new Set(plans);
  const removed: OwnedThing[] = [];
  const left: string[] = [];
  const strays = new Set<string>();

  async function inTime<T>(what: string, act: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
    const deadline = stepDeadline(clock, PATIENCE, outer);
    try {
      return await act(deadline.signal);
    } catch (error) {
      left.push(oneLine(`${what}: ${describeError(error)}`));
      return undefined;
    } finally {
      deadline.end();
    }
  }

  /** Removes a thing while nobody can begin to use it, unless somebody does. Answers whether it is gone. */
  const remove = (operation: Operation, thing: OwnedThing, planId: string): Promise<boolean | undefined> =>
    inTime(`${operation.name}: ${thing.what} of ${thing.tag}`, async (signal) => {
      const isShared = operation.lifetime === 'shared';
      const locks = isShared ? stepLocks : planLocks;
      const release = await locks.acquire([isShared ? sharedKey(thing) : planId], 'the collection of garbage', signal);
      try {
        if (isShared ? isUsed(journal, operation, [sharedKey(thing)]) : journal.has(planId)) return false;
        parts.crashPoint('before collecting');
        await runSteps(thing.remove(), handler, signal);
        parts.crashPoint('after collecting');
        removed.push(thing);
        return true;
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
      if (tag === undefined) continue;
      const isWanted = wanted?.has(tag.rule) !== false && wantedPlans?.has(tag.id) !== false;
      const isGone = isWanted && (await remove(operation, thing, tag.id)) === true;
      if (!isGone && operation.lifetime !== 'shared' && !journal.has(tag.id)) strays.add(tag.id);
    }
  }
  const isComplete = made.every((things) => things !== undefined);
  return { removed, left, strays: isComplete ? strays : undefined };
}

/** Asks a question once, however many want to know; what failed is asked again. */
function askedOnce(handler: EffectHandler): EffectHandler {
  const answers = new Map<string, Promise<unknown>>();
  return {
    perform(effect, signal) {
      if (!QUESTIONS.has(effect.kind)) return handler.perform(effect, signal);
      const key = JSON.stringify(effect);
      let answer = answers.get(key);
      if (answer === undefined) {
        answer = handler.perform(effect, signal);
        answers.set(key, answer);
        answer.catch(() => answers.delete(key));
      }
      return answer;
    },
  };
}

const QUESTIONS: ReadonlySet<Effect['kind']> = new Set(['show', 'nft-list', 'iptables-save']);

/** A tag holds no more of a rule's name. */
const ruleInTag = (rule: string): string => rule.slice(0, 90);

/** The lock key of the steps that use a shared thing. */
const sharedKey = (thing: OwnedThing): string => thing.key ?? thing.what.replace(' ', ':');
