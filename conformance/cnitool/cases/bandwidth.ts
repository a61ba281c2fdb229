import type { Scene } from '../../cni/scene.ts';
import { bridgeList, type CniCase, claim, expectEqual, NETWORK } from '../case.ts';

const PORT = 8080;
const RATE = 16_000_000;
const BURST = 1_000_000;
/** Bits per second that are counted as kept to a limit: a short transfer has its burst, and headers are not counted. */
const MOST = RATE * 1.35;
const LEAST = RATE * 0.5;
const BYTES = 4_000_000;

async function attached(
  scene: Scene,
  conf: Readonly<Record<string, unknown>>,
  capabilities?: Readonly<Record<string, unknown>>,
): Promise<void> {
  const bandwidth = scene.plugin('bandwidth', conf);
  scene.configure(bridgeList(scene, {}, bandwidth));
  await scene.attach(NETWORK, 'pod1', capabilities === undefined ? {} : { capabilities });
  await scene.probe.serve(scene.pod('pod1'), 'pod1', [PORT]);
}

/** Bits per second into the pod (`upload`, as the node sees it) or out of it. */
async function rate(scene: Scene, direction: 'upload' | 'download'): Promise<number> {
  const { bytes, seconds } = await scene.probe.transfer({ node: scene.node }, direction, `10.1.0.2:${PORT}`, BYTES);
  expectEqual('bytes that arrived', bytes, BYTES);
  return (bytes * 8) / seconds;
}

async function expectLimited(scene: Scene, what: string, direction: 'upload' | 'download'): Promise<void> {
  const found = await rate(scene, direction);
  claim(found < MOST && found > LEAST, `${what}: ${Math.round(found)} bits/s, the limit is ${RATE}`);
}

async function expectUnlimited(scene: Scene, what: string, direction: 'upload' | 'download'): Promise<void> {
  const found = await rate(scene, direction);
  claim(found > 4 * RATE, `${what}: ${Math.round(found)} bits/s without a limit`);
}

export const bandwidthCases: readonly CniCase[] = [
  {
    name: 'bandwidth: ingress is limited, egress is not',
    alone: true,
    async play(scene) {
      await attached(scene, { ingressRate: RATE, ingressBurst: BURST });
      await expectLimited(scene, 'into the pod', 'upload');
      await expectUnlimited(scene, 'out of the pod', 'download');
    },
  },
  {
    name: 'bandwidth: egress is limited, ingress is not',
    alone: true,
    async play(scene) {
      await attached(scene, { egressRate: RATE, egressBurst: BURST });
      await expectLimited(scene, 'out of the pod', 'download');
      await expectUnlimited(scene, 'into the pod', 'upload');
    },
  },
  {
    name: 'bandwidth: both, by the capability',
    alone: true,
    async play(scene) {
      const bandwidth = { ingressRate: RATE, ingressBurst: BURST, egressRate: RATE, egressBurst: BURST };
      await attached(scene, { capabilities: { bandwidth: true } }, { bandwidth });
      await expectLimited(scene, 'into the pod', 'upload');
      await expectLimited(scene, 'out of the pod', 'download');
    },
  },
  {
    name: 'bandwidth: both, in the spelling of containerd',
    alone: true,
    async play(scene) {
      const bandwidth = { IngressRate: RATE, IngressBurst: BURST, EgressRate: RATE, EgressBurst: BURST };
      await attached(scene, { capabilities: { bandwidth: true } }, { bandwidth });
      await expectLimited(scene, 'into the pod', 'upload');
      await expectLimited(scene, 'out of the pod', 'download');
    },
  },
];
