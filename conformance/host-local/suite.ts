import type { CaseResult, Suite } from '../suite.ts';
import { cniPlugins } from '../tools/cni.ts';
import { ensureGoTool } from '../tools/go-tool.ts';
import { type Folder, type Giver, makeFolder, type RangeSets } from './host-local.ts';

export const suite: Suite = {
  name: 'host-local',
  description: 'our address allocator against the official host-local plugin: the same addresses, and the same folder in turns and at once',
  async *run(context) {
    const plugins = await ensureGoTool(cniPlugins, ['host-local'], { log: context.log, signal: context.signal });
    for (const [name, play] of cases()) {
      if (context.signal.aborted) return;
      if (context.wanted(name)) yield await judge(name, () => play(plugins));
    }
  },
};

type Play = (plugins: string) => Promise<void>;

async function judge(name: string, act: () => Promise<void>): Promise<CaseResult> {
  try {
    await act();
    return { name, outcome: 'passed' };
  } catch (error) {
    return { name, outcome: 'failed', reason: (error as Error).message };
  }
}

const RANGES: Readonly<Record<string, RangeSets>> = {
  'a small subnet': [[{ subnet: '10.1.0.0/28' }]],
  'a gateway elsewhere': [[{ subnet: '10.1.0.0/28', gateway: '10.1.0.9' }]],
  'part of a subnet': [[{ subnet: '10.1.0.0/16', rangeStart: '10.1.3.250', rangeEnd: '10.1.4.3', gateway: '10.1.4.1' }]],
  'two families': [[{ subnet: '10.1.0.0/28' }], [{ subnet: 'fd00::/124' }]],
  'several ranges of a set': [[{ subnet: '10.1.0.0/29' }, { subnet: '10.2.0.0/30' }, { subnet: '10.0.0.0/29', rangeStart: '10.0.0.4' }]],
  'an endless range': [[{ subnet: '2001:db8::/64', rangeStart: '2001:db8::ffff:fffe' }]],
  'bounds on the edges of a subnet': [[{ subnet: '10.1.0.0/29', rangeStart: '10.1.0.0', rangeEnd: '10.1.0.7' }]],
};

/** A repeatable story of who comes and goes: [verb, id, wish]. */
function story(seed: number, length: number): readonly (readonly ['add' | 'del', string, number])[] {
  let state = seed;
  const next = (bound: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % bound;
  };
  return Array.from({ length }, () => [next(3) === 0 ? 'del' : 'add', `c${next(20)}`, next(12)] as const);
}

const WISHES = ['10.1.0.3', '10.1.0.1', '10.1.0.9', '10.1.4.1', '10.1.0.15', 'fd00::7', '10.2.0.2', '10.9.9.9'];

function* cases(): Generator<readonly [name: string, play: Play]> {
  for (const [name, ranges] of Object.entries(RANGES)) {
    yield [`each in its own folder: ${name}`, (plugins) => sameInOwnFolders(plugins, ranges)];
    yield [`in turns in one folder: ${name}`, (plugins) => turnsInOneFolder(plugins, ranges)];
    yield [`refused alike: ${name}`, (plugins) => refusedAlike(plugins, ranges)];
  }
  yield ['both at once in one folder', bothAtOnce];
  yield ['a daemon that goes on while host-local works beside it', besideADaemon];
  for (const [name, ranges] of Object.entries(WRONG_RANGES))
    yield [`a configuration that is wrong: ${name}`, (plugins) => wrongAlike(plugins, ranges)];
}

function expectSame(what: string, ours: string, official: string): void {
  if (ours !== official) throw new Error(`${what}\nexpected: ${official}\nfound:    ${ours}`);
}

async function withFolders<T>(plugins: string, count: number, act: (folders: readonly Folder[]) => Promise<T>): Promise<T> {
  const folders = Array.from({ length: count }, () => makeFolder(plugins));
  try {
    return await act(folders);
  } finally {
    for (const folder of folders) folder.remove();
  }
}

/** Without what we say more: how many addresses there are. */
const comparable = (answer: string): string => answer.replace(/ \(all \d+ are taken\)$/, '');

async function sameInOwnFolders(plugins: string, ranges: RangeSets): Promise<void> {
  await withFolders(plugins, 2, async ([one, two]) => {
    const { ours } = one!;
    const { official } = two!;
    const held = new Set<string>();
    for (const [verb, id] of story(7, 120)) {
      if (verb === 'add' && held.has(id)) continue;
      const [found, expected] =
        verb === 'add' ? await both((giver) => giver.add(id, ranges)) : await both((giver) => giver.del(id, ranges));
      expectSame(`${verb} ${id}`, comparable(found), comparable(expected));
      if (verb === 'add' && !expected.startsWith('no')) held.add(id);
      else held.delete(id);
      expectSame(`the folder after ${verb} ${id}`, one!.state(), two!.state());
    }
    async function both(act: (giver: Giver) => Promise<string>): Promise<readonly [string, string]> {
      return [await act(ours), await act(official)];
    }
  });
}

/** Whoever is called goes on where the other ended, as if there were one. */
async function turnsInOneFolder(plugins: string, ranges: RangeSets): Promise<void> {
  await withFolders(plugins, 2, async ([mixed, reference]) => {
    const held = new Set<string>();
    for (const [index, [verb, id]] of story(11, 90).entries()) {
      if (verb === 'add' && held.has(id)) continue;
      const giver = index % 3 === 0 ? mixed!.official : index % 3 === 1 ? mixed!.ours : mixed!.restarted();
      const { official } = reference!;
      const [found, expected] =
        verb === 'add'
          ? [await giver.add(id, ranges), await official.add(id, ranges)]
          : [await giver.del(id, ranges), await official.del(id, ranges)];
      expectSame(`${verb} ${id} by ${giver.name}`, comparable(found), comparable(expected));
      if (verb === 'add' && !expected.startsWith('no')) held.add(id);
      else held.delete(id);
      expectSame(`the folder after ${verb} ${id} by ${giver.name}`, mixed!.state(), reference!.state());
      for (const asked of [mixed!.official, mixed!.ours]) {
        const answer = await asked.check(id, ranges);
        expectSame(`check of ${id} by ${asked.name}`, String(answer === 'yes'), String(held.has(id)));
      }
    }
  });
}

async function refusedAlike(plugins: string, ranges: RangeSets): Promise<void> {
  await withFolders(plugins, 2, async ([one, two]) => {
    for (const [verb, id, wish] of story(3, 60)) {
      const requested = wish < WISHES.length ? [WISHES[wish]!] : [];
      if (verb === 'del') {
        await one!.ours.del(id, ranges);
        await two!.official.del(id, ranges);
        continue;
      }
      // Who holds one already is the difference that is meant: we answer again, where host-local refuses.
      if (two!.state().includes(`"${id}\\r\\neth0"`)) continue;
      const expected = await two!.official.add(id, ranges, requested);
      expectSame(`add ${id}, asked for ${requested.join()}`, comparable(await one!.ours.add(id, ranges, requested)), comparable(expected));
    }
  });
}

/** Twenty containers by each, at the same time: no address twice, and all that were given are in the folder. */
async function bothAtOnce(plugins: string): Promise<void> {
  await withFolders(plugins, 1, async ([folder]) => {
    const ranges = [[{ subnet: '10.1.0.0/24' }]];
    const { official, ours } = folder!;
    for (let round = 0; round < 3; round++) {
      const ids = Array.from({ length: 40 }, (_, index) => `r${round}-${index}`);
      const answers = await Promise.all(ids.map((id, index) => (index % 2 === 0 ? official : ours).add(id, ranges)));
      const refused = answers.find((answer) => answer.startsWith('no'));
      if (refused !== undefined) throw new Error(refused);
      if (new Set(answers).size !== ids.length) throw new Error(`an address was given twice: ${answers.join('; ')}`);
      // Each releases what the other gave.
      const released = await Promise.all(ids.map((id, index) => (index % 2 === 0 ? ours : official).del(id, ranges)));
      const failed = released.find((answer) => answer !== 'yes');
      if (failed !== undefined) throw new Error(failed);
      const left = folder!
        .state()
        .split('\n')
        .filter((line) => !line.startsWith('last_'));
      if (left.length > 0) throw new Error(`left: ${left.join('; ')}`);
    }
  });
}

async function besideADaemon(plugins: string): Promise<void> {
  await withFolders(plugins, 1, async ([folder]) => {
    const ranges = [[{ subnet: '10.1.0.0/29' }]];
    const { official, ours } = folder!;
    for (const id of ['a', 'b', 'c', 'd', 'e']) await (id < 'c' ? ours : official).add(id, ranges);
    const full = await ours.add('f', ranges);
    if (!full.startsWith('no: failed to allocate for range 0: no IP addresses available'))
      throw new Error(`expected none left, found ${full}`);
    await official.del('b', ranges);
    expectSame('the address that host-local released', await ours.add('f', ranges), '10.1.0.3/29 by 10.1.0.1');
    // By now the address of b is f's: a late DEL of b must not take it away.
    await ours.del('b', ranges);
    expectSame('a late DEL', await official.check('f', ranges), 'yes');
    await ours.del('d', ranges);
    expectSame('the address that we released', await official.add('g', ranges), '10.1.0.5/29 by 10.1.0.1');
  });
}

const WRONG_RANGES: Readonly<Record<string, RangeSets>> = {
  none: [],
  'an empty set': [[]],
  'too small': [[{ subnet: '10.1.0.0/31' }]],
  'host bits': [[{ subnet: '10.1.0.7/24' }]],
  'host bits of IPv6': [[{ subnet: 'fd00::7/64' }]],
  'a start outside': [[{ subnet: '10.1.0.0/24', rangeStart: '10.1.1.0' }]],
  'an end outside': [[{ subnet: '10.1.0.0/24', rangeEnd: '10.2.0.0' }]],
  'a start of the other family': [[{ subnet: '10.1.0.0/24', rangeStart: 'fd00::1' }]],
  'mixed families': [[{ subnet: '10.1.0.0/24' }, { subnet: 'fd00::/64' }]],
  'an overlap in a set': [[{ subnet: '10.1.0.0/16' }, { subnet: '10.1.2.0/24' }]],
  'an overlap of sets': [[{ subnet: '10.1.0.0/16' }], [{ subnet: '10.1.2.0/24' }]],
};

async function wrongAlike(plugins: string, ranges: RangeSets): Promise<void> {
  await withFolders(plugins, 1, async ([folder]) => {
    expectSame('the refusal', await folder!.ours.add('a', ranges), await folder!.official.add('a', ranges));
  });
}
