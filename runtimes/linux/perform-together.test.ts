import { describe, expect, it } from 'vitest';
import { type Effect, EffectError } from '../../engine/step/effect.ts';
import { type Condition, NotBegun, performTogether } from './perform-together.ts';

type All = Extract<Effect, { kind: 'all' }>;

const named = (name: string): Effect => ({ kind: 'sysctl-write', netns: undefined, key: name, value: '1' });
const nameOf = (effect: Effect): string => (effect.kind === 'sysctl-write' ? effect.key : effect.kind);
const all = (order: All['order'], ...names: readonly string[]): All => ({
  kind: 'all',
  effects: names.map(named),
  ...(order !== undefined && { order }),
});

/** Logs what is begun and ended. Effects named `fails` fail, those named `direct` are begun directly. */
function stage({ unbegun = [] as readonly string[] } = {}) {
  const log: string[] = [];
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const play = async (name: string): Promise<string> => {
    log.push(`${name} begins`);
    await turn();
    log.push(`${name} ends`);
    if (name.includes('fails')) throw new EffectError('exists', 'there is one', name);
    return name;
  };
  let isMet = true;
  const directly = (effect: Effect, condition?: Condition): Promise<unknown> | undefined => {
    const name = nameOf(effect);
    if (!name.includes('direct')) return undefined;
    if (condition === 'sets') isMet = !name.includes('fails');
    if (condition === 'heeds' && (!isMet || unbegun.includes(name))) return turn().then(() => Promise.reject(new NotBegun(name)));
    return play(`${name}${condition === undefined ? '' : ` ${condition}`}`);
  };
  const perform = (effect: All): Promise<readonly unknown[]> => performTogether(effect, (each) => play(nameOf(each)), undefined, directly);
  return { log, perform };
}

describe('effects that are performed together', () => {
  it('begin at once where they have no order', async () => {
    const { log, perform } = stage();
    expect(await perform(all(undefined, 'a', 'b'))).toEqual(['a', 'b']);
    expect(log).toEqual(['a begins', 'b begins', 'a ends', 'b ends']);
  });

  it.each(['in-order', 'after-first'] as const)(
    'of which all can wait for each other are performed one after the other: %s',
    async (order) => {
      const { log, perform } = stage();
      expect(await perform(all(order, 'a', 'b'))).toEqual(['a', 'b']);
      expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
    },
  );

  it('go on in order behind one that fails, and throw its failure when all have ended', async () => {
    const { log, perform } = stage();
    await expect(perform(all('in-order', 'a', 'fails', 'direct', 'direct fails', 'b'))).rejects.toMatchObject({ tried: 'fails' });
    expect(log.filter((line) => line.endsWith('begins'))).toEqual(
      ['a', 'fails', 'direct', 'direct fails', 'b'].map((name) => `${name} begins`),
    );
    expect(log.indexOf('direct fails begins')).toBeLessThan(log.indexOf('direct ends'));
    expect(log.indexOf('b begins')).toBeGreaterThan(log.indexOf('direct fails ends'));
  });

  it('end with the first where they are only for what it has made', async () => {
    const { log, perform } = stage();
    await expect(perform(all('after-first', 'fails', 'a', 'direct'))).rejects.toMatchObject({ code: 'exists', tried: 'fails' });
    expect(log).toEqual(['fails begins', 'fails ends']);
  });

  it('are begun with the first where they heed how it ends', async () => {
    const { log, perform } = stage();
    expect(await perform(all('after-first', 'direct 1', 'direct 2', 'direct 3'))).toEqual([
      'direct 1 sets',
      'direct 2 heeds',
      'direct 3 heeds',
    ]);
    expect(log.slice(0, 3)).toEqual(['direct 1 sets begins', 'direct 2 heeds begins', 'direct 3 heeds begins']);
  });

  it('are not begun where the first fails, and its failure is thrown', async () => {
    const { log, perform } = stage();
    await expect(perform(all('after-first', 'direct fails', 'direct 2', 'b'))).rejects.toMatchObject({ code: 'exists' });
    expect(log).toEqual(['direct fails sets begins', 'direct fails sets ends']);
  });

  it('go on one after the other from the first that can not be begun with it', async () => {
    const { log, perform } = stage();
    expect(await perform(all('after-first', 'direct 1', 'direct 2', 'b', 'direct 4'))).toEqual([
      'direct 1 sets',
      'direct 2 heeds',
      'b',
      'direct 4',
    ]);
    expect(log.slice(4)).toEqual(['b begins', 'b ends', 'direct 4 begins', 'direct 4 ends']);
  });

  it('are performed after all where it became known only later that the first has not failed', async () => {
    const { log, perform } = stage({ unbegun: ['direct 2', 'direct 3'] });
    expect(await perform(all('after-first', 'direct 1', 'direct 2', 'direct 3'))).toEqual(['direct 1 sets', 'direct 2', 'direct 3']);
    expect(log.slice(0, 3)).toEqual(['direct 1 sets begins', 'direct 1 sets ends', 'direct 2 begins']);
  });

  it('are not begun where the first is refused before it is begun', async () => {
    const begun: string[] = [];
    const directly = (effect: Effect): Promise<unknown> => {
      if (nameOf(effect) === 'refused') throw new EffectError('invalid', 'no such word', 'refused');
      begun.push(nameOf(effect));
      return Promise.resolve();
    };
    const performed = performTogether(
      all('after-first', 'refused', 'direct 2'),
      () => Promise.reject(new Error('unasked')),
      undefined,
      directly,
    );
    await expect(performed).rejects.toMatchObject({ code: 'invalid', tried: 'refused' });
    expect(begun).toEqual([]);
  });

  it('tell which failed behind the first', async () => {
    const { perform } = stage();
    await expect(perform(all('after-first', 'direct 1', 'direct 2 fails', 'direct 3'))).rejects.toMatchObject({
      tried: 'direct 2 fails heeds',
    });
  });
});
