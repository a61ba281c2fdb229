import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Plan } from '../../engine/step/plan.ts';
import { createPerformer } from './create-performer.ts';
import { FakeHost, type FakeStep, fakeOperations, fakePlan } from './fake-host.fixture.ts';
import type { Performer } from './performer.ts';

/*
 * A process dies at every point of its work, another takes its folder, and what is on the host is then what the journal says. The same when
 * the machine loses its power, and with it what nobody waited for.
 */

const NAMES = ['red', 'green', 'blue'];

/** Things are a plan's own, the hubs are everybody's. */
const stepOf = (plan: string): fc.Arbitrary<FakeStep> =>
  fc.oneof(
    fc.constantFrom('a', 'b').map((name): FakeStep => ['thing', { name: `thing.${plan}.${name}` }]),
    fc.constantFrom('1', '2').map((name): FakeStep => ['hub', { name: `hub${name}` }]),
    fc
      .tuple(fc.constantFrom('x', 'y'), fc.constantFrom('1', '2'))
      .map(([key, value]): FakeStep => ['value', { key: `${plan}.${key}`, value }]),
    fc
      .tuple(fc.constantFrom('f', 'g'), fc.constantFrom('1', '2'))
      .map(([key, value]): FakeStep => ['file', { key: `/${plan}/${key}`, value }]),
    fc.constant<FakeStep>(['broken', { name: `thing.${plan}.broken` }]),
  );

/** No two steps of one plan are about one thing: an operation may refuse that. */
const stepsOf = (plan: string): fc.Arbitrary<FakeStep[]> =>
  fc.uniqueArray(stepOf(plan), {
    minLength: 1,
    maxLength: 4,
    selector: ([operation, args]) => {
      const { name, key } = args as { name?: string; key?: string };
      return `${operation} ${name ?? key}`;
    },
  });

type Verb = 'perform' | 'undo' | 'converge';

interface Act {
  readonly verb: Verb;
  readonly plan: Plan;
}

/** Rounds of acts; those of a round run at once, each on another plan. */
const scenario: fc.Arbitrary<readonly (readonly Act[])[]> = fc.array(
  fc
    .subarray(NAMES, { minLength: 1 })
    .chain((names) =>
      fc.tuple(
        ...names.map((name) =>
          fc
            .record({ verb: fc.constantFrom<Verb>('perform', 'perform', 'converge', 'undo'), steps: stepsOf(name) })
            .map(({ verb, steps }): Act => ({ verb, plan: fakePlan(name, steps) })),
        ),
      ),
    ),
  { minLength: 1, maxLength: 2 },
);

function newHost(): FakeHost {
  const host = new FakeHost();
  for (const name of NAMES) for (const key of ['x', 'y']) host.kernel.set(`${name}.${key}`, '0');
  for (const name of NAMES) host.disk.set(`/${name}/f`, '0');
  return host;
}

class Death extends Error {}

interface Process {
  /** Undefined where it died at its start. */
  readonly performer: Performer | undefined;
  readonly isDead: () => boolean;
  /** The journal as it was when it was last waited for. */
  readonly onDisk: () => Buffer;
  readonly points: () => readonly string[];
}

/** A process that dies at its n-th point. */
async function start(folder: string, host: FakeHost, bootId: string, deathAt = Number.POSITIVE_INFINITY): Promise<Process> {
  const points: string[] = [];
  const file = join(folder, 'journal');
  let onDisk: Buffer = Buffer.alloc(0);
  const isDead = (): boolean => points.length >= deathAt;
  const performer = await createPerformer({
    folder,
    handler: host.handler(isDead),
    operations: fakeOperations(),
    now: () => 0,
    bootId,
    log: () => undefined,
    crashPoint(name) {
      if (isDead()) throw new Death(name);
      points.push(name);
      if (name === 'after sync') onDisk = readFileSync(file);
      if (isDead()) throw new Death(name);
    },
  }).catch((error: unknown) => {
    if (error instanceof Death) return undefined;
    throw error;
  });
  return { performer, isDead, onDisk: () => onDisk, points: () => points };
}

async function live({ performer }: Process, rounds: readonly (readonly Act[])[]): Promise<void> {
  if (performer === undefined) return;
  for (const round of rounds) {
    await Promise.allSettled(
      round.map(({ verb, plan }) => (verb === 'undo' ? performer.undo(plan.id) : performer[verb](plan)) as Promise<unknown>),
    );
  }
  await performer.close();
}

async function inFolder<T>(act: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'flb-crash-'));
  try {
    return await act(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('a death of the process', () => {
  it('at any point leaves what the journal says, and nothing when that is undone', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async (rounds) => {
        for (let deathAt = 1, died = true; died; deathAt++) {
          died = await inFolder(async (folder) => {
            const host = newHost();
            const first = await start(folder, host, 'boot-1', deathAt);
            await live(first, rounds);

            const { performer } = await start(folder, host, 'boot-1');
            if (performer === undefined) throw new Error('nothing kills the second');
            const { left } = await performer.recover();
            const story = `died at ${first.points().at(-1)} (${deathAt})`;
            expect(left, story).toEqual([]);
            await finish(performer);
            await performer.collect({ rules: ['rule'] });
            await expectTruth(host, performer, story);

            for (const { id } of [...performer.records()]) await performer.undo(id);
            await performer.collect({ rules: ['rule'] });
            expect(host.state(), story).toBe(newHost().state());
            await performer.close();
            return first.isDead();
          });
        }
      }),
      { numRuns: 5 },
    );
  });
});

/** A record that was being changed is as it was, but for steps that say that they did not end; that is for who knows the plan. */
async function finish(performer: Performer): Promise<void> {
  for (const { id, subject, steps } of [...performer.records()]) {
    if (steps.every(({ outputs }) => outputs !== undefined)) continue;
    const problems = await performer.check(id);
    expect(problems.map(({ message }) => message)).toContain('was begun, and did not end');
    const wanted = steps.filter(({ step }) => step.operation !== 'broken');
    const plan = fakePlan(
      String(subject['name']),
      wanted.map(({ step }): FakeStep => [step.operation, step.arguments, step.key]),
    );
    await performer.converge(plan);
  }
}

/** Every record is performed and its steps are there; nothing else is. */
async function expectTruth(host: FakeHost, performer: Performer, story: string): Promise<void> {
  const expected = newHost();
  const records = [...performer.records()];
  for (const record of records) {
    expect(record.state, story).toBe('performed');
    expect(await performer.check(record.id), story).toEqual([]);
    for (const { step } of record.steps) {
      const { name, key, value } = step.arguments as { name?: string; key?: string; value?: string };
      const tag = host.kernel.get(name ?? '');
      if (step.operation === 'value') expected.kernel.set(key!, value!);
      else if (step.operation === 'file') expected.disk.set(key!, value!);
      else expected.kernel.set(name!, tag ?? 'missing');
      if (step.operation === 'thing') expected.kernel.set(`${name}.peer`, tag ?? 'missing');
    }
  }
  expect(host.state(), story).toBe(expected.state());
}

describe('a loss of power', () => {
  it('at any point leaves no file of ours and no record, whatever of the journal’s end was lost', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(scenario, fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }), async (rounds, lost) => {
        for (let deathAt = 1, died = true; died; deathAt++) {
          died = await inFolder(async (folder) => {
            const host = newHost();
            const first = await start(folder, host, 'boot-1', deathAt);
            await live(first, rounds);
            host.reboot();
            loseEnd(join(folder, 'journal'), first.onDisk(), lost);

            const { performer } = await start(folder, host, 'boot-2');
            if (performer === undefined) throw new Error('nothing kills the second');
            const story = `died at ${first.points().at(-1)} (${deathAt})`;
            expect((await performer.recover()).left, story).toEqual([]);
            expect([...performer.records()], story).toEqual([]);
            const untouched = newHost();
            untouched.reboot();
            expect(host.state(), story).toBe(untouched.state());
            await performer.close();
            return first.isDead();
          });
        }
      }),
      { numRuns: 5 },
    );
  });
});

/** Of what was written after the last wait, blocks are lost. */
function loseEnd(file: string, onDisk: Buffer, lost: readonly boolean[]): void {
  const content = readFileSync(file);
  let start = onDisk.length;
  while (start > 0 && onDisk[start - 1] === 0) start--;
  for (let offset = start, block = 0; offset < content.length; offset += 100, block++) {
    if (lost[block % lost.length]) content.fill(0, offset, Math.min(offset + 100, content.length));
  }
  writeFileSync(file, content);
}
