import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { RULES } from '../../cni/network-library.ts';
import type { NodeProcess } from '../../cni/node.ts';
import type { PluginCalled } from '../../cni/probe.ts';
import { bundleProgram } from '../../cni/program.ts';
import type { Scene } from '../../cni/scene.ts';
import { bridgeList, type CniCase, claim, errorOf, expectEqual, expectState, NETWORK, nodeState, pluginCall } from '../case.ts';

const OURS = 'it is about the daemon';
/** All that a bridge can do, so that there is much to be interrupted. */
const CONF = { ipMasq: true };
/** What may have become of a bridge, and what an ADD puts right. */
const DAMAGES: readonly (readonly [damage: string, ip: readonly string[]])[] = [
  ['is down', ['link', 'set', 'cni0', 'down']],
  ['has lost its address', ['address', 'flush', 'dev', 'cni0']],
];

export async function warmUp(scene: Scene): Promise<void> {
  scene.configure(bridgeList(scene, CONF));
  await scene.attach(NETWORK, 'first');
  await scene.detach(NETWORK, 'first');
}

export async function one(
  scene: Scene,
  ...parameters: Parameters<typeof pluginCall> extends [Scene, ...infer Rest] ? Rest : never
): Promise<PluginCalled> {
  const [verb, pod, more] = parameters;
  const [called] = await scene.probe.calls(scene.node, [pluginCall(scene, verb, pod, { list: bridgeList(scene, CONF), ...more })]);
  return called!;
}

/** The pod of an ADD answers a ping. */
export async function expectPing(scene: Scene, { stdout }: PluginCalled): Promise<void> {
  const { ips } = JSON.parse(stdout) as { readonly ips: readonly { readonly address: string }[] };
  claim(await scene.probe.ping({ node: scene.node }, ips[0]!.address.replace(/\/.*/, '')), 'the pod does not answer a ping');
}

/** A daemon that dies at a point of its work, in the place of the real one. */
export interface Mortal {
  readonly process: NodeProcess;
  /** From now on points are counted. */
  arm(): void;
  /** Names of the points that were counted, in order. */
  points(): readonly string[];
}

export async function startMortal(scene: Scene, program: string, at: number): Promise<Mortal> {
  const { folder } = scene.node;
  const [armed, points] = [join(folder, 'armed'), join(folder, 'points')];
  for (const file of [armed, points]) rmSync(file, { force: true });
  const environment = {
    PATH: process.env['PATH'] ?? '',
    MORTAL_SOCKET: '/run/fairlead/cni.sock',
    MORTAL_STATE: scene.plugins.daemon!.stateFolder,
    MORTAL_RULES: join(RULES, 'bridge'),
    MORTAL_ARMED: armed,
    MORTAL_POINTS: points,
    MORTAL_AT: String(at),
  };
  const started = await scene.node.start('mortal', process.execPath, [program], { environment, readyText: 'serving networks' });
  return {
    process: started,
    arm: () => writeFileSync(armed, ''),
    points: () => (existsSync(points) ? readFileSync(points, 'utf8').split('\n').filter(Boolean) : []),
  };
}

/** `FAIRLEAD_CNITOOL_EVERY`: only every n-th point, for those who have no time for all. Odd, as before and after an effect take turns. */
export function stride(): number {
  const every = Number(process.env['FAIRLEAD_CNITOOL_EVERY'] ?? 1);
  if (!Number.isInteger(every) || every < 1 || every % 2 === 0) throw new Error('FAIRLEAD_CNITOOL_EVERY must be an odd number');
  return every;
}

/** What is done after an answer is done by then. */
const AFTER_ANSWER_MS = 200;
/** Milliseconds in which a daemon that is to die has died. */
export const DEATH_MS = 2000;

/**
 * Lets the daemon die at every point of a verb. After each death another daemon starts, the runtime does what a runtime does (DEL after an
 * ADD that failed, DEL again), and the node has to be as before; then the attachment is made anew and has to work.
 */
function diesAt(verb: 'ADD' | 'DEL'): CniCase {
  return {
    name: `faults: the daemon is killed at any point of ${verb}`,
    notOfficial: OURS,
    async play(scene) {
      const daemon = scene.plugins.daemon!;
      const program = await bundleProgram('conformance/cni/mortal-daemon.ts');
      await warmUp(scene);
      await scene.node.addPod('pod1');
      const before = await nodeState(scene, ['pod1']);
      await daemon.stop();
      let mortal = await startMortal(scene, program, 0);
      const begin = async (): Promise<PluginCalled> => {
        if (verb === 'DEL') expectEqual('exit code of ADD', (await one(scene, 'ADD', 'pod1')).exitCode, 0);
        mortal.arm();
        return one(scene, verb, 'pod1');
      };
      expectEqual(`exit code of ${verb}`, (await begin()).exitCode, 0);
      await delay(AFTER_ANSWER_MS);
      const points = mortal.points();
      await one(scene, 'DEL', 'pod1');
      await mortal.process.stop();
      const every = stride();
      const chosen = points.map((_, index) => index + 1).filter((at) => at % every === 1 % every);
      scene.log(`${verb}: killed at ${chosen.length} of ${points.length} points`);
      const failures: string[] = [];
      let deaths = 0;
      mortal = await startMortal(scene, program, chosen[0] ?? 0);
      for (const [index, at] of chosen.entries()) {
        const called = await begin();
        await Promise.race([mortal.process.ended, delay(DEATH_MS)]);
        const where = `point ${at} (${mortal.points()[at - 1] ?? 'which was not reached'})`;
        // What is done at the same time may be one time more or less.
        if (mortal.process.exitCode === undefined) await mortal.process.stop();
        else deaths++;
        // The one that is to die next recovers from this death.
        mortal = await startMortal(scene, program, chosen[index + 1] ?? 0);
        const deleted = await one(scene, 'DEL', 'pod1');
        if (deleted.exitCode !== 0) failures.push(`${where}: DEL afterwards: ${deleted.stdout}`);
        await expectState(`${where}, answered ${called.exitCode}`, before, () => nodeState(scene, ['pod1'])).catch((error: Error) =>
          failures.push(error.message),
        );
        const again = await one(scene, 'ADD', 'pod1');
        if (again.exitCode !== 0) failures.push(`${where}: ADD afterwards: ${again.stdout}`);
        else {
          const { ips } = JSON.parse(again.stdout) as { readonly ips: readonly { readonly address: string }[] };
          if (!(await scene.probe.ping({ node: scene.node }, ips[0]!.address.replace(/\/.*/, ''))))
            failures.push(`${where}: no answer to a ping afterwards`);
        }
        await one(scene, 'DEL', 'pod1');
        if (failures.length > 5) break;
      }
      expectEqual('what was wrong', failures, []);
      claim(points.length >= 10, `only ${points.length} points were found`);
      claim(deaths >= chosen.length - 3, `it died only ${deaths} times of ${chosen.length}`);
    },
  };
}

export const faultCases: readonly CniCase[] = [
  diesAt('ADD'),
  diesAt('DEL'),
  {
    name: 'faults: the daemon is away',
    notOfficial: OURS,
    async play(scene) {
      await warmUp(scene);
      await scene.node.addPods(['pod1', 'pod2']);
      const before = await nodeState(scene, ['pod2']);
      expectEqual('exit code of ADD', (await one(scene, 'ADD', 'pod1')).exitCode, 0);
      await scene.plugins.daemon!.stop();
      for (const [verb, code] of [
        ['ADD', 11],
        ['CHECK', 11],
        ['GC', 11],
        ['STATUS', 50],
      ] as const) {
        const called = await one(scene, verb, 'pod2');
        expectEqual(`${verb}: exit code and code`, [called.exitCode, errorOf(called)?.code], [1, code]);
      }
      expectEqual('exit code of VERSION', (await one(scene, 'VERSION', 'pod1')).exitCode, 0);
      const deleted = await one(scene, 'DEL', 'pod1');
      expectEqual('answer to DEL', [deleted.exitCode, deleted.stdout], [0, '']);
      await scene.plugins.daemon!.start();
      await expectState('after the daemon has come back', before, () => nodeState(scene, ['pod2']));
    },
  },
  {
    name: 'faults: a DEL that was kept comes before the next ADD of the same attachment',
    notOfficial: OURS,
    async play(scene) {
      await warmUp(scene);
      await scene.node.addPod('pod1');
      expectEqual('exit code of ADD', (await one(scene, 'ADD', 'pod1')).exitCode, 0);
      await scene.plugins.daemon!.stop();
      expectEqual('exit code of DEL', (await one(scene, 'DEL', 'pod1')).exitCode, 0);
      await scene.node.expect('ip', ['link', 'del', 'eth0'], { pod: 'pod1' });
      await scene.plugins.daemon!.start();
      const again = await one(scene, 'ADD', 'pod1');
      expectEqual('exit code of ADD', again.exitCode, 0);
      await expectPing(scene, again);
    },
  },
  {
    name: 'faults: the daemon hangs',
    notOfficial: OURS,
    async play(scene) {
      await warmUp(scene);
      scene.plugins.daemon!.process.signal('SIGSTOP');
      const status = await one(scene, 'STATUS', 'pod1');
      expectEqual('code of STATUS', errorOf(status)?.code, 50);
      claim(status.nanoseconds < 15e9, `STATUS has waited for ${status.nanoseconds / 1e9} s`);
      scene.plugins.daemon!.process.signal('SIGCONT');
      expectEqual('exit code of STATUS afterwards', (await one(scene, 'STATUS', 'pod1')).exitCode, 0);
    },
  },
  {
    name: 'faults: the executable is killed at any time',
    async play(scene) {
      await warmUp(scene);
      await scene.node.addPod('pod1');
      const before = await nodeState(scene, ['pod1']);
      const step = Math.sqrt(stride());
      for (let micros = 200; micros < 30_000; micros = Math.ceil(micros * 1.35 * step)) {
        await one(scene, 'ADD', 'pod1', { killAfter: micros * 1000 });
        // As a runtime whose call was cut off. The daemon may still be at it.
        const deleted = await one(scene, 'DEL', 'pod1');
        expectEqual(`exit code of DEL after ADD was killed after ${micros} µs: ${deleted.stdout}`, deleted.exitCode, 0);
        await expectState(`ADD was killed after ${micros} µs`, before, () => nodeState(scene, ['pod1']));
      }
      for (let micros = 200; micros < 30_000; micros = Math.ceil(micros * 1.7 * step)) {
        expectEqual('exit code of ADD', (await one(scene, 'ADD', 'pod1')).exitCode, 0);
        await one(scene, 'DEL', 'pod1', { killAfter: micros * 1000 });
        expectEqual('exit code of the DEL that follows', (await one(scene, 'DEL', 'pod1')).exitCode, 0);
        await expectState(`DEL was killed after ${micros} µs`, before, () => nodeState(scene, ['pod1']));
      }
    },
    notOfficial: 'the official bridge leaves what it had begun, where the namespace stays',
  },
  {
    name: 'faults: the disk of the daemon is full',
    notOfficial: OURS,
    async prepare(node) {
      await node.expect('sh', ['-c', 'mkdir -p /var/lib/fairlead && mount -t tmpfs -o size=2m tmpfs /var/lib/fairlead']);
    },
    async play(scene) {
      await warmUp(scene);
      await scene.node.addPods(['pod1', 'pod2']);
      const before = await nodeState(scene, ['pod1', 'pod2']);
      expectEqual('exit code of ADD', (await one(scene, 'ADD', 'pod1')).exitCode, 0);
      await scene.node.run('dd', ['if=/dev/zero', 'of=/var/lib/fairlead/fill', 'bs=4k']);
      // Room that was written ahead may be used up first.
      let refused: PluginCalled | undefined;
      const list = bridgeList(scene, CONF);
      const turns = Array.from({ length: 60 }, (_, wave) => pluginCall(scene, wave % 2 === 0 ? 'ADD' : 'DEL', 'pod2', { list, wave }));
      for (let tries = 0; tries < 10 && refused === undefined; tries++) {
        const called = await scene.probe.calls(scene.node, turns);
        refused = called.find(({ exitCode }, index) => index % 2 === 0 && exitCode !== 0);
        const deletions = called.filter((_, index) => index % 2 === 1).map(({ exitCode }) => exitCode);
        expectEqual('exit codes of DEL on a full disk', [...new Set(deletions)], [0]);
      }
      if (refused !== undefined)
        claim(/space|full|disk|ENOSPC/i.test(errorOf(refused)?.msg ?? ''), `ADD on a full disk says: ${refused.stdout}`);
      const deleted = await one(scene, 'DEL', 'pod1');
      expectEqual(`exit code of DEL on a full disk: ${deleted.stdout}`, deleted.exitCode, 0);
      await scene.node.expect('rm', ['/var/lib/fairlead/fill']);
      await one(scene, 'DEL', 'pod2');
      await expectState('after there is room again', before, () => nodeState(scene, ['pod1', 'pod2']));
      expectEqual('exit code of ADD', (await one(scene, 'ADD', 'pod1')).exitCode, 0);
    },
  },
  {
    name: 'faults: the disk of the reservations is full',
    notOfficial: 'the official bridge leaves its pair of interfaces until DEL',
    async prepare(node) {
      await node.expect('sh', ['-c', 'mkdir -p /var/lib/cni/networks && mount -t tmpfs -o size=64k tmpfs /var/lib/cni/networks']);
    },
    async play(scene) {
      await warmUp(scene);
      await scene.node.addPod('pod1');
      await scene.node.run('dd', ['if=/dev/zero', 'of=/var/lib/cni/networks/fill', 'bs=4k']);
      const before = await nodeState(scene, ['pod1']);
      const called = await one(scene, 'ADD', 'pod1');
      claim(called.exitCode !== 0 && errorOf(called) !== undefined, `ADD on a full disk answered ${called.exitCode}: ${called.stdout}`);
      await expectState('after it', before, () => nodeState(scene, ['pod1']));
      await scene.node.expect('rm', ['/var/lib/cni/networks/fill']);
      expectEqual('exit code of ADD', (await one(scene, 'ADD', 'pod1')).exitCode, 0);
    },
  },
  {
    name: 'faults: what is called as the bridge is none',
    notOfficial: OURS,
    async play(scene) {
      await scene.node.addPod('pod1');
      await scene.node.expect('ip', ['link', 'add', 'cni0', 'type', 'veth', 'peer', 'name', 'other']);
      const before = await nodeState(scene, ['pod1']);
      const called = await one(scene, 'ADD', 'pod1');
      claim(/cni0/.test(errorOf(called)?.msg ?? ''), `ADD answered ${called.exitCode}: ${called.stdout}`);
      await expectState('after it', before, () => nodeState(scene, ['pod1']));
    },
  },
  ...DAMAGES.map(
    ([damage, words]): CniCase => ({
      name: `faults: the bridge ${damage}`,
      async play(scene) {
        await warmUp(scene);
        await scene.node.expect('ip', words);
        await scene.attach(NETWORK, 'pod1');
        claim(await scene.probe.ping({ node: scene.node }, '10.1.0.3'), 'the pod does not answer a ping');
      },
    }),
  ),
  {
    name: 'faults: the bridge has an address of another network',
    async play(scene) {
      await scene.node.expect('ip', ['-batch', '-'], {
        stdin: 'link add cni0 type bridge\naddress add 10.1.0.200/24 dev cni0\nlink set cni0 up\n',
      });
      scene.configure(bridgeList(scene));
      await scene.node.addPod('pod1');
      const { exitCode } = await scene.cnitool.call({ verb: 'add', network: NETWORK, pod: 'pod1' });
      claim(exitCode !== 0, 'an address of the same network that is not the gateway was accepted');
    },
  },
];
