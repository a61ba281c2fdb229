import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EffectError } from '../../engine/step/effect.ts';
import { ownerTag } from '../../engine/step/owner-tag.ts';
import { BindError, type Plan } from '../../engine/step/plan.ts';
import { manualClock } from '../host/clock.ts';
import { createPerformer } from './create-performer.ts';
import { FakeHost, type FakeStep, fakeOperations, fakePlan } from './fake-host.fixture.ts';
import type { Performer, PerformerOptions } from './performer.ts';
import { RecordLogError } from './record-log.ts';

let folder: string;
let host: FakeHost;
let performers: Performer[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'flb-performer-'));
  host = new FakeHost();
  performers = [];
});

afterEach(async () => {
  for (const performer of performers) await performer.close();
  rmSync(folder, { recursive: true });
  expect(host.openSessions).toBe(0);
});

async function start(fields: Partial<PerformerOptions> = {}): Promise<Performer> {
  const performer = await createPerformer({
    folder,
    handler: host.handler(),
    operations: fakeOperations(),
    now: () => 1_700_000_000_000,
    bootId: 'boot-1',
    log: () => undefined,
    ...fields,
  });
  performers.push(performer);
  return performer;
}

async function restart(old: Performer, fields: Partial<PerformerOptions> = {}): Promise<Performer> {
  await old.close();
  performers.splice(performers.indexOf(old), 1);
  return start(fields);
}

const web = fakePlan('web', [
  ['hub', { name: 'hub0' }],
  ['thing', { name: 'thing1' }],
  ['value', { key: 'forward', value: '1' }],
  ['file', (outputs) => ({ key: '/etc/f', value: `hub is ${outputs['hub-0']!['name']}` })],
]);

describe('perform', () => {
  it('performs the steps in order and answers what they ended with', async () => {
    const performer = await start();
    const performed = await performer.perform(web);
    expect(performed.map(({ step, outputs }) => [step.key, outputs])).toEqual([
      ['hub-0', { name: 'hub0' }],
      ['thing-1', { name: 'thing1' }],
      ['value-2', { before: '' }],
      ['file-3', { before: '' }],
    ]);
    expect(host.story).toEqual(['add hub0', 'add thing1', 'add thing1.peer', 'forward=1', 'write /etc/f']);
    expect(host.disk.get('/etc/f')).toBe('hub is hub0');
    expect(performer.record(web.id)).toMatchObject({
      id: web.id,
      rule: 'rule',
      subject: { name: 'web' },
      state: 'performed',
      bootId: 'boot-1',
    });
  });

  it('keeps the record over a restart', async () => {
    const performer = await start();
    await performer.perform(web);
    const before = performer.record(web.id);
    const again = await restart(performer);
    expect(again.record(web.id)).toEqual(before);
    expect(await again.recover()).toEqual({ undone: [], left: [] });
    expect(await again.check(web.id)).toEqual([]);
  });

  it('does not perform a plan twice', async () => {
    const performer = await start();
    await performer.perform(web);
    await expect(performer.perform(web)).rejects.toMatchObject({
      name: 'StepFailure',
      code: 'exists',
      message: `plan ${web.id} of rule rule is performed already, since 2023-11-14T22:13:20.000Z`,
    });
    expect(performer.record(web.id)?.state).toBe('performed');
  });

  it('undoes everything when a step fails, and says which and why in one line', async () => {
    host.disk.set('/etc/f', 'old');
    const before = host.state();
    const performer = await start();
    const plan = fakePlan('bad', [
      ['thing', { name: 'thing1' }],
      ['file', { key: '/etc/f', value: 'new' }],
      ['broken', { name: 'thing2' }],
    ]);
    await expect(performer.perform(plan)).rejects.toMatchObject({
      code: 'invalid',
      verb: 'ensure',
      left: [],
      step: { key: 'broken-2' },
      message: 'step broken-2 of rule rule (spec.steps[2], line 12): ip link set thing2 up: RTNETLINK answers: Invalid argument',
    });
    expect(host.state()).toBe(before);
    expect([...performer.records()]).toEqual([]);
  });

  it('says which expression failed', async () => {
    const performer = await start();
    const plan = fakePlan('bad', [
      ['thing', { name: 'thing1' }],
      [
        'thing',
        () => {
          throw new BindError('no such key: mac', 'second', ['spec', 'steps', 1, 'thing', 'name'], 7);
        },
      ],
    ]);
    await expect(performer.perform(plan)).rejects.toMatchObject({
      code: 'expression',
      message: 'step second of rule rule (spec.steps[1].thing.name, line 7): no such key: mac',
    });
    expect(host.kernel.size).toBe(0);
  });

  it('changes nothing when the host lacks what the plan needs', async () => {
    host.lacks.add('nft');
    const performer = await start();
    await expect(performer.perform({ ...web, requirements: [{ kind: 'program', name: 'nft' }] })).rejects.toMatchObject({
      code: 'requirement',
      message: 'rule rule: there is no program nft',
    });
    expect(host.story).toEqual([]);
  });

  it('does not perform a step whose requirements the host lacks, and undoes those before', async () => {
    host.lacks.add('hub');
    const performer = await start();
    const plan = fakePlan('lacking', [
      ['thing', { name: 'thing1' }],
      ['hub', { name: 'hub0' }],
    ]);
    await expect(performer.perform(plan)).rejects.toMatchObject({
      code: 'requirement',
      message: 'step hub-1 of rule rule (spec.steps[1], line 11): there is no program hub',
    });
    expect(host.kernel.size).toBe(0);
  });

  it('refuses an operation that it does not know', async () => {
    const performer = await start();
    await expect(performer.perform(fakePlan('new', [['teleport', {}]]))).rejects.toThrow(
      'step teleport-0 of rule rule (spec.steps[0], line 10): this version has no operation "teleport"',
    );
    expect([...performer.records()]).toEqual([]);
  });

  it('begins nothing in a namespace that is not there', async () => {
    const performer = await start();
    await expect(performer.perform({ ...web, netns: '/run/netns/gone' })).rejects.toMatchObject({
      code: 'namespace',
      message: 'rule rule: the network namespace /run/netns/gone is not there',
    });
    expect(host.story).toEqual([]);
    expect([...performer.records()]).toEqual([]);
  });

  it('leaves what exists and is another’s', async () => {
    host.kernel.set('thing1', 'theirs');
    const performer = await start();
    await expect(performer.perform(web)).rejects.toMatchObject({ code: 'exists', step: { key: 'thing-1' } });
    expect(host.kernel.get('thing1')).toBe('theirs');
  });

  it('ends a step at its timeout, and undoes', async () => {
    const clock = manualClock();
    const performer = await start({ clock });
    host.before = (effect, signal) =>
      effect.kind === 'write-file'
        ? new Promise((resolve) => {
            signal!.addEventListener('abort', () => resolve(new EffectError('timeout', 'given up', 'write /etc/f')));
            clock.advance(1000);
          })
        : undefined;
    await expect(performer.perform(web)).rejects.toMatchObject({
      code: 'timeout',
      message: "step file-3 of rule rule (spec.steps[3], line 13): write /etc/f: not done within the step's timeout of 1000 ms (given up)",
    });
    expect([...host.kernel.keys()]).toEqual(['hub0', 'forward']);
    expect(clock.pending()).toBe(0);
  });

  it('ends a wait for another step at the timeout, and says who is in the way', async () => {
    const clock = manualClock();
    const performer = await start({ clock });
    let free = (): void => {};
    host.before = (effect) =>
      effect.kind === 'iproute' && effect.commands[0]?.words[1] === 'hub0'
        ? new Promise((resolve) => {
            free = () => resolve(undefined);
          })
        : undefined;
    const slow = performer.perform(web);
    await new Promise(setImmediate);
    const waiting = performer.perform(fakePlan('other', [['hub', { name: 'hub0' }]]));
    await new Promise(setImmediate);
    // The one that works heeds no signal here.
    clock.advance(1000);
    await expect(waiting).rejects.toThrow(
      `step hub-0 of rule rule (spec.steps[0], line 10): wait: not done within the step's timeout of 1000 ms (waited in vain for hub:hub0, which step hub-0 of ${web.owner.text} has)`,
    );
    free();
    await slow;
  });

  it('is called off by its signal', async () => {
    const performer = await start();
    const caller = new AbortController();
    host.before = (effect) => {
      if (effect.kind === 'write-file') caller.abort();
      return caller.signal.aborted && effect.kind === 'write-file' ? new EffectError('timeout', 'given up', 'write') : undefined;
    };
    await expect(performer.perform(web, caller.signal)).rejects.toMatchObject({
      code: 'timeout',
      message: 'step file-3 of rule rule (spec.steps[3], line 13): go on: it was called off',
    });
    expect([...host.kernel.keys()]).toEqual(['hub0', 'forward']);
  });

  it('performs plans at the same time, and verbs of one plan one after the other', async () => {
    const performer = await start();
    const plans = Array.from({ length: 50 }, (_, index) =>
      fakePlan(`pod-${index}`, [
        ['hub', { name: 'hub0' }],
        ['thing', { name: `thing-${index}` }],
        ['file', { key: `/f/${index}`, value: '1' }],
      ]),
    );
    await Promise.all(plans.map((plan) => performer.perform(plan)));
    expect(host.story.filter((each) => each === 'add hub0')).toHaveLength(1);
    expect([...performer.records()]).toHaveLength(50);
    const ends = plans.flatMap((plan) => [performer.undo(plan.id), performer.perform(plan), performer.undo(plan.id)]);
    await Promise.all(ends);
    expect([...host.kernel.keys()]).toEqual(['hub0']);
    expect([...performer.records()]).toEqual([]);
  });

  it('keeps keys that are meant to do harm', async () => {
    const performer = await start();
    const plan = fakePlan('hostile', [
      ['thing', { name: '__proto__' }, '__proto__'],
      ['thing', { name: 'a' }, 'constructor\n\0'],
    ]);
    await performer.perform({ ...plan, subject: JSON.parse('{"__proto__":{"a":1}}') });
    const again = await restart(performer);
    const record = again.record(plan.id)!;
    expect(record.steps.map(({ step }) => step.key)).toEqual(['__proto__', 'constructor\n\0']);
    expect(JSON.stringify(record.subject)).toBe('{"__proto__":{"a":1}}');
    await again.undo(plan.id);
    expect(host.kernel.size).toBe(0);
  });
});

describe('the journal on disk', () => {
  it('is waited for before what outlives the power of the machine, and not before what the kernel alone holds', async () => {
    const points: string[] = [];
    const performer = await start({ crashPoint: (name) => void points.push(name) });
    points.length = 0;
    await performer.perform(
      fakePlan('kernel', [
        ['hub', { name: 'hub0' }],
        ['value', { key: 'forward', value: '1' }],
      ]),
    );
    expect(points).not.toContain('before sync');
    const disk = fakePlan('disk', [['file', { key: '/f', value: '1' }]]);
    await performer.perform(disk);
    const effect = points.indexOf('before effect write-file');
    expect(points.slice(effect - 2, effect)).toEqual(['before sync', 'after sync']);
    // That the plan is performed is of use in this boot only: in the next one it is undone, performed or not.
    expect(points.slice(effect)).not.toContain('before sync');
    await performer.undo(disk.id);
    expect(points.slice(-3)).toEqual(['before sync', 'after sync', 'after undo']);
  });

  it('is for its owner alone', async () => {
    chmodSync(folder, 0o755);
    await start();
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder, 'journal')).mode & 0o777).toBe(0o600);
  });

  it('is not shared with another process', async () => {
    writeFileSync(join(folder, 'lock'), '1\n');
    await expect(start()).rejects.toThrow('process 1 works with it');
  });

  it('of a newer version is not touched', async () => {
    const performer = await start();
    await performer.close();
    performers.length = 0;
    const file = join(folder, 'journal');
    const json = '{"kind":"open","version":2,"boot":"b"}';
    const rest = `${json.length} 0 ${json}`;
    writeFileSync(file, `${crc32(rest).toString(16).padStart(8, '0')} ${rest}\n`);
    await expect(start()).rejects.toThrow(`${file}: was written by a newer version`);
    expect(existsSync(join(folder, 'lock'))).toBe(false);
  });
});

describe('undo', () => {
  it('undoes what is the plan’s own in reverse and leaves what is shared', async () => {
    const performer = await start();
    await performer.perform(web);
    host.story.length = 0;
    await performer.undo(web.id);
    expect(host.story).toEqual(['remove /etc/f', 'forward=', 'del thing1.peer', 'del thing1']);
    expect([...host.kernel.keys()]).toEqual(['hub0', 'forward']);
    expect(performer.record(web.id)).toBeUndefined();
  });

  it('does nothing for a plan that is not recorded', async () => {
    await (await start()).undo('unknown');
  });

  it('goes on after a failure, keeps what is left, and can be tried again', async () => {
    const performer = await start();
    await performer.perform(web);
    const busy = new EffectError('busy', 'Device or resource busy', 'rm /etc/f');
    host.before = (effect) => (effect.kind === 'remove-path' ? busy : undefined);
    await expect(performer.undo(web.id)).rejects.toMatchObject({
      verb: 'undo',
      code: 'busy',
      message: 'step file-3 of rule rule (spec.steps[3], line 13): could not be undone: rm /etc/f: Device or resource busy',
    });
    expect([...host.kernel.keys()]).toEqual(['hub0', 'forward']);
    expect(performer.record(web.id)).toMatchObject({ state: 'undoing', steps: [{ step: { key: 'file-3' } }] });
    const again = await restart(performer);
    expect(await again.recover()).toMatchObject({ undone: [], left: [expect.stringContaining('rm /etc/f: Device or resource busy')] });
    host.before = () => undefined;
    await again.undo(web.id);
    expect(host.disk.size).toBe(0);
    expect([...again.records()]).toEqual([]);
  });

  it('is forgotten, where it could not be done and somebody says so', async () => {
    const performer = await start();
    await performer.perform(web);
    expect(await performer.forget(web.id)).toBe(false);
    expect(await performer.forget('nobody')).toBe(false);
    host.before = (effect) => (effect.kind === 'remove-path' ? new EffectError('busy', 'Device or resource busy', 'rm /etc/f') : undefined);
    await expect(performer.undo(web.id)).rejects.toMatchObject({ code: 'busy' });
    expect(await performer.forget(web.id)).toBe(true);
    expect([...performer.records()]).toEqual([]);
    expect(host.disk.size).toBe(1);
    const again = await restart(performer);
    expect(await again.recover()).toEqual({ undone: [], left: [] });
    expect([...again.records()]).toEqual([]);
  });

  it('is done once more where a program ended by itself', async () => {
    const performer = await start();
    await performer.perform(web);
    const ended = new EffectError('program', 'rm ended by itself', 'rm /etc/f');
    let endings = 1;
    host.before = (effect) => (effect.kind === 'remove-path' && endings-- > 0 ? ended : undefined);
    await performer.undo(web.id);
    expect([[...performer.records()], host.disk.size]).toEqual([[], 0]);

    await performer.perform(web);
    endings = 2;
    await expect(performer.undo(web.id)).rejects.toMatchObject({ code: 'program' });
    expect(performer.record(web.id)).toMatchObject({ state: 'undoing', steps: [{ step: { key: 'file-3' } }] });
    await performer.undo(web.id);
    expect(host.disk.size).toBe(0);
  });

  it('after a failed step says what is left', async () => {
    const performer = await start();
    host.before = (effect) =>
      effect.kind === 'sysctl-write' && effect.value !== '1' ? new EffectError('denied', 'no', 'sysctl') : undefined;
    const plan = fakePlan('bad', [
      ['value', { key: 'forward', value: '1' }],
      ['broken', { name: 'b' }],
    ]);
    await expect(performer.perform(plan)).rejects.toMatchObject({
      code: 'invalid',
      left: ['step value-0 of rule rule (spec.steps[0], line 10): could not be undone: sysctl: no'],
    });
    expect(performer.record(plan.id)?.state).toBe('undoing');
    // Another attempt begins with the rest of the undo.
    host.before = () => undefined;
    await performer.perform(fakePlan('bad', [['thing', { name: 'thing1' }]]));
    expect(Object.fromEntries(host.kernel)).toMatchObject({ forward: '', thing1: plan.owner.text });
  });
});

describe('a shared step that did not end', () => {
  /** The hub is there, but the step never heard of it. */
  const interrupted = async (performer: Performer): Promise<void> => {
    host.before = (effect) => {
      if (effect.kind !== 'iproute' || effect.commands[0]?.words[0] !== 'add') return undefined;
      host.before = () => undefined;
      host.kernel.set('hub0', web.owner.text);
      return new EffectError('program', 'ip ended by itself', 'ip link add hub0');
    };
    await expect(performer.perform(web)).rejects.toThrow('ip ended by itself');
  };

  it('is undone, for nobody could tell any more whose it is', async () => {
    await interrupted(await start());
    expect(host.kernel.size).toBe(0);
  });

  it('stays where another plan uses it', async () => {
    const performer = await start();
    await performer.perform(fakePlan('other', [['hub', { name: 'hub0' }]]));
    host.kernel.delete('hub0');
    await interrupted(performer);
    expect([...host.kernel.keys()]).toEqual(['hub0']);
  });
});

describe('check', () => {
  it('says what is not as it was left', async () => {
    const performer = await start();
    await performer.perform(web);
    host.kernel.delete('thing1');
    host.disk.set('/etc/f', 'changed');
    expect(await performer.check(web.id)).toMatchObject([
      { step: { key: 'thing-1' }, message: 'thing1 is not there' },
      { step: { key: 'file-3' }, message: '/etc/f is changed, not hub is hub0' },
    ]);
  });

  it('says what it could not find out', async () => {
    const performer = await start();
    await performer.perform(web);
    host.before = (effect) => (effect.kind === 'read-file' ? new EffectError('denied', 'EACCES', 'read /etc/f') : undefined);
    expect(await performer.check(web.id)).toMatchObject([
      { message: 'step file-3 of rule rule (spec.steps[3], line 13): could not be checked: read /etc/f: EACCES' },
    ]);
  });

  it('needs a record', async () => {
    await expect((await start()).check('unknown')).rejects.toThrow('plan unknown is not recorded');
  });
});

describe('recover', () => {
  it('undoes what an earlier boot performed, without its namespaces, and keeps files as they were', async () => {
    host.namespaces.add('/run/netns/a');
    host.disk.set('/etc/f', 'old');
    const performer = await start();
    await performer.perform({ ...web, netns: '/run/netns/a' });
    host.reboot();
    // Another's, under the same path.
    host.namespaces.add('/run/netns/a');
    host.kernel.set('thing1', 'theirs');
    const again = await restart(performer, { bootId: 'boot-2' });
    const { undone, left } = await again.recover();
    expect(undone.map(({ id }) => id)).toEqual([web.id]);
    expect(left).toEqual([]);
    expect([...host.kernel]).toEqual([['thing1', 'theirs']]);
    expect(host.disk.get('/etc/f')).toBe('old');
  });

  it('keeps a record with an operation that it does not know, says so, and goes on with the others', async () => {
    const performer = await start();
    await performer.perform(web);
    await performer.perform(fakePlan('other', [['thing', { name: 'thing2' }]]));
    host.reboot();
    const operations = fakeOperations();
    operations.delete('file');
    const again = await restart(performer, { bootId: 'boot-2', operations });
    const { undone, left } = await again.recover();
    expect(undone).toHaveLength(1);
    expect(left).toEqual([
      'step file-3 of rule rule (spec.steps[3], line 13): could not be undone: this version has no operation "file"; the version that performed it can undo it',
    ]);
    expect(again.record(web.id)).toMatchObject({ state: 'undoing', steps: [{ step: { operation: 'file' } }] });
  });
});

describe('converge', () => {
  const node = (...names: readonly string[]): Plan =>
    fakePlan('node', [['hub', { name: 'hub0' }], ...names.map((name, index): FakeStep => ['thing', { name }, `thing/${index}`])]);
  const keys = (performer: Performer): unknown => performer.record(node().id)?.steps.map(({ step }) => [step.key, step.arguments['name']]);

  it('performs a plan that is new, and undoes it when it fails', async () => {
    const performer = await start();
    await performer.converge(node('a', 'b'));
    expect(host.story).toEqual(['add hub0', 'add a', 'add a.peer', 'add b', 'add b.peer']);
    await expect(performer.converge(fakePlan('bad', [['broken', { name: 'c' }]]))).rejects.toThrow('Invalid argument');
    expect(host.kernel.has('c')).toBe(false);
  });

  it('changes nothing on a full disk, and goes on when there is room', async () => {
    let isFull = false;
    const crashPoint = (name: string): void => {
      if (isFull && name.startsWith('before append')) throw new RecordLogError('full', 'there is no room on the disk');
    };
    const performer = await start({ crashPoint });
    await performer.converge(node('a', 'b'));
    const before = host.state();
    isFull = true;
    for (const plan of [node('a'), node('a', 'b', 'c'), fakePlan('new', [['thing', { name: 'd' }]])]) {
      await expect(performer.converge(plan)).rejects.toMatchObject({
        name: 'StepFailure',
        code: 'full',
        message: expect.stringContaining('no room on the disk'),
      });
    }
    expect(host.state()).toEqual(before);
    isFull = false;
    await performer.converge(node('b', 'c'));
    expect(keys(performer)).toEqual([
      ['hub-0', 'hub0'],
      ['thing/0', 'b'],
      ['thing/1', 'c'],
    ]);
  });

  it('changes nothing, the journal neither, where all is well', async () => {
    const performer = await start();
    await performer.converge(node('a', 'b'));
    host.story.length = 0;
    const before = readFileSync(join(folder, 'journal'));
    await performer.converge(node('a', 'b'));
    expect(host.story).toEqual([]);
    expect(readFileSync(join(folder, 'journal')).equals(before)).toBe(true);
  });

  it('makes again what is gone', async () => {
    const performer = await start();
    await performer.converge(node('a', 'b'));
    host.kernel.delete('a.peer');
    host.story.length = 0;
    await performer.converge(node('a', 'b'));
    expect(host.story).toEqual(['add a.peer']);
  });

  it.each([
    ['one more', ['a', 'b', 'c'], ['add c', 'add c.peer']],
    ['one fewer in the middle, the others under other keys', ['b'], ['del a.peer', 'del a']],
    ['another order', ['b', 'a'], []],
    ['another one first', ['c', 'a', 'b'], ['add c', 'add c.peer']],
    ['one in the place of another', ['a', 'c'], ['del b.peer', 'del b', 'add c', 'add c.peer']],
    ['none', [], ['del b.peer', 'del b', 'del a.peer', 'del a']],
  ])('undoes what is not wanted any more, and leaves the rest alone: %s', async (_, names, story) => {
    const performer = await start();
    await performer.converge(node('a', 'b'));
    host.story.length = 0;
    await performer.converge(node(...names));
    expect(host.story).toEqual(story);
    const expected = [['hub-0', 'hub0'], ...names.map((name, index) => [`thing/${index}`, name])];
    expect(keys(performer)).toEqual(expected);
    const again = await restart(performer);
    expect(keys(again)).toEqual(expected);
    expect(await again.check(node().id)).toEqual([]);
  });

  it('undoes what follows where the walk takes a way that could not be foreseen', async () => {
    host.kernel.set('x', '5');
    // The second step depends on what the first finds.
    const plan = (value: string): Plan =>
      fakePlan('node', [
        ['value', { key: 'x', value }, 'x'],
        ['thing', (outputs) => ({ name: `t${outputs['x']!['before']}` }), 't'],
      ]);
    const performer = await start();
    await performer.converge(plan('6'));
    expect([...host.kernel.keys()]).toEqual(['x', 't5', 't5.peer']);
    host.story.length = 0;
    await performer.converge(plan('7'));
    expect(host.story).toEqual(['del t5.peer', 'del t5', 'x=5', 'x=7', 'add t5', 'add t5.peer']);
    await performer.undo(plan('7').id);
    expect(Object.fromEntries(host.kernel)).toEqual({ x: '5' });
  });

  it('changes in place what has the same identity, and undoes only what is gone', async () => {
    const plan = (...sets: readonly (readonly [string, string])[]): Plan =>
      fakePlan(
        'node',
        sets.map(([key, value]): FakeStep => ['members', { key, value }, `members/${key}`]),
      );
    const performer = await start();
    await performer.converge(plan(['a', '1'], ['b', '1'], ['c', '1']));
    host.story.length = 0;
    await performer.converge(plan(['c', '2'], ['a', '1,2']));
    expect(host.story).toEqual(['b=', 'c=2', 'a=1,2']);
    const again = await restart(performer);
    expect(again.record(plan().id)?.steps.map(({ step }) => step.arguments)).toEqual([
      { key: 'c', value: '2' },
      { key: 'a', value: '1,2' },
    ]);
    expect(await again.check(plan().id)).toEqual([]);
  });

  it('keeps what it has when a step fails, and goes on from there', async () => {
    const performer = await start();
    await performer.converge(node('a', 'b'));
    const failing = fakePlan('node', [
      ['hub', { name: 'hub0' }],
      ['thing', { name: 'a' }, 'thing/0'],
      ['broken', { name: 'c' }, 'broken'],
    ]);
    await expect(performer.converge(failing)).rejects.toThrow('Invalid argument');
    expect(performer.record(node().id)).toMatchObject({ state: 'performed' });
    expect((await performer.check(node().id)).map(({ message }) => message)).toEqual(['was begun, and did not end']);
    await performer.converge(node('a', 'b'));
    expect([...host.kernel.keys()].sort()).toEqual(['a', 'a.peer', 'b', 'b.peer', 'hub0']);
    expect(await performer.check(node().id)).toEqual([]);
  });
});

describe('collect', () => {
  it('removes what carries a tag and belongs to no record', async () => {
    const performer = await start();
    await performer.perform(web);
    const lost = ownerTag('rule', 'lost').text;
    host.kernel.set('thing9', lost);
    host.kernel.set('thing10', ownerTag('other', 'lost').text);
    host.kernel.set('thing11', 'fairlead:not a tag of ours');
    const { removed, left } = await performer.collect({ rules: ['rule'] });
    expect(removed.map(({ tag, what }) => [tag, what])).toEqual([[lost, 'thing thing9']]);
    expect(left).toEqual([]);
    expect([...host.kernel.keys()]).toEqual(['hub0', 'thing1', 'thing1.peer', 'forward', 'thing10', 'thing11']);
  });

  it('asks once what several operations want to know, and anew the next time', async () => {
    const handler = host.handler();
    const asked: string[] = [];
    const performer = await start({
      handler: {
        ...handler,
        perform(effect, signal) {
          asked.push(effect.kind);
          return handler.perform(effect, signal);
        },
      },
    });
    await performer.collect({});
    expect(asked).toEqual(['show']);
    host.kernel.set('hub9', ownerTag('rule', 'lost').text);
    host.kernel.set('thing9', ownerTag('rule', 'lost').text);
    expect((await performer.collect({})).removed).toMatchObject([{ what: 'thing thing9' }, { what: 'hub hub9' }]);
    expect(asked.slice(0, 2)).toEqual(['show', 'show']);
  });

  it('removes what is shared when no record uses it, whoever made it', async () => {
    const performer = await start();
    const other = fakePlan('other', [['hub', { name: 'hub0' }]]);
    await performer.perform(web);
    await performer.perform(other);
    await performer.undo(web.id);
    await performer.collect({ rules: ['rule'] });
    expect(host.kernel.get('hub0')).toBe(web.owner.text);
    await performer.undo(other.id);
    expect((await performer.collect({ rules: ['other'] })).removed).toEqual([]);
    expect((await performer.collect({ rules: ['rule'] })).removed).toMatchObject([{ what: 'hub hub0' }]);
    expect([...host.kernel.keys()]).toEqual(['forward']);
  });

  it('removes what is of any rule where no rules are named', async () => {
    const performer = await start();
    await performer.perform(web);
    host.kernel.set('thing9', ownerTag('gone', 'lost').text);
    expect((await performer.collect({})).removed).toMatchObject([{ what: 'thing thing9' }]);
    expect([...host.kernel.keys()]).toContain('thing1');
  });

  it('goes on after a failure and says what is left', async () => {
    const performer = await start();
    for (const name of ['thing1', 'thing2']) host.kernel.set(name, ownerTag('rule', name).text);
    host.before = (effect) =>
      effect.kind === 'iproute' && effect.commands[0]?.words[1] === 'thing1' ? new EffectError('busy', 'busy', 'del') : undefined;
    const { removed, left } = await performer.collect({ rules: ['rule'] });
    expect(removed).toMatchObject([{ what: 'thing thing2' }]);
    expect(left).toEqual([`thing: thing thing1 of ${ownerTag('rule', 'thing1').text}: del: busy`]);
  });
});

describe('sweep', () => {
  const lost = fakePlan('lost', [['thing', { name: 'thing9' }]]);
  const other = fakePlan('other', [['thing', { name: 'thing8' }]]);
  const names = (): string[] => [...host.kernel.keys()].sort();

  /** A performer whose journal knows nothing of two plans, and what it asks of the host. */
  async function afterLoss(fields: Partial<PerformerOptions> = {}) {
    for (const { owner, walk } of [lost, other]) {
      const { name } = walk().next()!.arguments as { name: string };
      host.kernel.set(name, owner.text);
    }
    const asked: string[] = [];
    const performer = await start({ clock, ...fields });
    host.before = (effect) => {
      if (effect.kind === 'show') asked.push(effect.words.join(' '));
      return undefined;
    };
    return { performer, asked };
  }

  let clock: ReturnType<typeof manualClock>;
  beforeEach(() => {
    clock = manualClock();
  });

  it('removes what carries the tag of a plan without a record, and nothing else', async () => {
    const { performer } = await afterLoss();
    await performer.perform(web);
    expect((await performer.sweep(lost.id)).removed).toMatchObject([{ what: 'thing thing9' }]);
    expect(names()).toEqual(['forward', 'hub0', 'thing1', 'thing1.peer', 'thing8']);
    // It has a record.
    expect(await performer.sweep(web.id)).toEqual({ removed: [], left: [] });
    expect(names()).toContain('thing1');
  });

  it('looks at everything once, and then only for what was found', async () => {
    const { performer, asked } = await afterLoss();
    const unknown = fakePlan('never', []).id;
    await performer.sweep(unknown);
    expect(asked).toEqual(['']);
    for (let times = 0; times < 3; times++) await performer.sweep(unknown);
    await performer.sweep(fakePlan('neither', []).id);
    expect(asked).toEqual(['']);
    for (const plan of [lost, other]) await performer.sweep(plan.id);
    expect(names()).toEqual([]);
    asked.length = 0;
    for (const plan of [lost, other]) await performer.sweep(plan.id);
    expect(asked).toEqual([]);
  });

  it('still finds strays of a plan that was performed anew, and undone', async () => {
    const { performer } = await afterLoss();
    await performer.sweep(other.id);
    await performer.perform(fakePlan('lost', [['thing', { name: 'thing7' }]]));
    await performer.undo(lost.id);
    expect(names()).toEqual(['thing9']);
    await performer.sweep(lost.id);
    expect(names()).toEqual([]);
  });

  it('looks a little later for what came since, all of it in one look', async () => {
    const { performer, asked } = await afterLoss();
    for (const plan of [lost, other]) await performer.sweep(plan.id);
    for (const [name, { owner }] of [
      ['thing9', lost],
      ['thing8', other],
      ['thing7', fakePlan('third', [])],
    ] as const)
      host.kernel.set(name, owner.text);
    for (const plan of [lost, other, lost]) await performer.sweep(plan.id);
    expect(names()).toEqual(['thing7', 'thing8', 'thing9']);
    asked.length = 0;
    clock.advance(30_000);
    await vi.waitFor(() => expect(names()).toEqual(['thing7']));
    expect(asked.filter((words) => words === '')).toHaveLength(1);
    // That look saw the third.
    expect((await performer.sweep(fakePlan('third', []).id)).removed).toMatchObject([{ what: 'thing thing7' }]);
  });

  it('looks again also for whom it has looked at everything', async () => {
    const { performer } = await afterLoss();
    // Something of it is where nobody sees it yet.
    host.kernel.delete('thing9');
    await performer.sweep(lost.id);
    host.kernel.set('thing9', lost.owner.text);
    clock.advance(30_000);
    await vi.waitFor(() => expect(names()).toEqual(['thing8']));
    expect(clock.pending()).toBe(0);
  });

  it('leaves alone what was performed until then', async () => {
    const { performer } = await afterLoss();
    await performer.sweep(other.id);
    await performer.sweep(web.id);
    await performer.perform(web);
    clock.advance(30_000);
    // It waits for the look that has begun, or is a part of it.
    await performer.sweep(lost.id);
    expect(names()).toEqual(['forward', 'hub0', 'thing1', 'thing1.peer']);
  });

  it('concludes nothing from a look that could not list everything', async () => {
    const { performer, asked } = await afterLoss();
    const see = host.before;
    host.before = () => new EffectError('timeout', 'no answer', 'ip link show');
    await expect(performer.sweep(lost.id)).resolves.toMatchObject({ removed: [], left: ['what thing made: ip link show: no answer'] });
    host.before = see;
    expect((await performer.sweep(lost.id)).removed).toHaveLength(1);
    // But what it has undone itself is gone, whatever can be listed.
    host.before = (effect) =>
      effect.kind === 'show' && effect.words.length === 0 ? new EffectError('timeout', 'no answer', 'x') : undefined;
    asked.length = 0;
    const again = await restart(performer, { clock });
    await again.perform(web);
    await again.undo(web.id);
    expect(await again.sweep(web.id)).toEqual({ removed: [], left: [] });
  });

  it('tries again what could not be removed', async () => {
    const { performer } = await afterLoss();
    host.before = (effect) => (effect.kind === 'iproute' ? new EffectError('busy', 'busy', 'del') : undefined);
    const refused = { removed: [], left: [`thing: thing thing9 of ${lost.owner.text}: del: busy`] };
    expect(await performer.sweep(lost.id)).toEqual(refused);
    expect(await performer.sweep(lost.id)).toEqual(refused);
    host.before = () => undefined;
    expect((await performer.sweep(lost.id)).removed).toHaveLength(1);
  });

  it('looks for what was forgotten', async () => {
    const { performer } = await afterLoss();
    await performer.collect({});
    await performer.perform(lost);
    host.before = (effect) => (effect.kind === 'iproute' ? new EffectError('busy', 'busy', 'del') : undefined);
    await expect(performer.undo(lost.id)).rejects.toThrow('busy');
    await performer.forget(lost.id);
    host.before = () => undefined;
    await performer.sweep(lost.id);
    expect(names()).toEqual([]);
  });

  it('looks for what was forgotten while somebody looked', async () => {
    const performer = await start({ clock });
    const mine = fakePlan('mine', [['thing', { name: 'thing7' }]]);
    await performer.perform(mine);
    host.before = (effect) => (effect.kind === 'iproute' ? new EffectError('busy', 'busy', 'del') : undefined);
    await expect(performer.undo(mine.id)).rejects.toThrow('busy');
    host.kernel.set('thing9', lost.owner.text);
    // It comes to what is to be removed when it has passed by what is recorded.
    let forgotten: boolean | undefined;
    host.before = async (effect) => {
      if (effect.kind === 'iproute') forgotten ??= await performer.forget(mine.id);
      return undefined;
    };
    await performer.sweep(lost.id);
    expect([forgotten, names()]).toEqual([true, ['thing7', 'thing7.peer']]);
    await performer.sweep(mine.id);
    expect(names()).toEqual([]);
  });

  it('finds after another loss of the journal what the first found, and what was made since', async () => {
    const { performer } = await afterLoss();
    await performer.sweep(fakePlan('never', []).id);
    await performer.perform(web);
    await performer.close();
    performers.splice(performers.indexOf(performer), 1);
    rmSync(folder, { recursive: true });
    const again = await start({ clock });
    for (const plan of [web, lost, other, web, lost]) expect((await again.sweep(plan.id)).left).toEqual([]);
    expect(names()).toEqual(['forward', 'hub0']);
  });

  it('shares one look among those that wait', async () => {
    const { performer, asked } = await afterLoss();
    const plans = Array.from({ length: 20 }, (_, index) => fakePlan(`plan${index}`, []));
    for (const [index, { owner }] of plans.entries()) host.kernel.set(`thing${index + 10}`, owner.text);
    await Promise.all([...plans, lost, other].map(({ id }) => performer.sweep(id)));
    expect(names()).toEqual([]);
    expect(asked.filter((words) => words === '').length).toBeLessThanOrEqual(2);
  });

  it('ends with the performer, whatever was to be looked for later', async () => {
    const { performer } = await afterLoss();
    for (const plan of [lost, lost]) await performer.sweep(plan.id);
    await performer.close();
    performers.splice(performers.indexOf(performer), 1);
    expect(clock.pending()).toBe(0);
  });
});
