import { setTimeout as delay } from 'node:timers/promises';
import { differentStates, type NormalState } from '../cni/normalise.ts';
import type { Place } from '../cni/probe.ts';
import type { Scene } from '../cni/scene.ts';
import { WIRE } from '../cni/topology.ts';
import { claim, expectEqual } from '../cnitool/case.ts';
import type { KubeletNode } from './kubelet.ts';
import type { Pods } from './pods.ts';

/** A node that runs pods of a real cluster through plugins under test. Cases share it, and leave no pod. */
export interface LiveNode {
  readonly scene: Scene;
  readonly kubelet: KubeletNode;
  readonly pods: Pods;
  /** Verbs in which the network's first plugin was called, in order. */
  readonly calls: () => readonly string[];
}

export interface LiveCase {
  readonly name: string;
  /** Needs a daemon behind the executables. */
  readonly daemon?: true;
  play(live: LiveNode): Promise<void>;
}

const PORT = 8080;
const MANY = 30;
const SETTLE_MS = 15_000;
/** Bits per second. */
const RATE = 16_000_000;
/** Of a pod's limits, in bytes: containerd asks for 2^32 - 1 bits, and no annotation says otherwise (internal/cri/server/sandbox_run.go). */
const CONTAINERD_BURST = 2 ** 29;
const BYTES = 4_000_000;

/** The node's network and what plugins wrote, without which address was given last. */
async function state(live: LiveNode): Promise<NormalState> {
  const found = await live.scene.state([]);
  return { ...found, files: found.files.filter((line) => !line.includes('/last_reserved_ip.')) };
}

async function expectNothingLeft(live: LiveNode, before: NormalState): Promise<void> {
  const deadline = Date.now() + SETTLE_MS;
  for (;;) {
    const differences = differentStates(before, await state(live));
    if (differences.length === 0) return;
    if (Date.now() > deadline) throw new Error(`after the pods were deleted: not as before\n${differences.slice(0, 30).join('\n')}`);
    await delay(500);
  }
}

async function namespaces(live: LiveNode): Promise<readonly string[]> {
  return (await live.scene.node.expect('ls', ['/run/netns'])).split('\n').filter(Boolean);
}

/** What the first pod of a node makes for all: the bridge, tables. It stays; the link of the pod goes a moment after it. */
export async function warmUp({ pods, scene }: LiveNode): Promise<void> {
  const links = async (): Promise<number> =>
    (JSON.parse(await scene.node.expect('ip', ['-json', 'link', 'show', 'type', 'veth'])) as readonly unknown[]).length;
  const before = await links();
  await pods.create('warm-up', { ports: [{ containerPort: PORT, hostPort: 9090 }] });
  await pods.untilRunning(['warm-up']);
  await pods.delete(['warm-up']);
  for (const deadline = Date.now() + SETTLE_MS; (await links()) > before; await delay(100))
    claim(Date.now() < deadline, 'the link of a pod that was deleted is still there');
}

export const liveCases: readonly LiveCase[] = [
  {
    name: 'a pod runs, answers, and leaves nothing',
    async play(live) {
      const { pods, scene } = live;
      const before = await state(live);
      await pods.create('single', { ports: [{ containerPort: PORT, hostPort: 9090 }] });
      const [single] = await pods.untilRunning(['single']);
      const reached = await scene.probe.ask({ node: scene.node }, 'tcp', `${single!.address}:${PORT}`);
      expectEqual('answer to the node', reached?.name, 'single');
      await pods.delete(['single']);
      await expectNothingLeft(live, before);
    },
  },
  {
    name: 'pods reach each other',
    async play(live) {
      const { pods, scene } = live;
      await Promise.all(['left', 'right'].map((name) => pods.create(name)));
      const [left, right] = await pods.untilRunning(['left', 'right']);
      const paths = await namespaces(live);
      for (const protocol of ['tcp', 'udp'] as const) {
        const answers = await Promise.all(
          paths.map(async (pod) => [
            await scene.probe.ask({ node: scene.node, pod }, protocol, `${left!.address}:${PORT}`),
            await scene.probe.ask({ node: scene.node, pod }, protocol, `${right!.address}:${PORT}`),
          ]),
        );
        expectEqual(
          `answers over ${protocol}`,
          answers.map((pair) => pair.map((each) => each?.name)),
          [
            ['left', 'right'],
            ['left', 'right'],
          ],
        );
      }
      await pods.delete(['left', 'right']);
    },
  },
  {
    name: 'a pod is reached by its host port, over TCP and UDP: from outside, from the node, from another pod and from itself',
    async play(live) {
      const { pods, scene } = live;
      const before = await state(live);
      await pods.create('other');
      await pods.untilRunning(['other']);
      const [other] = await namespaces(live);
      const ports = [
        { containerPort: PORT, hostPort: 9091 },
        { containerPort: PORT, hostPort: 9092, protocol: 'UDP' },
      ] as const;
      await pods.create('published', { ports });
      await pods.untilRunning(['published']);
      const itself = (await namespaces(live)).find((name) => name !== other);
      const places: readonly (readonly [string, Place])[] = [
        ['outside', { node: scene.outside }],
        ['the node', { node: scene.node }],
        ['another pod', { node: scene.node, pod: other! }],
        ['the pod itself', { node: scene.node, pod: itself! }],
      ];
      for (const { hostPort, ...port } of ports) {
        const protocol = 'protocol' in port ? 'udp' : 'tcp';
        for (const [place, from] of places) {
          const reached = await scene.probe.ask(from, protocol, `${WIRE[4].address(1)}:${hostPort}`);
          expectEqual(`${protocol} from ${place}`, reached?.name, 'published');
        }
      }
      await pods.delete(['published']);
      const reached = await scene.probe.ask({ node: scene.outside }, 'tcp', `${WIRE[4].address(1)}:9091`, { deadlineMs: 500 });
      expectEqual('answer after the pod is gone', reached, undefined);
      await pods.delete(['other']);
      await expectNothingLeft(live, before);
    },
  },
  {
    name: 'the annotation of a pod limits what it is sent',
    async play(live) {
      const { pods, scene } = live;
      const before = await state(live);
      await pods.create('slow', { annotations: { 'kubernetes.io/ingress-bandwidth': `${RATE}` } });
      const [slow] = await pods.untilRunning(['slow']);
      const rate = async (direction: 'upload' | 'download', bytes: number): Promise<number> =>
        (bytes * 8) / (await scene.probe.transfer({ node: scene.node }, direction, `${slow!.address}:${PORT}`, bytes)).seconds;
      await rate('upload', CONTAINERD_BURST);
      const [into, outOf] = [await rate('upload', BYTES), await rate('download', BYTES)];
      claim(into > RATE * 0.5 && into < RATE * 1.35, `${Math.round(into)} bits/s into the pod, the limit is ${RATE}`);
      claim(outOf > RATE * 4, `${Math.round(outOf)} bits/s out of the pod without a limit`);
      await pods.delete(['slow']);
      await expectNothingLeft(live, before);
    },
  },
  {
    name: 'a pod in the network of the node is none of ours',
    async play(live) {
      const { pods, scene, calls } = live;
      const before = await state(live);
      const called = (): readonly string[] => calls().filter((verb) => verb !== 'STATUS');
      const calledBefore = called();
      await pods.create('of-the-node', { hostNetwork: true });
      const [running] = await pods.untilRunning(['of-the-node']);
      expectEqual('its address', running!.address, WIRE[4].address(1));
      const reached = await scene.probe.ask({ node: scene.outside }, 'tcp', `${WIRE[4].address(1)}:${PORT}`);
      expectEqual('who answers at the address of the node', reached?.name, 'of-the-node');
      await expectNothingLeft(live, before);
      await pods.delete(['of-the-node']);
      expectEqual('calls for it', called(), calledBefore);
      await expectNothingLeft(live, before);
    },
  },
  {
    name: `${MANY} pods at once`,
    async play(live) {
      const { pods, scene } = live;
      const before = await state(live);
      const names = Array.from({ length: MANY }, (_, index) => `many-${index}`);
      await Promise.all(names.map((name, index) => pods.create(name, { ports: [{ containerPort: PORT, hostPort: 9100 + index }] })));
      const running = await pods.untilRunning(names, 120_000);
      expectEqual('number of different addresses', new Set(running.map(({ address }) => address)).size, MANY);
      for (const [index, { name, address }] of running.entries()) {
        expectEqual(`who answers at ${address}`, (await scene.probe.ask({ node: scene.node }, 'tcp', `${address}:${PORT}`))?.name, name);
        const reached = await scene.probe.ask({ node: scene.outside }, 'tcp', `${WIRE[4].address(1)}:${9100 + index}`);
        expectEqual(`who answers at port ${9100 + index}`, reached?.name, name);
      }
      await pods.delete(names, 120_000);
      await expectNothingLeft(live, before);
    },
  },
  {
    name: 'a sandbox that died is made anew, and the old attachment is gone',
    async play(live) {
      const { pods, scene, kubelet } = live;
      const before = await state(live);
      await pods.create('mortal');
      const [first] = await pods.untilRunning(['mortal']);
      // Those of pods that are gone are kept for a while, without a process.
      const sandboxes = new Set(
        (await kubelet.ctr('containers', 'list', '--quiet', 'labels."io.cri-containerd.kind"==sandbox')).trim().split('\n'),
      );
      const tasks = (await kubelet.ctr('tasks', 'list')).split('\n').map((line) => line.split(/\s+/));
      const running = tasks.filter(([container]) => container !== undefined && sandboxes.has(container));
      expectEqual('number of sandboxes that run', running.length, 1);
      const pid = running[0]![1]!;
      await scene.node.expect('kill', ['-9', pid]);
      const deadline = Date.now() + 60_000;
      for (;;) {
        const [again] = await pods.untilRunning(['mortal']);
        if (again!.address !== first!.address) {
          const reached = await scene.probe.ask({ node: scene.node }, 'tcp', `${again!.address}:${PORT}`);
          if (reached?.name === 'mortal') break;
        }
        claim(Date.now() < deadline, `the pod has still the address ${first!.address}:\n${await pods.events('mortal')}`);
        await delay(500);
      }
      await pods.delete(['mortal']);
      await expectNothingLeft(live, before);
    },
  },
  {
    name: 'the daemon is killed: pods go on, those deleted and made meanwhile are served afterwards',
    daemon: true,
    async play(live) {
      const { pods, scene } = live;
      const daemon = scene.plugins.daemon!;
      const before = await state(live);
      await Promise.all(['stays', 'goes'].map((name) => pods.create(name)));
      const [stays] = await pods.untilRunning(['stays', 'goes']);
      daemon.process.signal('SIGKILL');
      await daemon.process.ended;
      await pods.delete(['goes']);
      await pods.create('waits');
      await delay(3000);
      const waiting = (await pods.list()).find(({ name }) => name === 'waits');
      expectEqual('phase of a pod that is made without the daemon', waiting?.phase, 'Pending');
      expectEqual('who answers', (await scene.probe.ask({ node: scene.node }, 'tcp', `${stays!.address}:${PORT}`))?.name, 'stays');
      await daemon.start();
      const [waits] = await pods.untilRunning(['waits']);
      expectEqual('who answers', (await scene.probe.ask({ node: scene.node }, 'tcp', `${waits!.address}:${PORT}`))?.name, 'waits');
      await pods.delete(['stays', 'waits']);
      await expectNothingLeft(live, before);
    },
  },
  {
    name: 'the daemon is killed while pods are made and deleted',
    daemon: true,
    async play(live) {
      const { pods, scene } = live;
      const daemon = scene.plugins.daemon!;
      const before = await state(live);
      const named = (kind: string): readonly string[] => Array.from({ length: 6 }, (_, index) => `${kind}-${index}`);
      const [old, young] = [named('old'), named('young')];
      const publish = (name: string, index: number) => pods.create(name, { ports: [{ containerPort: PORT, hostPort: 9200 + index }] });
      await Promise.all(old.map(publish));
      await pods.untilRunning(old, 120_000);
      await pods.beginDelete(old);
      await Promise.all(young.map((name, index) => publish(name, old.length + index)));
      for (let times = 0; times < 3; times++) {
        await delay(600);
        daemon.process.signal('SIGKILL');
        await daemon.process.ended;
        await daemon.start();
      }
      await pods.untilGone(old, 120_000);
      for (const { name, address } of await pods.untilRunning(young, 120_000)) {
        expectEqual(`who answers at ${address}`, (await scene.probe.ask({ node: scene.node }, 'tcp', `${address}:${PORT}`))?.name, name);
      }
      await pods.delete(young, 120_000);
      await expectNothingLeft(live, before);
    },
  },
  {
    name: 'containerd asks for the status of the network, and adds and deletes pods',
    async play({ calls }) {
      // STATUS with version 1.1.0, whenever kubelet asks for that of the runtime. CHECK and GC are never asked for.
      expectEqual('verbs', [...new Set(calls())].sort(), ['ADD', 'DEL', 'STATUS']);
    },
  },
];
