import type { Scene } from '../../cni/scene.ts';
import { bridgeList, type CniCase, claim, expectEqual, NETWORK } from '../case.ts';

const PORT = 8080;
const RATE = 16_000_000;
const BURST = 1_000_000;
/** Bits per second that are counted as kept to a limit: a short transfer has its burst, and headers are not counted. */
const MOST = RATE * 1.35;
const LEAST = RATE * 0.5;
const BYTES = 4_000_000;

/** Bits per second into the pod (`upload`, as the node sees it) or out of it. */
async function rate(scene: Scene, direction: 'upload' | 'download'): Promise<number> {
  const { bytes, seconds } = await scene.probe.transfer({ node: scene.node }, direction, `10.1.0.2:${PORT}`, BYTES);
  expectEqual('bytes that arrived', bytes, BYTES);
  return (bytes * 8) / seconds;
}

async function expectRate(scene: Scene, direction: 'upload' | 'download', isLimited: boolean): Promise<void> {
  const found = await rate(scene, direction);
  const isKept = isLimited ? found < MOST && found > LEAST : found > 4 * RATE;
  const limit = isLimited ? `the limit is ${RATE}` : 'there is no limit';
  claim(isKept, `${direction === 'upload' ? 'into' : 'out of'} the pod: ${Math.round(found)} bits/s, ${limit}`);
}

type Fields = Readonly<Record<string, unknown>>;

/** Each limits what its name says: by the configuration, or by what the runtime gives for a capability. */
const LIMITS: readonly {
  readonly name: string;
  readonly conf?: Fields;
  readonly capability?: Fields;
  readonly limited: readonly string[];
}[] = [
  {
    name: 'ingress is limited, egress is not',
    conf: { ingressRate: RATE, ingressBurst: BURST },
    limited: ['upload'],
  },
  {
    name: 'egress is limited, ingress is not',
    conf: { egressRate: RATE, egressBurst: BURST },
    limited: ['download'],
  },
  {
    name: 'both, by the capability',
    capability: { ingressRate: RATE, ingressBurst: BURST, egressRate: RATE, egressBurst: BURST },
    limited: ['upload', 'download'],
  },
  {
    name: 'both, in the spelling of containerd',
    capability: { IngressRate: RATE, IngressBurst: BURST, EgressRate: RATE, EgressBurst: BURST },
    limited: ['upload', 'download'],
  },
];

export const bandwidthCases: readonly CniCase[] = LIMITS.map(({ name, conf, capability, limited }) => ({
  name: `bandwidth: ${name}`,
  alone: true,
  async play(scene) {
    scene.configure(bridgeList(scene, {}, scene.plugin('bandwidth', conf ?? { capabilities: { bandwidth: true } })));
    await scene.attach(NETWORK, 'pod1', capability === undefined ? {} : { capabilities: { bandwidth: capability } });
    await scene.probe.serve(scene.pod('pod1'), 'pod1', [PORT]);
    for (const direction of ['upload', 'download'] as const) await expectRate(scene, direction, limited.includes(direction));
  },
}));
