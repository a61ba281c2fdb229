import type { CaseResult } from '../suite.ts';
import { objection, result } from './judge.ts';
import type { TrialPlan } from './plans.ts';
import { type Act, FILLER, type Report, type Task } from './task.ts';
import type { Trial } from './trial.ts';

const FOLDER = '/run/flb-full';

/** A file and a rule of each. */
const PLAN: TrialPlan = {
  name: 'full disk',
  inPod: false,
  steps: [{ file: { path: '/run/flb/full-<n>', content: 'x' } }, { rule: { from: '10.97.<n>.1', table: 98, priority: 980 } }],
};
/** More than the journal has room for. */
const TIMES = 150;

/** The disk of the journal is full: nothing is begun any more, and what was performed can be undone. */
export async function* fullDisk(trial: Trial): AsyncIterable<CaseResult> {
  const { node } = trial;
  const live = async (acts: readonly Act[], fields: Partial<Task> = {}): Promise<Report> => {
    const process = trial.process();
    const report = await process.perform({ folder: FOLDER, plan: PLAN, acts, ...fields });
    await process.stop();
    return report!;
  };
  await node.expect('sh', ['-c', `mkdir -p ${FOLDER} && mount -t tmpfs -o size=2m tmpfs ${FOLDER}`]);
  for (const [name, padding] of [
    ['large plans', 5000],
    ['small plans', 1000],
  ] as const) {
    await node.expect('rm', ['-f', `${FOLDER}/${FILLER}`]);
    await live(['perform', 'undo', 'collect']);
    await trial.remember();
    await node.run('dd', ['if=/dev/zero', `of=${FOLDER}/${FILLER}`, 'bs=4k']);
    const full = await live(['perform', 'check', 'count'], { times: TIMES, padding });
    const refused = full.failures.filter((each) => each.startsWith('full: ') && each.includes('there is no room on the disk'));
    const isFair =
      full.records > 0 && refused.length > 0 && refused.length === full.failures.length && full.records + refused.length === TIMES;
    const fault = isFair
      ? undefined
      : `${full.records} performed of ${TIMES}, ${refused.length} refused of ${full.failures.length} failures: ${full.failures[0]}`;
    yield result(`full disk, ${name} are performed or refused`, fault ?? objection({ ...full, failures: [], records: 0 }, undefined));

    const after = await live(['recover', 'check', 'undo', 'collect', 'count']);
    yield result(`full disk, ${name} are undone by another process`, objection(after, await trial.difference()));
    const again = await live(['count']);
    yield result(`full disk, ${name} are forgotten`, objection(again, undefined));
  }

  const relieved = await live(['perform', 'undo', 'make room', 'perform', 'count'], { times: TIMES, padding: 5000 });
  const fault =
    relieved.records === TIMES && relieved.failures.length > 0
      ? undefined
      : `${relieved.records} performed of ${TIMES} when there was room`;
  yield result('full disk, there is room again', fault ?? objection({ ...relieved, failures: [], records: 0 }, undefined));
  const free = await live(['recover', 'check', 'undo', 'collect', 'count']);
  yield result('full disk, all that was performed then is undone', objection(free, await trial.difference()));
  await node.expect('umount', [FOLDER]);
}
