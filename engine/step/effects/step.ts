import type { Json } from '../../object/json.ts';
import type { Effect, Steps } from '../effect.ts';

/** Keeps what undo and check will need, on disk before it goes on. Replaces what was kept. */
export function* remember(value: Json): Steps<void> {
  yield { kind: 'remember', value };
}

/** Waits so many milliseconds, between questions. */
export function* pause(milliseconds: number): Steps<void> {
  yield { kind: 'pause', milliseconds };
}

/** Effects that do not depend on each other, and their answers in order. The first failure is thrown when all have ended. */
export function* all(...effects: readonly Effect[]): Steps<readonly unknown[]> {
  return (yield { kind: 'all', effects }) as readonly unknown[];
}

/** Effects in order, of which none is performed where the first has failed. The first failure is thrown when all have ended. */
export function* afterFirst(first: Effect, ...others: readonly Effect[]): Steps<void> {
  if (others.length > 0) yield { kind: 'all', effects: [first, ...others], order: 'after-first' };
  else yield first;
}

/** Effects of which each is performed after those before it, whether they failed or not. The first failure is thrown when all have ended. */
export function* inOrder(...effects: readonly Effect[]): Steps<void> {
  if (effects.length > 1) yield { kind: 'all', effects, order: 'in-order' };
  else if (effects[0] !== undefined) yield effects[0];
}
