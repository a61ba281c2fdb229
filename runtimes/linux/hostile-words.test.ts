import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../engine/object/json.ts';
import { isJsonObject, setOwn } from '../../engine/object/json.ts';
import { NETWORK_OPERATIONS } from '../../engine/rules/network/operations.ts';
import { type Effect, EffectError, runSteps } from '../../engine/step/effect.ts';
import type { Operation, StepContext } from '../../engine/step/operation.ts';
import { ownerTag } from '../../engine/step/owner-tag.ts';
import { checkShapeValue } from '../../engine/text/shape-check.ts';
import { batchLine } from './batch-words.ts';
import { listLine, scriptLine } from './nft-script.ts';
import { checkSysctl } from './sysctl.ts';

/*
 * Texts of requests, configurations and objects of the cluster come to be words of ip, lines of nft and of iptables, keys of the kernel and
 * paths. Every text of every operation is replaced by ones that would be more than a word: either somebody refuses it, or it stays a word.
 */

const HOSTILE: readonly string[] = [
  'x; flush ruleset',
  'x";flush ruleset;add rule inet x y comment "',
  'x }; flush ruleset; table inet y {',
  'x\nflush ruleset',
  'x\nlink del eth0',
  'x\nCOMMIT\n*filter\n-F FORWARD',
  'x -j ACCEPT\n-F FORWARD',
  'a b',
  'dev eth0 master evil',
  '-force',
  '--modprobe=/tmp/evil',
  '../../../../tmp/evil',
  '/sys/devices/../../tmp/evil',
  'net/../../tmp/evil',
  '$(touch evil)',
  '`touch evil`',
  'x|touch evil',
  "x'y",
  'x"y',
  'x\\y',
  'x#y',
  'x\0y',
  '\u2028',
  'größe',
  '',
  '__proto__',
  'constructor',
  '9'.repeat(100_000),
  `10.1.0.${'0'.repeat(100_000)}5`,
  '1'.repeat(64),
];

const eth0 = {
  name: 'eth0',
  mac: '02:00:00:00:00:05',
  addresses: ['10.1.0.5/16', 'fd00:1::5/64'],
  gateways: ['10.1.0.1'],
  routes: [{ to: 'default', via: '10.1.0.1', src: '10.1.0.5' }],
  sysctls: { 'net.ipv4.conf.IFNAME.arp_filter': '1' },
};
const to = ['10.1.0.5/16', 'fd00::5/64'];

/** Arguments with every text that an operation takes. */
const SAMPLES: readonly (readonly [string, JsonObject])[] = [
  ['bridge', { name: 'cni0', mac: '02:00:00:00:00:05', addresses: ['10.1.0.1/16'] }],
  [
    'veth',
    {
      host: { name: 'host0', master: 'cni0', addresses: ['10.1.0.1/32'], macSpoofCheck: true, vlan: 10 },
      container: eth0,
    },
  ],
  ['macvlan', { ...eth0, master: 'eth0' }],
  ['ipvlan', { name: 'eth0', addresses: ['10.1.0.5/16'], master: 'eth0' }],
  ['vlan', { ...eth0, master: 'eth0', id: 7 }],
  ['dummy', eth0],
  ['tap', { ...eth0, bridge: 'br0' }],
  ['hostDevice', { ...eth0, device: 'ens7' }],
  ['hostDevice', { name: 'net1', kernelPath: '/sys/devices/pci0000:00/x' }],
  ['hostDevice', { name: 'net1', pciAddress: '0000:3b:02.1' }],
  ['hostDevice', { name: 'net1', auxiliaryDevice: 'mlx5_core.sf.2' }],
  ['hostDevice', { name: 'net1', deviceMac: '52:54:00:00:00:02' }],
  ['vxlan', { name: 'vxlan.1', id: 1, local: '192.0.2.7', dev: 'eth0', addresses: ['10.244.1.0/32'] }],
  ['vxlanPeer', { dev: 'vxlan.1', id: 1, node: '192.0.2.8', networks: ['10.244.2.0/24'] }],
  ['address', { dev: 'eth0', addresses: ['192.0.2.7/24'] }],
  ['route', { routes: [{ to: '10.5.0.0/16', via: '192.0.2.1', dev: 'eth1', src: '192.0.2.7' }], dev: 'eth0' }],
  ['rule', { from: '10.1.0.5', to: '10.2.0.0/16', iif: 'eth0', oif: 'eth1', fwmark: '0x1/0xf', table: 100, priority: 1000 }],
  ['sysctl', { values: { 'net.ipv4.conf.IFNAME.rp_filter': '1' }, dev: 'eth0', in: 'container' }],
  ['tuning', { dev: 'eth0', mac: '02:00:00:00:00:05', sysctl: { 'net.ipv4.conf.IFNAME.arp_filter': '1' } }],
  ['bandwidth', { device: 'veth0', ingressRate: 1_000_000, ingressBurst: 1_000_000, egressRate: 1_000_000, egressBurst: 1_000_000 }],
  ...(['nftables', 'iptables'] as const).flatMap((backend): [string, JsonObject][] => [
    ['masquerade', { from: to, except: ['10.1.0.0/16'], interface: 'eth0', backend }],
    [
      'portMap',
      {
        ports: [{ hostPort: 8080, containerPort: 80, protocol: 'tcp', hostIP: '192.0.2.7' }],
        to,
        backend,
        conditionsV4: backend === 'nftables' ? ['ip saddr 192.0.2.0/24'] : ['-s 192.0.2.0/24'],
      },
    ],
    ['firewall', { addresses: to, backend, ingressPolicy: 'isolated', bridge: 'cni0', adminChain: 'ADMIN' }],
  ]),
  [
    'firewall',
    {
      policies: {
        groups: { 'shop/app=web': ['10.2.0.9'] },
        ingress: {
          policies: {
            'shop/web': [{ peers: ['10.2.0.0/16', '@shop/app=web'], except: ['10.2.1.0/24'], ports: [{ protocol: 'TCP', port: 80 }] }],
          },
          pods: [{ addresses: ['10.1.0.5'], policies: ['shop/web'] }],
        },
      },
    },
  ],
  ['file', { path: '/run/flm/x', content: 'x', mode: '0644' }],
  ['directory', { path: '/run/flm/x', mode: '0755' }],
  ['remove', { path: '/run/flm/x' }],
];

/** Places of texts, and of the keys of maps. */
function* textsIn(value: Json, path: readonly (string | number)[] = []): Generator<readonly (string | number)[]> {
  if (typeof value === 'string') yield path;
  else if (Array.isArray(value)) for (const [index, each] of (value as readonly Json[]).entries()) yield* textsIn(each, [...path, index]);
  else if (isJsonObject(value)) for (const key of Object.keys(value)) yield* textsIn(value[key] as Json, [...path, key]);
}

function replaced(value: Json, [first, ...rest]: readonly (string | number)[], text: string): Json {
  if (first === undefined) return text;
  if (Array.isArray(value)) return (value as readonly Json[]).map((each, index) => (index === first ? replaced(each, rest, text) : each));
  const copy: { [key: string]: Json } = {};
  for (const [key, each] of Object.entries(value as JsonObject)) setOwn(copy, key, key === first ? replaced(each, rest, text) : each);
  // A key of parameters of the kernel is a text as well.
  return copy;
}

/** A host that has nothing and lets everything happen. */
function answer(effect: Effect): unknown {
  switch (effect.kind) {
    case 'show':
    case 'nft-list':
      return [];
    case 'iptables-save':
      return '';
    case 'sysctl-read':
      return '0';
    case 'all':
      return effect.effects.map(answer);
    default:
      return undefined;
  }
}

/** What a channel lets through of an effect that it does not refuse must be what was meant: one word a word, one change a change. */
function mustBeTame(effect: Effect): void {
  const refuses = (check: () => unknown): boolean => {
    try {
      check();
      return false;
    } catch (error) {
      expect(error).toBeInstanceOf(EffectError);
      return true;
    }
  };
  switch (effect.kind) {
    case 'iproute':
      for (const each of effect.commands) {
        if (!refuses(() => batchLine(effect.program, each)))
          expect(batchLine(effect.program, each).split(' ')).toHaveLength(each.words.length);
      }
      return;
    case 'show':
      if (!refuses(() => batchLine(effect.program, effect)))
        expect(batchLine(effect.program, effect).split(' ')).toHaveLength(effect.words.length);
      return;
    case 'nft':
      if (!refuses(() => scriptLine(effect.script)))
        expect(scriptLine(effect.script).replaceAll(/"[^"]*"/g, '""')).not.toMatch(/flush ruleset/);
      return;
    case 'nft-list':
      refuses(() => listLine(effect.words));
      return;
    case 'iptables':
      for (const line of effect.script.split('\n').filter(Boolean)) expect(line).not.toMatch(/^-F FORWARD|evil|^[^-:*C]/);
      expect(effect.script.match(/COMMIT/g)).toHaveLength(1);
      return;
    case 'sysctl-read':
    case 'sysctl-write':
      if (!refuses(() => checkSysctl(effect.key))) expect(effect.key).toMatch(/^net\/(?!.*\.\.)/);
      return;
    case 'stat':
    case 'read-file':
    case 'write-file':
    case 'make-directory':
    case 'remove-path':
      expect(effect.path.split('/')).not.toContain('..');
      return;
    case 'all':
      for (const each of effect.effects) mustBeTame(each);
      return;
  }
}

async function play(operation: Operation, args: JsonObject, verb: 'ensure' | 'check' | 'undo'): Promise<void> {
  const context: StepContext = {
    owner: ownerTag('rule', 'net', 'c', 'eth0'),
    netns: '/run/netns/flm',
    netnsGone: false,
    memory: { made: true },
  };
  const perform = async (effect: Effect): Promise<unknown> => {
    mustBeTame(effect);
    return answer(effect);
  };
  // That a host on which nothing is, ever, does not let it end well is no matter here; that something untamed was asked of it is.
  await runSteps<unknown>(operation[verb](args, context), { perform }).catch((error: unknown) => {
    if (!(error instanceof EffectError) && !(error instanceof TypeError)) throw error;
  });
}

describe.each(SAMPLES)('hostile texts in %s', (name, sample) => {
  const operation = NETWORK_OPERATIONS.get(name)!;
  const accepted = (raw: JsonObject): JsonObject | undefined => {
    const { value } = checkShapeValue<JsonObject>(operation.arguments, raw);
    return value === undefined || (operation.validate?.(value) ?? []).length > 0 ? undefined : value;
  };

  it('takes the sample', () => {
    const { value, problems } = checkShapeValue<JsonObject>(operation.arguments, sample);
    expect([...problems, ...(value === undefined ? [] : (operation.validate?.(value) ?? []))]).toEqual([]);
  });

  it.each([...textsIn(sample)].map((path) => [path.join('.'), path] as const))('stay words at %s', async (_, path) => {
    for (const text of HOSTILE) {
      const args = accepted(replaced(sample, path, text) as JsonObject);
      if (args === undefined) continue;
      expect(operation.describe(args)).not.toContain('\n');
      for (const verb of ['ensure', 'check', 'undo'] as const) await play(operation, args, verb);
    }
  });
});

describe('hostile keys', () => {
  const SYSCTLS = [
    'net.ipv4.x\nflush',
    'kernel.core_pattern',
    'net/../kernel/core_pattern',
    '../kernel/core_pattern',
    'net..ip',
    '__proto__',
    'net.ipv4.$(x)',
  ];
  it.each(['sysctl', 'tuning'])('are refused by %s', (name) => {
    const operation = NETWORK_OPERATIONS.get(name)!;
    for (const key of SYSCTLS) {
      const values = Object.fromEntries([[key, '1']]);
      const raw = name === 'sysctl' ? { values } : { dev: 'eth0', sysctl: values };
      const { value } = checkShapeValue<JsonObject>(operation.arguments, raw);
      expect(value === undefined || operation.validate!(value).length > 0, key).toBe(true);
    }
  });
});
