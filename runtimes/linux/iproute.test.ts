import { describe, expect, it } from 'vitest';
import { manualClock } from '../host/clock.ts';
import { type FakeChild, fakeIp } from './child-ends.fixture.ts';
import { iprouteFraming } from './framing.ts';
import { Iproute } from './iproute.ts';
import { Resident } from './resident.ts';

interface Reply {
  readonly says?: string;
  readonly fails?: boolean;
  /** The child ends over it. */
  readonly dies?: boolean;
}

/** A kernel of which each child has its own idea. `reply` is asked with the number of the child, and what it was asked before. */
function iprouteOf(reply: (child: number, line: string, before: readonly string[]) => Reply | undefined) {
  const clock = manualClock();
  const asked: string[] = [];
  const children: FakeChild[] = [];
  const resident = new Resident({
    name: 'ip',
    framing: iprouteFraming('ip'),
    clock,
    maxAge: 1000,
    keepsSpare: false,
    start: () => {
      const number = children.length;
      const before: string[] = [];
      const child = fakeIp((line) => {
        asked.push(`${number}: ${line}`);
        const answer = reply(number, line, before);
        before.push(line);
        return answer;
      });
      children.push(child);
      return child;
    },
  });
  const iproute = new Iproute({ resident: () => resident, clock, deadline: 1000, maxAge: 1000 });
  return {
    asked,
    clock,
    iproute,
    change: (...lines: readonly string[]) => iproute.change({ program: 'ip', commands: lines.map((line) => ({ words: line.split(' ') })) }),
    show: (line: string) => iproute.show({ program: 'ip', words: line.split(' ') }),
  };
}

const GONE: Reply = { says: 'RTNETLINK answers: No such device\n', fails: true };

describe('commands', () => {
  it('are performed in order, up to the first that fails', async () => {
    const { change, asked } = iprouteOf((_, line) =>
      line === 'link add b' ? { says: 'RTNETLINK answers: File exists\n', fails: true } : {},
    );
    await expect(change('link add a', 'link add b', 'link add c')).rejects.toMatchObject({
      code: 'exists',
      message: 'File exists',
      tried: 'ip link add b',
    });
    expect(asked).toEqual(['0: link add a', '0: link add b']);
  });

  it('go on after a failure that is none', async () => {
    const { iproute, asked } = iprouteOf((_, line) =>
      line === 'link add a' ? { says: 'RTNETLINK answers: File exists\n', fails: true } : {},
    );
    await iproute.change({
      program: 'ip',
      commands: [{ words: ['link', 'add', 'a'], tolerate: ['exists'] }, { words: ['link', 'add', 'b'] }],
    });
    expect(asked).toEqual(['0: link add a', '0: link add b']);
  });

  it('are all refused when one is', async () => {
    const { iproute, asked } = iprouteOf(() => ({}));
    const commands = [{ words: ['link', 'add', 'a'] }, { words: ['link', 'add', 'b c'] }];
    await expect(iproute.change({ program: 'ip', commands })).rejects.toMatchObject({ code: 'invalid' });
    expect(asked).toEqual([]);
  });

  it('are asked again of a child that knows nothing, when the link is gone that an old one knew', async () => {
    const { change, asked, clock } = iprouteOf((child, line) => (child === 0 && line === 'link set dev a up' ? GONE : {}));
    await change('link show dev a');
    clock.advance(1);
    await change('link set dev a up');
    expect(asked).toEqual(['0: link show dev a', '0: link set dev a up', '1: link set dev a up']);
  });

  it('fail when the link is gone for a new child too', async () => {
    const { change, asked, clock } = iprouteOf((_, line) => (line === 'link set dev a up' ? GONE : {}));
    await expect(change('link set dev a up')).rejects.toMatchObject({ code: 'missing', message: 'No such device' });
    clock.advance(1);
    await expect(change('link set dev a up')).rejects.toMatchObject({ code: 'missing' });
    expect(asked).toEqual(['0: link set dev a up', '0: link set dev a up', '1: link set dev a up']);
  });

  it('may be done or not when the child ended over them', async () => {
    const { change } = iprouteOf(() => undefined);
    await expect(change('link add a')).rejects.toMatchObject({ code: 'program', message: expect.stringContaining('may be done or not') });
  });

  it('go to a child that has not seen a name that means another link now', async () => {
    const { change, asked, clock } = iprouteOf(() => ({}));
    await change('link set dev a up');
    clock.advance(1);
    await change('link set dev a name b');
    await change('link set dev c up');
    await change('link set dev b up');
    await change('link set dev a up');
    expect(asked.slice(1)).toEqual(['0: link set dev a name b', '0: link set dev c up', '1: link set dev b up', '1: link set dev a up']);
  });
});

describe('questions', () => {
  it('are answered with rows', async () => {
    const { show } = iprouteOf(() => ({ says: '[{"ifname":"a"},{}]\n' }));
    expect(await show('link show')).toEqual([{ ifname: 'a' }]);
  });

  it('about what is not there have no rows, and are not asked again', async () => {
    const { show, asked, clock } = iprouteOf(() => ({ says: 'Device "a" does not exist.\n', fails: true }));
    expect(await show('link show dev a')).toEqual([]);
    clock.advance(1);
    expect(await show('link show dev a')).toEqual([]);
    expect(asked).toHaveLength(2);
  });

  it.each<[string, Reply | undefined]>([
    ['with empty rows', { says: '[{}]\n' }],
    ['with no rows', { says: '[]\n' }],
    ['by its end', undefined],
    ['with ENODEV', GONE],
    ['with something that is not JSON', { says: '[{"a":' }],
  ])('that an old child answers %s are asked of a new one', async (_, reply) => {
    const { show, asked, clock } = iprouteOf((child, line) =>
      child === 0 && line.endsWith('dev a') ? reply : { says: '[{"ifname":"a"}]\n' },
    );
    await show('link show');
    clock.advance(1);
    expect(await show('link show dev a')).toEqual([{ ifname: 'a' }]);
    expect(asked).toEqual(['0: address show', '0: address show dev a', '1: address show dev a']);
  });

  it('with no rows are believed when the child knows the link rightly', async () => {
    const { show, asked, clock } = iprouteOf((_, line) => ({ says: line.startsWith('address') ? '[{"ifname":"a"}]\n' : '[]\n' }));
    await show('link show');
    clock.advance(1);
    expect(await show('route show dev a')).toEqual([]);
    expect(asked).toEqual(['0: address show', '0: route show dev a', '0: address show dev a']);
  });

  it('with no rows are asked of a new child when the old one knows another link', async () => {
    const { show, asked, clock } = iprouteOf((child, line) => {
      if (line.startsWith('address')) return { says: '[{}]\n' };
      return { says: child === 0 ? '[]\n' : '[{"dst":"default"}]\n' };
    });
    await show('rule show');
    clock.advance(1);
    expect(await show('route show dev a')).toEqual([{ dst: 'default' }]);
    expect(asked).toEqual(['0: rule show', '0: route show dev a', '0: address show dev a', '1: route show dev a']);
  });

  it('are put again while others change what is shown, and not for ever', async () => {
    const interrupted = 'Dump was interrupted and may be inconsistent.\n[{"ifname":"a"}]\n';
    const { show, asked } = iprouteOf((_, __, before) => ({ says: before.length < 2 ? interrupted : '[{"ifname":"b"}]\n' }));
    expect(await show('link show')).toEqual([{ ifname: 'b' }]);
    expect(asked).toHaveLength(3);
    const busy = iprouteOf(() => ({ says: interrupted }));
    expect(await busy.show('link show')).toEqual([{ ifname: 'a' }]);
    expect(busy.asked).toHaveLength(5);
  });

  it('that name no link may have no rows', async () => {
    const { show, asked, clock } = iprouteOf(() => ({ says: '[]\n' }));
    await show('rule show');
    clock.advance(1);
    expect(await show('rule show')).toEqual([]);
    expect(asked).toHaveLength(2);
  });

  it('are put once more when the child was killed, in the middle of its answer too, and no more than that', async () => {
    for (const text of ['', '[{"ifindex":1,"ifname":"lo"},{"ifind']) {
      const killed: Reply = { says: text, dies: true };
      const once = iprouteOf((child) => (child === 0 ? killed : { says: '[{"ifname":"a"}]\n' }));
      expect(await once.show('link show')).toEqual([{ ifname: 'a' }]);
      const always = iprouteOf(() => killed);
      await expect(always.show('link show')).rejects.toMatchObject({ code: 'program' });
      expect(always.asked).toHaveLength(2);
    }
  });

  it('fail with what was said', async () => {
    const { show } = iprouteOf(() => ({ says: 'RTNETLINK answers: Operation not permitted\n', fails: true }));
    await expect(show('link show')).rejects.toMatchObject({ code: 'denied', tried: 'ip link show' });
  });

  it('of tc and bridge go to a child for each form, as those keep what they were asked for', async () => {
    const asked: string[] = [];
    const clock = manualClock();
    const residents = new Map<string, Resident>();
    const iproute = new Iproute({
      clock,
      deadline: 1000,
      resident: (program, _, purpose) => {
        const known = residents.get(purpose);
        if (known !== undefined) return known;
        const number = residents.size;
        const start = () =>
          fakeIp((line) => {
            asked.push(`${number}: ${line}`);
            return { says: '[{"a":1}]\n' };
          });
        // The fake child is one of ip.
        const resident = new Resident({ name: program, start, framing: iprouteFraming('ip'), clock, maxAge: 1000, keepsSpare: false });
        residents.set(purpose, resident);
        return resident;
      },
    });
    for (const line of [
      'qdisc show dev a',
      'qdisc show',
      'qdisc show dev b',
      'filter show dev a parent ffff:',
      'filter show dev b parent 1:',
    ]) {
      await iproute.show({ program: 'tc', words: line.split(' ') });
    }
    await iproute.change({ program: 'tc', commands: [{ words: ['qdisc', 'del', 'dev', 'a', 'root'] }] });
    expect(asked).toEqual([
      '0: qdisc show dev a',
      '1: qdisc show',
      '0: qdisc show dev b',
      '2: filter show dev a parent ffff:',
      '2: filter show dev b parent 1:',
      '3: qdisc del dev a root',
    ]);
  });
});
