import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BindError } from '../../engine/step/plan.ts';
import { createPerformer } from './create-performer.ts';
import { FakeHost, fakeOperations, fakePlan } from './fake-host.fixture.ts';
import type { Performer, PerformerOptions } from './performer.ts';

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
});
