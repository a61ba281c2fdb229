import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addressFromNumber, addressToNumber, formatIpAddress, parseIp } from '../../../engine/object/ip-address.ts';
import type { AddressRange, AddressRequest } from '../../../engine/rules/network/program.ts';
import { EffectError } from '../../../engine/step/effect.ts';
import { type AddressAllocator, createAddressAllocator } from './allocator.ts';
import { memoryFiles } from './memory-files.fixture.ts';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'flf-addresses-'));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

type Changes = Partial<Omit<AddressRequest, 'ranges'>>;
const SMALL: readonly AddressRange[] = [{ subnet: '10.1.0.0/29' }];

const request = (containerId: string, ranges: readonly (readonly AddressRange[])[] = [SMALL], changes: Changes = {}): AddressRequest => ({
  network: 'net',
  containerId,
  ifName: 'eth0',
  ranges,
  requested: [],
  dataDir,
  ...changes,
});

const fresh = (): AddressAllocator => createAddressAllocator({ log: () => {} });

async function given(allocator: AddressAllocator, wanted: AddressRequest): Promise<string> {
  try {
    return (await allocator.allocate(wanted)).ips.map(({ address }) => address).join(' ');
  } catch (error) {
    if (!(error instanceof EffectError)) throw error;
    return `${error.code}: ${error.message}`;
  }
}

const names = (): string[] => readdirSync(join(dataDir, 'net')).sort();
const reserved = (): string[] => names().filter((name) => parseIp(name) !== undefined);

describe('allocation', () => {
  it('gives one address after the other, round and round, never the gateway', async () => {
    const allocator = fresh();
    const all: string[] = [];
    for (const id of ['a', 'b', 'c']) all.push(await given(allocator, request(id)));
    expect(all).toEqual(['10.1.0.2/29', '10.1.0.3/29', '10.1.0.4/29']);
    await allocator.release(request('a'));
    expect(await given(allocator, request('d'))).toBe('10.1.0.5/29');
    expect(await given(allocator, request('e'))).toBe('10.1.0.6/29');
    expect(await given(allocator, request('f'))).toBe('10.1.0.2/29');
    expect(await given(allocator, request('g'))).toBe(
      'full: failed to allocate for range 0: no IP addresses available in range set: 10.1.0.1-10.1.0.6 (all 5 are taken)',
    );
  });

  it('keeps what it gives in the layout of host-local', async () => {
    const allocator = fresh();
    const answer = await allocator.allocate(request('a', [SMALL, [{ subnet: 'FD00::/64' }]]));
    expect(answer.ips).toEqual([
      { address: '10.1.0.2/29', gateway: '10.1.0.1' },
      { address: 'fd00::2/64', gateway: 'fd00::1' },
    ]);
    expect(names()).toEqual(['10.1.0.2', 'fd00::2', 'last_reserved_ip.0', 'last_reserved_ip.1']);
    expect(readFileSync(join(dataDir, 'net', 'fd00::2'), 'utf8')).toBe('a\r\neth0');
    expect(readFileSync(join(dataDir, 'net', 'last_reserved_ip.1'), 'utf8')).toBe('fd00::2');
  });

  it('goes on where another process ended', async () => {
    await given(fresh(), request('a'));
    const second = fresh();
    expect(await given(second, request('b'))).toBe('10.1.0.3/29');
    expect(await second.release(request('a'))).toEqual(['10.1.0.2']);
  });

  it('gives an attachment the same again, and an interface beside it another', async () => {
    const allocator = fresh();
    const sets = [SMALL, [{ subnet: 'fd00::/64' }]];
    expect(await given(allocator, request('a', [SMALL]))).toBe('10.1.0.2/29');
    expect(await given(allocator, request('a', sets))).toBe('10.1.0.2/29 fd00::2/64');
    expect(await given(fresh(), request('a', sets))).toBe('10.1.0.2/29 fd00::2/64');
    expect(await given(allocator, request('a', sets, { ifName: 'net1' }))).toBe('10.1.0.3/29 fd00::3/64');
  });

  it('goes through the ranges of a set', async () => {
    const allocator = fresh();
    const set = [{ subnet: '10.1.0.0/24', rangeStart: '10.1.0.5', rangeEnd: '10.1.0.6', gateway: '10.1.0.6' }, { subnet: '10.2.0.0/30' }];
    const all: string[] = [];
    for (const id of ['a', 'b', 'c']) all.push(await given(allocator, request(id, [set])));
    expect(all.slice(0, 2)).toEqual(['10.1.0.5/24', '10.2.0.2/30']);
    expect(all[2]).toMatch(/^full: .*10\.1\.0\.5-10\.1\.0\.6,10\.2\.0\.1-10\.2\.0\.2 \(all 2 are taken\)$/);
    await allocator.release(request('a', [set]));
    expect(await given(allocator, request('d', [set]))).toBe('10.1.0.5/24');
  });

  it('finds its way in ranges that nobody could list', async () => {
    const allocator = fresh();
    const set = [{ subnet: 'fd00::/16', rangeStart: 'fd00:1::' }];
    expect(await given(allocator, request('a', [set]))).toBe('fd00:1::/16');
    expect(await given(allocator, request('b', [set]))).toBe('fd00:1::1/16');
  });

  it.each<[string, readonly string[], string]>([
    ['one', ['10.1.0.5'], '10.1.0.5/29 fd00::2/64'],
    ['one with a length', ['fd00::77/96'], '10.1.0.2/29 fd00::77/64'],
    ['one of each', ['fd00::77', '10.1.0.5'], '10.1.0.5/29 fd00::77/64'],
    ['the same twice', ['10.1.0.5', '10.1.0.5/29'], '10.1.0.5/29 fd00::2/64'],
    ['the gateway', ['10.1.0.1'], "invalid: failed to allocate for range 0: requested ip 10.1.0.1 is subnet's gateway"],
    ['the broadcast address', ['10.1.0.7'], 'invalid: failed to allocate all requested IPs: 10.1.0.7'],
    ['one that is in no range', ['10.9.0.1', '9.9.9.9'], 'invalid: failed to allocate all requested IPs: 10.9.0.1 9.9.9.9'],
    [
      'one that is taken',
      ['10.1.0.3'],
      'exists: failed to allocate for range 0: requested IP address 10.1.0.3 is not available in range set 10.1.0.1-10.1.0.6',
    ],
    ['none at all', ['eth0'], 'invalid: requested IP address "eth0" is not an address'],
  ])('asked for %s', async (_, requested, expected) => {
    const allocator = fresh();
    await allocator.allocate(request('other', [SMALL], { requested: ['10.1.0.3'] }));
    // As if nothing had been given before.
    unlinkSync(join(dataDir, 'net', 'last_reserved_ip.0'));
    expect(await given(allocator, request('a', [SMALL, [{ subnet: 'fd00::/64' }]], { requested }))).toBe(expected);
    expect(reserved().filter((name) => name !== '10.1.0.3')).toHaveLength(/^\w+: /.test(expected) ? 0 : 2);
  });

  it('does not give a second address of a range to who asks for another', async () => {
    const allocator = fresh();
    await given(allocator, request('a'));
    expect(await given(allocator, request('a', [SMALL], { requested: ['10.1.0.5'] }))).toBe(
      'exists: failed to allocate for range 0: 10.1.0.2 has been allocated to a, duplicate allocation is not allowed',
    );
    expect(await given(allocator, request('a', [SMALL], { requested: ['10.1.0.2'] }))).toBe('10.1.0.2/29');
  });

  it('gives back what it took when another set has none', async () => {
    const allocator = fresh();
    const sets = [[{ subnet: 'fd00::/64' }], SMALL];
    for (const id of ['a', 'b', 'c', 'd', 'e']) await given(allocator, request(id));
    expect(await given(allocator, request('f', sets))).toMatch(/^full: failed to allocate for range 1/);
    expect(reserved()).toHaveLength(5);
  });

  it.each([
    ['..', '/tmp', 'invalid: ".." is no name of a network'],
    ['a/b', '/tmp', 'invalid: "a/b" is no name of a network'],
    ['', '/tmp', 'invalid: "" is no name of a network'],
    ['net', 'relative', 'invalid: dataDir "relative" is not an absolute path'],
    ['net', '/tmp/\0', 'invalid: dataDir "/tmp/\\u0000" is not an absolute path'],
  ])('keeps nothing for network %j in %j', async (network, folder, expected) => {
    expect(await given(fresh(), request('a', [SMALL], { network, dataDir: folder }))).toBe(expected);
  });
});

describe('beside somebody else in the same folder', () => {
  const foreign = (name: string, text: string): void => {
    mkdirSync(join(dataDir, 'net'), { recursive: true });
    writeFileSync(join(dataDir, 'net', name), text);
  };

  it('sees what came and went', async () => {
    const allocator = fresh();
    await given(allocator, request('a'));
    foreign('10.1.0.3', 'x\r\neth0');
    foreign('last_reserved_ip.0', '10.1.0.3');
    expect(await given(allocator, request('b'))).toBe('10.1.0.4/29');
    expect(await allocator.release(request('x'))).toEqual(['10.1.0.3']);
    for (const id of ['c', 'd', 'e']) await given(allocator, request(id));
    unlinkSync(join(dataDir, 'net', '10.1.0.2'));
    expect(await given(allocator, request('f'))).toBe('10.1.0.2/29');
  });

  it('does not release what is somebody else’s by now', async () => {
    const allocator = fresh();
    await given(allocator, request('a'));
    unlinkSync(join(dataDir, 'net', '10.1.0.2'));
    foreign('10.1.0.2', 'x\r\neth0');
    expect(await allocator.release(request('a'))).toEqual([]);
    expect(reserved()).toEqual(['10.1.0.2']);
    expect(await allocator.release(request('x'))).toEqual(['10.1.0.2']);
  });

  it('knows files from before interfaces were told apart', async () => {
    foreign('10.1.0.2', 'old\n');
    const allocator = fresh();
    expect(await allocator.check(request('old'))).toEqual([]);
    expect(await allocator.release(request('old', [SMALL], { ifName: 'any' }))).toEqual(['10.1.0.2']);
  });

  it('takes what it can not read for taken', async () => {
    foreign('10.1.0.2', '');
    mkdirSync(join(dataDir, 'net', '10.1.0.3'));
    foreign('lock', '');
    foreign('notes.txt', 'hello');
    expect(await given(fresh(), request('a'))).toBe('10.1.0.4/29');
  });

  it('learns of an address in the moment in which it would take it', async () => {
    const files = memoryFiles();
    const allocator = createAddressAllocator({ log: () => {}, open: () => files });
    files.beforeCreate = (name) => {
      if (name === '10.1.0.2') files.texts.set(name, 'x\r\neth0');
    };
    expect(await given(allocator, request('a'))).toBe('10.1.0.3/29');
    expect(await allocator.release(request('x'))).toEqual(['10.1.0.2']);
  });
});

describe('on a disk that fails', () => {
  it('says so, and keeps nothing', async () => {
    const files = memoryFiles();
    const allocator = createAddressAllocator({ log: () => {}, open: () => files });
    files.beforeCreate = (name) => {
      if (name.startsWith('fd00')) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    };
    expect(await given(allocator, request('a', [SMALL, [{ subnet: 'fd00::/64' }]]))).toBe('full: ENOSPC: no space left on device, write');
    expect([...files.texts.keys()]).toEqual(['last_reserved_ip.0']);
    expect(await allocator.check(request('a'))).toHaveLength(1);
  });

  it('gives an address though it can not keep which was the last', async () => {
    const files = memoryFiles();
    const lines: string[] = [];
    const allocator = createAddressAllocator({ log: (line) => lines.push(line), open: () => files });
    files.write = () => {
      throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
    };
    expect(await given(allocator, request('a'))).toBe('10.1.0.2/29');
    expect(await given(allocator, request('b'))).toBe('10.1.0.3/29');
    expect(lines).toHaveLength(2);
  });

  it('tries again to read a folder that could not be read', async () => {
    const files = memoryFiles();
    let isBroken = true;
    const open = () => {
      if (isBroken) throw Object.assign(new Error('EACCES: permission denied, scandir'), { code: 'EACCES' });
      return files;
    };
    const allocator = createAddressAllocator({ log: () => {}, open });
    expect(await given(allocator, request('a'))).toBe('denied: EACCES: permission denied, scandir');
    isBroken = false;
    expect(await given(allocator, request('a'))).toBe('10.1.0.2/29');
  });
});

describe('questions', () => {
  it('counts what is given away of each set', async () => {
    const allocator = fresh();
    const sets = [SMALL, [{ subnet: 'fd00::/64' }]];
    for (const id of ['a', 'b']) await allocator.allocate(request(id, sets));
    expect(await allocator.usage(request('', sets))).toEqual([
      { ranges: '10.1.0.1-10.1.0.6', total: 5n, taken: 2n },
      { ranges: 'fd00::1-fd00::ffff:ffff:ffff:ffff', total: 2n ** 64n - 2n, taken: 2n },
    ]);
  });

  it('are answered without taking anything', async () => {
    const allocator = fresh();
    const sets = [[{ subnet: 'fd00::/64' }], SMALL];
    expect(await allocator.exhausted(request('', sets))).toBeUndefined();
    for (const id of ['a', 'b', 'c', 'd', 'e']) await given(allocator, request(id));
    expect(await allocator.exhausted(request('', sets))).toBe(
      'no IP addresses available in range set: 10.1.0.1-10.1.0.6 (all 5 are taken)',
    );
    expect(await allocator.check(request('a'))).toEqual([]);
    expect(await allocator.check(request('a', sets))).toEqual([
      'no address of fd00::1-fd00::ffff:ffff:ffff:ffff is reserved for container a, interface eth0',
    ]);
  });

  it('collect what nobody holds any more', async () => {
    let now = 1_000_000;
    const files = memoryFiles(() => now);
    const allocator = createAddressAllocator({ log: () => {}, open: () => files, now: () => now });
    for (const id of ['a', 'b', 'c']) await given(allocator, request(id));
    files.texts.set('10.1.0.5', 'old').set('10.1.0.6', '');
    files.touch('10.1.0.6');
    const valid = [{ containerId: 'b', ifName: 'eth0' }];
    expect(await allocator.collect({ network: 'net', dataDir }, valid)).toEqual({
      released: ['10.1.0.2', '10.1.0.4', '10.1.0.5'],
      failures: [],
    });
    // Nobody's: it may be one that is just being written.
    expect(files.texts.has('10.1.0.6')).toBe(true);
    now += 61_000;
    expect(await allocator.collect({ network: 'net', dataDir }, valid)).toEqual({ released: ['10.1.0.6'], failures: [] });
    expect(await given(allocator, request('b'))).toBe('10.1.0.3/29');
  });
});

describe('laws', () => {
  const sets: readonly (readonly AddressRange[])[] = [
    [{ subnet: '10.1.0.0/28', rangeStart: '10.1.0.3', rangeEnd: '10.1.0.7', gateway: '10.1.0.5' }, { subnet: '10.2.0.0/30' }],
    [{ subnet: 'fd00::/125' }],
  ];
  type Step = { readonly verb: 'allocate' | 'release' | 'restart'; readonly id: number; readonly wanted: number };
  const steps = fc.array(
    fc.record<Step>({
      verb: fc.constantFrom('allocate', 'allocate', 'allocate', 'release', 'release', 'restart'),
      id: fc.nat(9),
      wanted: fc.nat(60),
    }),
    { maxLength: 60 },
  );

  /** What host-local would do, written down without regard to time. */
  class Model {
    readonly held = new Map<string, string>();
    readonly last = ['', ''];
    readonly lists = [[3, 4, 6, 7].map((n) => `10.1.0.${n}`).concat('10.2.0.2'), [2, 3, 4, 5, 6, 7].map((n) => `fd00::${n}`)];
    readonly all = [
      [3, 4, 5, 6, 7].map((n) => `10.1.0.${n}`).concat('10.2.0.1', '10.2.0.2'),
      [1, 2, 3, 4, 5, 6, 7].map((n) => `fd00::${n}`),
    ];

    allocate(id: string, wanted: string | undefined): readonly string[] | undefined {
      const before = new Map(this.held);
      const answer: string[] = [];
      for (const [index, list] of this.lists.entries()) {
        const own = [...this.held].find(([address, holder]) => holder === id && list.includes(address))?.[0];
        const asked = wanted !== undefined && this.all[index]!.includes(wanted) ? wanted : undefined;
        let found = own;
        if (own !== undefined) found = asked === undefined || asked === own ? own : undefined;
        else if (asked !== undefined) found = list.includes(asked) && !this.held.has(asked) ? asked : undefined;
        else {
          const order = this.all[index]!;
          const at = order.indexOf(this.last[index]!) + 1;
          found = [...order.slice(at), ...order.slice(0, at)].find((address) => list.includes(address) && !this.held.has(address));
        }
        if (found === undefined) {
          for (const address of [...this.held.keys()]) if (!before.has(address)) this.held.delete(address);
          return undefined;
        }
        if (own === undefined) {
          this.held.set(found, id);
          this.last[index] = found;
        }
        answer.push(found);
      }
      return answer;
    }

    release(id: string): void {
      for (const [address, holder] of [...this.held]) if (holder === id) this.held.delete(address);
    }
  }

  it('it agrees with a model, gives no address twice, and release takes allocate back', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (story) => {
        const files = memoryFiles();
        const open = () => createAddressAllocator({ log: () => {}, open: () => files });
        const model = new Model();
        let allocator = open();
        for (const { verb, id, wanted } of story) {
          const name = `c${id}`;
          // Most ask for nothing, some for an address of either set, the gateway included.
          const asked = wanted < 7 ? model.all[0]![wanted] : wanted < 14 ? model.all[1]![wanted - 7] : undefined;
          if (verb === 'restart') allocator = open();
          if (verb === 'release') {
            await allocator.release(request(name, sets));
            model.release(name);
          }
          if (verb === 'allocate') {
            const expected = model.allocate(name, asked);
            const answer = await given(allocator, request(name, sets, { requested: asked === undefined ? [] : [asked] }));
            if (expected === undefined) expect(answer).toMatch(/^(full|exists|invalid): /);
            else expect(answer.replace(/\/\d+/g, '')).toBe(expected.join(' '));
          }
          const found = [...files.texts]
            .filter(([file]) => parseIp(file) !== undefined)
            .map(([file, text]) => `${file} ${text.split('\r\n')[0]}`);
          expect(found.sort()).toEqual([...model.held].map(([address, holder]) => `${address} ${holder}`).sort());
        }
        for (const { id } of story) await allocator.release(request(`c${id}`, sets));
        expect([...files.texts.keys()].filter((file) => parseIp(file) !== undefined)).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  it('many at once get different addresses, all of the range', async () => {
    const allocator = fresh();
    const set = [{ subnet: '10.4.0.0/22' }];
    const answers = await Promise.all(Array.from({ length: 400 }, (_, index) => given(allocator, request(`c${index}`, [set]))));
    expect(new Set(answers).size).toBe(400);
    const numbers = answers.map((answer) => addressToNumber(parseIp(answer.split('/')[0]!)!));
    const first = addressToNumber(parseIp('10.4.0.2')!);
    expect(numbers.every((number) => number >= first && number < first + 400n)).toBe(true);
    expect(formatIpAddress(addressFromNumber(first, 4)!)).toBe('10.4.0.2');
    await Promise.all(answers.map((_, index) => allocator.release(request(`c${index}`, [set]))));
    expect(reserved()).toEqual([]);
  });
});
