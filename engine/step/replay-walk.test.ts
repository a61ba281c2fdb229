import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../object/json.ts';
import type { BoundStep, PlanWalk } from './plan.ts';
import { replayWalks } from './replay-walk.ts';

/** Three steps, each named after what the one before ended with. */
function counted() {
  let bound = 0;
  const walks = replayWalks((): PlanWalk => {
    const said: string[] = ['start'];
    return {
      next(): BoundStep | undefined {
        if (said.length > 3) return undefined;
        bound++;
        return { key: `${said.length}-${said.at(-1)}`, operation: 'x', arguments: {}, timeout: 1, path: [] };
      },
      done: (outputs) => void said.push(String(outputs['is'])),
    };
  });
  return { walks, bound: () => bound };
}

function play(walk: PlanWalk, ...outputs: readonly JsonObject[]): readonly string[] {
  const keys: string[] = [];
  for (const each of outputs) {
    keys.push(walk.next()!.key);
    walk.done(each);
  }
  return keys;
}

const [a, b, c] = [{ is: 'a' }, { is: 'b' }, { is: 'c' }];

describe('walks that are replayed', () => {
  it('bind each step once', () => {
    const { walks, bound } = counted();
    const first = walks();
    expect(play(first, a, b, c)).toEqual(['1-start', '2-a', '3-b']);
    expect(first.next()).toBeUndefined();
    const second = walks();
    expect(play(second, { is: 'a' }, { is: 'b' }, c)).toEqual(['1-start', '2-a', '3-b']);
    expect(second.next()).toBeUndefined();
    expect(bound()).toBe(3);
  });

  it('go on where the one before ended', () => {
    const { walks, bound } = counted();
    play(walks(), a);
    expect(play(walks(), a, b, c)).toEqual(['1-start', '2-a', '3-b']);
    expect(bound()).toBe(3);
  });

  it('part where a step ends with something else', () => {
    const { walks } = counted();
    play(walks(), a, b, c);
    const other = walks();
    expect(play(other, a, c, b)).toEqual(['1-start', '2-a', '3-c']);
    expect(other.next()).toBeUndefined();
    expect(play(walks(), a, b, c)).toEqual(['1-start', '2-a', '3-b']);
  });

  it('may be walked at the same time', () => {
    const { walks } = counted();
    const [one, two] = [walks(), walks()];
    expect([one.next()!.key, two.next()!.key]).toEqual(['1-start', '1-start']);
    one.done(a);
    two.done(b);
    expect([one.next()!.key, two.next()!.key]).toEqual(['2-a', '2-b']);
  });
});
