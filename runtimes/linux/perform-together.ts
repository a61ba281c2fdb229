import type { Effect, EffectHandler } from '../../engine/step/effect.ts';

/** Performs effects of one `all`: their answers, in order. Throws the first failure in that order, after all have ended. */
export async function performTogether(
  effects: readonly Effect[],
  how: 'at once' | 'in order',
  perform: EffectHandler['perform'],
  signal: AbortSignal | undefined,
): Promise<unknown[]> {
  const ends: PromiseSettledResult<unknown>[] = [];
  if (how === 'at once') ends.push(...(await Promise.allSettled(effects.map((effect) => perform(effect, signal)))));
  else for (const effect of effects) ends.push(...(await Promise.allSettled([perform(effect, signal)])));
  return ends.map((end) => {
    if (end.status === 'rejected') throw end.reason;
    return end.value;
  });
}
