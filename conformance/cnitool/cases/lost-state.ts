import { setTimeout as delay } from 'node:timers/promises';
import type { NormalState } from '../../cni/normalise.ts';
import type { PluginCalled } from '../../cni/probe.ts';
import { bundleProgram } from '../../cni/program.ts';
import type { Scene } from '../../cni/scene.ts';
import { type CniCase, claim, expectEqual, expectState, nodeState } from '../case.ts';
import { DEATH_MS, expectPing, one, startMortal, warmUp } from './faults.ts';

/* What was made before the daemon lost what it knows is found by the tags that it carries. */

const OURS = 'it is about the daemon';

async function succeed(scene: Scene, ...call: Parameters<typeof one> extends [Scene, ...infer Rest] ? Rest : never): Promise<PluginCalled> {
  const called = await one(scene, ...call);
  expectEqual(`exit code of ${call[0]} for ${call[1]}: ${called.stdout}`, called.exitCode, 0);
  return called;
}

/** What carries a tag of ours, or an address of a pod. */
function traces({ links, firewall, files }: NormalState): readonly string[] {
  return [
    ...links.filter((line) => line.includes('fairlead:')),
    ...firewall.filter((line) => /fairlead:|10\.1\.0\./.test(line)),
    ...files.filter((line) => line.includes('/10.1.0.')),
  ];
}

const isOfPod = (trace: string): boolean => trace.includes('10.1.0.');

/** It looks again half a minute after a DEL without a record. */
const LOOKED_AGAIN_MS = 60_000;

/** The daemon is down, and its folder goes. */
async function loseState(scene: Scene, meanwhile: () => Promise<unknown> = async () => undefined): Promise<void> {
  const daemon = scene.plugins.daemon!;
  daemon.process.signal('SIGKILL');
  await daemon.stop();
  await meanwhile();
  await scene.node.expect('rm', ['-rf', daemon.stateFolder]);
  await daemon.start();
}

/** Plays with pods on a bridge that is there already, and expects the node and the pods that `stay` to be as they were before. */
async function leavesNothing(scene: Scene, pods: readonly string[], play: () => Promise<void>, stay = pods): Promise<void> {
  await warmUp(scene);
  await scene.node.addPods(pods);
  const before = await nodeState(scene, stay);
  await play();
  await expectState('after it', before, () => nodeState(scene, stay));
}

const collectAll = (scene: Scene): Promise<PluginCalled> => succeed(scene, 'GC', 'pod1', { fields: { 'cni.dev/valid-attachments': [] } });

export const lostStateCases: readonly CniCase[] = [
  {
    name: 'lost state: DELs leave nothing, however often they come, and among others of what was never added',
    notOfficial: OURS,
    play(scene) {
      const pods = ['pod1', 'pod2', 'pod3'];
      const play = async (): Promise<void> => {
        for (const pod of pods) await succeed(scene, 'ADD', pod);
        await loseState(scene);
        for (const pod of ['never', 'pod1', 'pod1', 'never', 'pod2', 'neither', 'pod1']) await succeed(scene, 'DEL', pod);
        // Its DEL comes when its namespace is gone.
        await scene.node.removePod('pod3');
        await succeed(scene, 'DEL', 'pod3');
      };
      return leavesNothing(scene, pods, play, ['pod1', 'pod2']);
    },
  },
  {
    name: 'lost state: twice, with attachments of each life',
    notOfficial: OURS,
    play: (scene) =>
      leavesNothing(scene, ['pod1', 'pod2', 'pod3'], async () => {
        await succeed(scene, 'ADD', 'pod1');
        await loseState(scene);
        // It has seen what is left of the first life by then.
        await succeed(scene, 'DEL', 'never');
        await succeed(scene, 'ADD', 'pod2');
        await loseState(scene);
        await succeed(scene, 'ADD', 'pod3');
        for (const pod of ['never', 'pod2', 'pod1', 'pod3', 'pod2', 'pod1']) await succeed(scene, 'DEL', pod);
      }),
  },
  {
    name: 'lost state: GC leaves nothing, also of what was looked at before',
    notOfficial: OURS,
    async play(scene) {
      await scene.node.addPods(['pod1', 'pod2']);
      for (const pod of ['pod1', 'pod2']) await succeed(scene, 'ADD', pod);
      await loseState(scene);
      await succeed(scene, 'DEL', 'never');
      await succeed(scene, 'DEL', 'pod2');
      await collectAll(scene);
      expectEqual('what is left', traces(await nodeState(scene)), []);
    },
  },
  {
    name: 'lost state: a DEL was kept meanwhile, and is lost, too; the runtime repeats it',
    notOfficial: OURS,
    play: (scene) =>
      leavesNothing(scene, ['pod1'], async () => {
        await succeed(scene, 'ADD', 'pod1');
        await loseState(scene, () => succeed(scene, 'DEL', 'pod1'));
        await succeed(scene, 'DEL', 'pod1');
      }),
  },
  {
    name: 'lost state: the same attachment is added anew, and deleted',
    notOfficial: OURS,
    play: (scene) =>
      leavesNothing(scene, ['pod1'], async () => {
        await succeed(scene, 'ADD', 'pod1');
        await loseState(scene);
        await expectPing(scene, await succeed(scene, 'ADD', 'pod1'));
        for (let times = 0; times < 2; times++) await succeed(scene, 'DEL', 'pod1');
      }),
  },
  {
    name: 'lost state: the daemon is killed at any point of a DEL without a record',
    notOfficial: OURS,
    async play(scene) {
      const daemon = scene.plugins.daemon!;
      const program = await bundleProgram('conformance/cni/mortal-daemon.ts');
      await warmUp(scene);
      await scene.node.addPod('pod1');
      const before = await nodeState(scene, ['pod1']);
      let deaths = 0;
      for (let at = 1; ; at++) {
        await succeed(scene, 'ADD', 'pod1');
        await daemon.stop();
        await scene.node.expect('rm', ['-rf', daemon.stateFolder]);
        const mortal = await startMortal(scene, program, at);
        mortal.arm();
        await one(scene, 'DEL', 'pod1');
        await Promise.race([mortal.process.ended, delay(DEATH_MS)]);
        const isDead = mortal.process.exitCode !== undefined;
        if (isDead) deaths++;
        else await mortal.process.stop();
        await daemon.start();
        for (const pod of ['never', 'pod1', 'pod1']) await succeed(scene, 'DEL', pod);
        await expectState(`point ${at} (${mortal.points()[at - 1] ?? 'which was not reached'})`, before, () => nodeState(scene, ['pod1']));
        if (!isDead) break;
      }
      claim(deaths >= 4, `it died only ${deaths} times`);
    },
  },
  {
    name: 'lost state: of rules that somebody restores, neither a DEL nor GC leaves any',
    notOfficial: OURS,
    async play(scene) {
      await scene.node.addPod('pod1');
      await succeed(scene, 'ADD', 'pod1');
      const saved = `flush ruleset\n${await scene.node.expect('nft', ['list', 'ruleset'])}`;
      const tracesNow = async (): Promise<readonly string[]> => traces(await nodeState(scene));
      const restore = async (): Promise<void> => {
        await scene.node.expect('nft', ['-f', '-'], { stdin: saved });
        claim((await tracesNow()).some(isOfPod), 'nothing was restored');
      };
      await succeed(scene, 'DEL', 'pod1');
      // Another daemon, which has undone nothing, and looked at everything before.
      await scene.plugins.daemon!.stop();
      await scene.plugins.daemon!.start();
      await succeed(scene, 'DEL', 'never');
      await restore();
      await succeed(scene, 'DEL', 'pod1');
      const deadline = Date.now() + LOOKED_AGAIN_MS;
      while ((await tracesNow()).some(isOfPod)) {
        claim(Date.now() < deadline, `after ${LOOKED_AGAIN_MS} ms there is still:\n${(await tracesNow()).join('\n')}`);
        await delay(1000);
      }
      await restore();
      await collectAll(scene);
      expectEqual('what is left', await tracesNow(), []);
    },
  },
];
