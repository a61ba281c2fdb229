import { describe, expect, it } from 'vitest';
import type { Command } from '../../../engine/step/effect.ts';
import { NotBegun } from '../perform-together.ts';
import { changeByNetlink } from './change.ts';
import { NetlinkPlace, type NetlinkTalker } from './place.ts';
import { type Relay, RelayEnded, UNMET } from './relay.ts';

const KEY = 'net/ipv4/conf/eth0/arp_notify';

/** Relays of which each answers a write in its own way, and those that were asked. */
function relays(...ends: readonly (Error | number)[]) {
  const asked: number[] = [];
  let next = 0;
  const make = (): Relay => {
    const number = next++;
    const write = (): Promise<unknown> => {
      asked.push(number);
      const end = ends[number]!;
      return typeof end === 'number' ? Promise.resolve({ errno: end, rest: Buffer.alloc(0) }) : Promise.reject(end);
    };
    return { write } as unknown as Relay;
  };
  return { place: new NetlinkPlace({ relay: make, number: 0, path: undefined, onClose: () => {} }), asked };
}

describe('a place', () => {
  it('asks the next relay when one ends, as a value may be written twice', async () => {
    const { place, asked } = relays(new RelayEnded(true), 0);
    await place.writeSysctl(KEY, '1');
    expect(asked).toEqual([0, 1]);
  });

  it.each([
    ['has not begun it', new RelayEnded(false), NotBegun],
    ['may have begun it', new RelayEnded(true), RelayEnded],
    ['did not find the condition met', UNMET, NotBegun],
  ])('asks no other relay what heeds a condition, when the one that was asked %s', async (_, end, kind) => {
    const { place, asked } = relays(end, 0);
    await expect(place.writeSysctl(KEY, '1', 'heeds')).rejects.toBeInstanceOf(kind);
    expect(asked).toEqual([0]);
  });
});

/** `NLMSG_ERROR` with an error, or none. */
function acknowledgement(errno: number): Buffer {
  const answer = Buffer.alloc(36);
  answer.writeUInt32LE(answer.length, 0);
  answer.writeUInt16LE(2, 4);
  answer.writeInt32LE(-errno, 16);
  return answer;
}

describe('lines of a change', () => {
  it('are a condition until one of them fails in a way that is none', async () => {
    const conditions: unknown[] = [];
    const place: NetlinkTalker = {
      talk(requests, { condition }) {
        conditions.push(condition);
        return Promise.resolve({ errno: 0, answers: requests.map(() => acknowledgement(conditions.length === 1 ? 17 : 0)) });
      },
    };
    const add = (name: string): Command => ({ words: ['link', 'add', 'name', name, 'type', 'bridge'], tolerate: ['exists'] });
    await changeByNetlink(place, { program: 'ip', commands: [add('one'), add('two')] }, { condition: 'sets' });
    expect(conditions).toEqual(['sets', undefined]);
  });
});
