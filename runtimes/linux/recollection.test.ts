import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { EffectError } from '../../engine/step/effect.ts';
import type { Operation } from '../../engine/step/operation.ts';
import { ownerTag } from '../../engine/step/owner-tag.ts';
import type { Plan } from '../../engine/step/plan.ts';
import { object, string } from '../../engine/text/shape.ts';
import { createPerformer } from './create-performer.ts';
import { FakeHost } from './fake-host.fixture.ts';
import type { Performer } from './performer.ts';

/* What an operation recollects from one `ensure` of a step to the next, in one process. */

let folder: string;
let host: FakeHost;
/** What each `ensure` and `undo` found. */
let found: unknown[];
let performer: Performer;

/** A value of the kernel, which is told what it was by whoever set it before. */
const VALUE: Operation<{ readonly value: string }> = {
  name: 'value',
  group: 'network',
  doc: 'For this test.',
  arguments: object({ value: string() }),
  outputs: {},
  lifetime: 'owned',
  requires: () => [],
  lockKeys: () => [],
  identity: () => 'value',
  *ensure({ value }, { recollection }) {
    found.push(recollection!.take());
    yield { kind: 'sysctl-write', netns: undefined, key: 'value', value };
    recollection!.keep(value);
    return {};
  },
  *check({ value }) {
    return (yield { kind: 'sysctl-read', netns: undefined, key: 'value' }) === value ? [] : ['another value'];
  },
  *undo(_, { recollection }) {
    found.push(recollection!.take());
    yield { kind: 'sysctl-write', netns: undefined, key: 'value', value: '' };
  },
  predict: () => ({}),
  describe: () => 'value',
};

const start = (): Promise<Performer> =>
  createPerformer({
    folder,
    handler: host.handler(),
    operations: new Map([['value', VALUE as unknown as Operation]]),
    now: () => 0,
    bootId: 'boot',
    log: () => undefined,
  });

function plan(value: string, name = 'plan'): Plan {
  const owner = ownerTag('rule', name);
  const steps = [{ key: 'value', operation: 'value', arguments: { value }, timeout: 1000, path: [] }];
  return {
    id: owner.id,
    owner,
    netns: undefined,
    subject: {},
    walk() {
      const left = [...steps];
      return { next: () => left.shift(), done: () => undefined };
    },
  };
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'flp-recollection-'));
  host = new FakeHost();
  found = [];
  performer = await start();
});

afterEach(async () => {
  await performer.close();
  rmSync(folder, { recursive: true });
});

it('is what was kept when the step was ensured last, each plan for itself', async () => {
  await performer.converge(plan('a'));
  await performer.converge(plan('other', 'another plan'));
  await performer.converge(plan('b'));
  await performer.converge(plan('b'));
  expect(found).toEqual([undefined, undefined, 'a', 'b']);
});

it('is nothing after a failure', async () => {
  await performer.converge(plan('a'));
  host.before = () => new EffectError('busy', 'Device or resource busy', 'sysctl');
  await expect(performer.converge(plan('b'))).rejects.toThrow('busy');
  host.before = () => undefined;
  await performer.converge(plan('b'));
  expect(found).toEqual([undefined, 'a', undefined]);
});

it('is nothing after an undo, and after a restart', async () => {
  await performer.converge(plan('a'));
  await performer.undo(plan('a').id);
  await performer.converge(plan('b'));
  await performer.close();
  performer = await start();
  await performer.converge(plan('c'));
  expect(found).toEqual([undefined, 'a', undefined, undefined]);
});
