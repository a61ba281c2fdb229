import { type Effect, EffectError, type EffectHandler } from '../../engine/step/effect.ts';

/** What happens to an effect depends on how another one ends that is begun before it and has not ended: `sets` it is that one. */
export type Condition = 'sets' | 'heeds';

/**
 * Begins an effect where there is somebody who does in order what is begun in order, so that nobody waits in between; answers undefined, and
 * does nothing, where not. What heeds a condition that is not met, or can't be known, is rejected with {@link NotBegun}.
 */
export type BeginDirectly = (effect: Effect, condition?: Condition) => Promise<unknown> | undefined;

/** An effect was left alone, as it was not known whether it should be. */
export class NotBegun extends EffectError {
  constructor(tried: string) {
    super('other', 'it was not begun', tried);
  }
}

type Perform = EffectHandler['perform'];
type End = PromiseSettledResult<unknown>;

/** Performs the effects of an `all`. Answers in the order of the effects, and throws the first failure in that order after all have ended. */
export async function performTogether(
  { effects, order }: Extract<Effect, { kind: 'all' }>,
  perform: Perform,
  signal: AbortSignal | undefined,
  directly: BeginDirectly = () => undefined,
): Promise<readonly unknown[]> {
  if (order === undefined) return answersOf(await Promise.allSettled(effects.map((effect) => perform(effect, signal))));
  const inOrder = (some: readonly Effect[]): Promise<readonly End[]> => endsInOrder(some, perform, signal, directly);
  if (order === 'in-order') return answersOf(await inOrder(effects));
  return answersOf(await endsAfterFirst(effects, inOrder, directly));
}

async function endsInOrder(
  effects: readonly Effect[],
  perform: Perform,
  signal: AbortSignal | undefined,
  directly: BeginDirectly,
): Promise<readonly End[]> {
  const ends: Promise<End>[] = [];
  for (const effect of effects) {
    const begun = orRejected(() => directly(effect));
    if (begun !== undefined) {
      ends.push(settled(begun));
      continue;
    }
    await Promise.all(ends);
    ends.push(settled(perform(effect, signal)));
    await ends.at(-1);
  }
  return Promise.all(ends);
}

/** The others are begun with the first where they can be made to heed how it ends. */
async function endsAfterFirst(
  [first, ...others]: readonly Effect[],
  inOrder: (effects: readonly Effect[]) => Promise<readonly End[]>,
  directly: BeginDirectly,
): Promise<readonly End[]> {
  if (first === undefined) return [];
  let begun: Promise<unknown> | undefined;
  try {
    begun = directly(first, 'sets');
  } catch (reason) {
    // Nothing was begun that could be heeded.
    return [{ status: 'rejected', reason }];
  }
  const followers: Promise<End>[] = [];
  for (const effect of begun === undefined ? [] : others) {
    const follower = orRejected(() => directly(effect, 'heeds'));
    if (follower === undefined) break;
    followers.push(settled(follower));
  }
  const [end] = begun === undefined ? await inOrder([first]) : [await settled(begun)];
  const ends = await Promise.all(followers);
  if (end!.status === 'rejected') return [end!];
  const unbegun = ends.findIndex((each) => each.status === 'rejected' && each.reason instanceof NotBegun);
  const done = unbegun === -1 ? ends : ends.slice(0, unbegun);
  return [end!, ...done, ...(await inOrder(others.slice(done.length)))];
}

function orRejected<T>(begin: () => Promise<T> | undefined): Promise<T> | undefined {
  try {
    return begin();
  } catch (error) {
    return Promise.reject(error);
  }
}

const settled = (work: Promise<unknown>): Promise<End> =>
  work.then(
    (value) => ({ status: 'fulfilled', value }) as const,
    (reason) => ({ status: 'rejected', reason }) as const,
  );

const answersOf = (ends: readonly End[]): readonly unknown[] =>
  ends.map((end) => {
    if (end.status === 'rejected') throw end.reason;
    return end.value;
  });
