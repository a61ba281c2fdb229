import type { Effect, EffectHandler } from '../../engine/step/effect.ts';

/*
 * Effects of one `all`. Both answer in the order of the effects, and throw the first failure in that order after all have ended.
 */

export async function performAtOnce(
  effects: readonly Effect[],
  perform: EffectHandler['perform'],
  signal: AbortSignal | undefined,
): Promise<readonly unknown[]> {
  return answersOf(await Promise.allSettled(effects.map((effect) => perform(effect, signal))));
}

/**
 * Each after those before it, whether they failed or not. `directly` begins an effect where there is somebody who does in order what is begun
 * in order, so that nobody waits in between; it answers undefined, and does nothing, where not.
 */
export async function performInOrder(
  effects: readonly Effect[],
  perform: EffectHandler['perform'],
  signal: AbortSignal | undefined,
  directly: (effect: Effect) => Promise<unknown> | undefined = () => undefined,
): Promise<readonly unknown[]> {
  const ends: Promise<PromiseSettledResult<unknown>>[] = [];
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
  return answersOf(await Promise.all(ends));
}

function orRejected<T>(begin: () => Promise<T> | undefined): Promise<T> | undefined {
  try {
    return begin();
  } catch (error) {
    return Promise.reject(error);
  }
}

const settled = async (work: Promise<unknown>): Promise<PromiseSettledResult<unknown>> => (await Promise.allSettled([work]))[0]!;

const answersOf = (ends: readonly PromiseSettledResult<unknown>[]): readonly unknown[] =>
  ends.map((end) => {
    if (end.status === 'rejected') throw end.reason;
    return end.value;
  });
