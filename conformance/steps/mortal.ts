import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { JsonObject } from '../../engine/object/json.ts';
import { OPERATIONS } from '../../engine/step/operations/index.ts';
import { ownerTag } from '../../engine/step/owner-tag.ts';
import type { BoundStep, Plan } from '../../engine/step/plan.ts';
import { checkShapeValue } from '../../engine/text/shape-check.ts';
import { createPerformer } from '../../runtimes/linux/create-performer.ts';
import { createHost, type Host } from '../../runtimes/linux/host.ts';
import { type Performer, StepFailure } from '../../runtimes/linux/performer.ts';
import type { TrialPlan } from './plans.ts';
import { type Death, FILLER, type Report, type Task } from './task.ts';

/*
 * A process that performs tasks it reads as lines, and kills itself where a task says so. It begins a task only when it is told, so that the
 * next one can be loaded while another lives.
 */

const RULE = 'steps';

function boundSteps(plan: TrialPlan): BoundStep[] {
  return plan.steps.map((step, index) => {
    const [[name, given]] = Object.entries(step) as [[string, JsonObject]];
    const operation = OPERATIONS.get(name);
    if (operation === undefined) throw new Error(`there is no operation ${name}`);
    const { value, problems } = checkShapeValue<JsonObject>(operation.arguments, given);
    const problem = problems[0] ?? (value === undefined ? undefined : operation.validate?.(value)[0]);
    if (problem !== undefined) throw new Error(`${name}: ${problem.path.join('.')}: ${problem.message}`);
    return { key: `${name}-${index}`, operation: name, arguments: value!, timeout: 10_000, path: ['spec', 'steps', index] };
  });
}

/** `<n>` stands for the number of a plan. */
function numbered(plan: TrialPlan, index: number): TrialPlan {
  if (index === 0 && !JSON.stringify(plan).includes('<n>')) return plan;
  return { ...(JSON.parse(JSON.stringify(plan).replaceAll('<n>', String(index))) as TrialPlan), name: `${plan.name} ${index}` };
}

function toPlan(trial: TrialPlan, netns: string | undefined, padding: number): Plan {
  const owner = ownerTag(RULE, trial.name);
  const steps = boundSteps(trial);
  return {
    id: owner.id,
    owner,
    netns,
    subject: { name: trial.name, padding: 'x'.repeat(padding) },
    walk() {
      let index = 0;
      return { next: () => steps[index++], done: () => undefined };
    },
  };
}

function children(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  );
}

function killChildren(): void {
  for (const pid of children(process.pid)) {
    try {
      for (const below of children(pid)) process.kill(below, 'SIGKILL');
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
}

function die(): void {
  process.kill(process.pid, 'SIGKILL');
  // The signal is for this thread, too, but nothing may be done until it comes.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10_000);
}

/** Counts the points at which `death` can strike, and strikes at one of them. */
function crashPoint(death: Death | undefined, points: string[]): (name: string) => void {
  return (name) => {
    if (
      death !== undefined &&
      death.how !== 'at a point' &&
      death.how !== 'at a point, with its children' &&
      !name.startsWith('before effect')
    ) {
      return;
    }
    points.push(name);
    if (death?.at !== points.length) return;
    switch (death.how) {
      case 'at a point':
        return die();
      case 'at a point, with its children':
        killChildren();
        return die();
      case 'during an effect':
        // The effect is on its way then.
        setImmediate(die);
        return;
      case 'children only':
        setImmediate(killChildren);
    }
  };
}

const host: Host = createHost();

async function withPerformer<T>(task: Task, points: string[], act: (performer: Performer) => Promise<T>): Promise<T> {
  const performer = await createPerformer({
    folder: task.folder,
    handler: host,
    operations: OPERATIONS,
    now: () => Date.now(),
    bootId: task.boot ?? 'boot',
    log: (line, fields) => process.stderr.write(`${line} ${JSON.stringify(fields ?? {})}\n`),
    crashPoint: crashPoint(task.death, points),
  });
  try {
    return await act(performer);
  } finally {
    await performer.close();
  }
}

async function attempt(report: { failures: string[] }, act: () => Promise<unknown>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!(error instanceof StepFailure)) throw error;
    report.failures.push(`${error.code}: ${error.message}`, ...error.left.map((each) => `left: ${each}`));
  }
}

async function perform(task: Task): Promise<Report> {
  const points: string[] = [];
  const report = { failures: [] as string[], problems: [] as string[], left: [] as string[], records: 0 };
  const plans = Array.from({ length: task.times ?? 1 }, (_, index) => toPlan(numbered(task.plan, index), task.netns, task.padding ?? 0));
  const began = performance.now();
  await withPerformer(task, points, async (performer) => {
    for (const act of task.acts) {
      if (act === 'recover') report.left.push(...(await performer.recover()).left);
      if (act === 'perform') for (const plan of plans) await attempt(report, () => performer.perform(plan));
      if (act === 'converge' && task.plan.becomes !== undefined) {
        const plan = toPlan({ ...task.plan, steps: task.plan.becomes }, task.netns, 0);
        await attempt(report, () => performer.converge(plan));
      }
      if (act === 'check')
        for (const { id } of [...performer.records()]) report.problems.push(...(await performer.check(id)).map((each) => each.message));
      if (act === 'undo') for (const { id } of [...performer.records()]) await attempt(report, () => performer.undo(id));
      if (act === 'collect') report.left.push(...(await performer.collect({ rules: [RULE] })).left);
      if (act === 'make room') rmSync(join(task.folder, FILLER));
      if (act === 'count') report.records = [...performer.records()].length;
    }
  });
  return { ...report, points, milliseconds: performance.now() - began };
}

process.stdout.write('{"loaded":true}\n');
for await (const line of createInterface({ input: process.stdin })) {
  const answer = await perform(JSON.parse(line) as Task).catch((error: Error) => ({ broke: error.stack ?? error.message }));
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await host.close();
