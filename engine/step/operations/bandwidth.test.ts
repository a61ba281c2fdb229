import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../object/json.ts';
import { type Effect, type EffectHandler, runSteps } from '../effect.ts';
import { generatedMac } from '../network/link-name.ts';
import { argumentsOf, problemsOf } from '../network/play.fixture.ts';
import type { Operation, StepContext } from '../operation.ts';
import { ownerTag } from '../owner-tag.ts';
import { bucketWords, tokenBucket } from '../traffic/token-bucket.ts';
import { BANDWIDTH } from './bandwidth.ts';

const operation = BANDWIDTH as unknown as Operation;
const owner = ownerTag('test', 'a');
const context: StepContext = { owner, netns: undefined, netnsGone: false };
const INGRESS = { ingressRate: 1e6, ingressBurst: 1e6 };
const EGRESS = { egressRate: 2e6, egressBurst: 1e6 };

/** Qdiscs, filters and links of paper; a line of `tc` that adds what is there fails in the test. */
class Traffic implements EffectHandler {
  readonly links = new Map<string, JsonObject>([['veth0', { ifname: 'veth0', mtu: 1450 }]]);
  readonly qdiscs = new Map<string, JsonObject[]>();
  readonly redirects = new Map<string, string>();
  readonly lines: string[] = [];
  memory: Json | undefined;

  async perform(effect: Effect): Promise<unknown> {
    if (effect.kind === 'remember') {
      this.memory = effect.value;
      return undefined;
    }
    if (effect.kind === 'show') return this.#show(effect.words);
    if (effect.kind !== 'iproute') throw new Error(`not here: ${effect.kind}`);
    for (const { words } of effect.commands) this.#change([effect.program, ...words]);
    return undefined;
  }

  #show(words: readonly string[]): readonly JsonObject[] {
    const device = words[words.indexOf('dev') + 1]!;
    if (words.includes('veth')) return [...this.links.values()].filter((link) => link['linkinfo'] !== undefined);
    if (words[0] === 'qdisc') return this.qdiscs.get(device) ?? [];
    if (words[0] === 'filter')
      return this.redirects.has(device) ? [{ options: { actions: [{ to_dev: this.redirects.get(device)! }] } }] : [];
    if (words.includes('type')) return [...this.links.values()].filter((link) => link['kind'] === 'ifb');
    return this.links.has(device) ? [this.links.get(device)!] : [];
  }

  #change(words: readonly string[]): void {
    const line = words.join(' ');
    this.lines.push(line);
    const device = words[words.indexOf('dev') + 1]!;
    const rows = this.qdiscs.get(device) ?? [];
    if (line.startsWith('tc qdisc add')) {
      const isRoot = words.includes('root');
      if (rows.some((row) => (row['root'] === true) === isRoot)) throw new Error(`is there: ${line}`);
      const rate = Number.parseInt(words[words.indexOf('rate') + 1]!, 10) / 8;
      const options = { rate, burst: Number.parseInt(words[words.indexOf('burst') + 1]!, 10) };
      this.qdiscs.set(device, [
        ...rows,
        isRoot ? { kind: 'tbf', handle: '1:', root: true, options } : { kind: 'ingress', handle: 'ffff:' },
      ]);
    } else if (line.startsWith('tc qdisc del')) {
      this.qdiscs.set(
        device,
        rows.filter((row) => (row['root'] === true) !== (words.at(-1) === 'root')),
      );
      if (words.at(-1) === 'ingress') this.redirects.delete(device);
    } else if (line.startsWith('tc filter add')) this.redirects.set(device, words.at(-1)!);
    else if (line.startsWith('ip link add')) {
      const name = words[words.indexOf('name') + 1]!;
      this.links.set(name, { ifname: name, kind: 'ifb', address: words[words.indexOf('address') + 1]! });
    } else if (line.includes(' alias ')) this.links.set(device, { ...this.links.get(device), ifalias: words.at(-1)! });
    else if (line.startsWith('ip link del')) this.links.delete(device);
  }
}

/** On `veth0`, where nothing else is said. */
function withDevice(args: Readonly<Record<string, Json | undefined>>): JsonObject {
  const { device = args['container'] === undefined ? 'veth0' : undefined, ...rest } = args;
  return { ...(device === undefined ? {} : { device }), ...rest } as JsonObject;
}

const run = async (traffic: Traffic, verb: 'ensure' | 'check' | 'undo', args: JsonObject): Promise<unknown> =>
  runSteps(
    (operation[verb] as (a: JsonObject, c: StepContext) => never)(argumentsOf(operation, withDevice(args)), {
      ...context,
      ...(traffic.memory !== undefined && { memory: traffic.memory }),
    }),
    traffic,
  );

describe('bandwidth', () => {
  it('limits what the container receives on the link itself, and what it sends on a link of its own', async () => {
    const traffic = new Traffic();
    const outputs = (await run(traffic, 'ensure', { ...INGRESS, ...EGRESS })) as { readonly ifb: string; readonly mac: string };
    expect(outputs.ifb).toMatch(/^bwp[0-9a-f]{8}$/);
    expect(outputs.mac).toBe(generatedMac(`${owner.id}/veth0/ifb`));
    expect(traffic.lines).toEqual([
      `tc qdisc add dev veth0 root handle 1: ${bucketWords(tokenBucket(1e6, 1e6)).join(' ')}`,
      `ip link add name ${outputs.ifb} address ${outputs.mac} mtu 1450 txqueuelen 0 type ifb`,
      `ip link set dev ${outputs.ifb} up`,
      `ip link set dev ${outputs.ifb} alias ${owner.text}`,
      `tc qdisc add dev ${outputs.ifb} root handle 1: ${bucketWords(tokenBucket(2e6, 1e6)).join(' ')}`,
      'tc qdisc add dev veth0 ingress',
      `tc filter add dev veth0 parent ffff: protocol all prio 1 u32 match u32 0 0 flowid 1:1 action mirred egress redirect dev ${outputs.ifb}`,
    ]);
    expect(BANDWIDTH.result!({} as never, outputs)).toEqual({ interfaces: [{ name: outputs.ifb, mac: outputs.mac }] });
    expect(await run(traffic, 'check', { ...INGRESS, ...EGRESS })).toEqual([]);
  });

  it.each([
    ['one way', INGRESS],
    ['the other', EGRESS],
    ['both', { ...INGRESS, ...EGRESS }],
    ['none', {}],
  ])('goes on from wherever it was interrupted, and leaves nothing: %s', async (_, args) => {
    const whole = new Traffic();
    await run(whole, 'ensure', args);
    for (let stop = 0; stop <= whole.lines.length; stop++) {
      const traffic = new Traffic();
      let left = stop;
      const mortal: EffectHandler = {
        perform: async (effect) => {
          if (effect.kind === 'iproute' && left-- <= 0) throw new Error('killed');
          return traffic.perform(effect);
        },
      };
      await runSteps(BANDWIDTH.ensure(argumentsOf(operation, { device: 'veth0', ...args }) as never, context as never), mortal).catch(
        () => undefined,
      );
      await run(traffic, 'ensure', args);
      expect(await run(traffic, 'check', args)).toEqual([]);
      await run(traffic, 'undo', args);
      await run(traffic, 'undo', args);
      expect([...traffic.links.keys()]).toEqual(['veth0']);
      expect(traffic.qdiscs.get('veth0') ?? []).toEqual([]);
      expect([...traffic.redirects]).toEqual([]);
    }
  });

  it('leaves alone what is not its own', async () => {
    const traffic = new Traffic();
    const others = [{ kind: 'htb', handle: '1:', root: true }];
    traffic.qdiscs.set('veth0', others);
    await expect(run(traffic, 'ensure', INGRESS)).rejects.toThrow('veth0 has another queueing discipline already: htb');
    await run(traffic, 'undo', { ...INGRESS, ...EGRESS });
    expect(traffic.qdiscs.get('veth0')).toEqual(others);
    expect(traffic.lines).toEqual([]);
  });

  describe('the other end of an interface of the container', () => {
    const args = { container: 'eth0', ...INGRESS, ...EGRESS };
    const cable = { linkinfo: { info_kind: 'veth' } };
    const connected = () => {
      const traffic = new Traffic();
      traffic.links.set('eth0', { ifname: 'eth0', ifindex: 2, link_index: 7, ...cable });
      // Another container's, whose link has the same number there.
      traffic.links.set('veth9', { ifname: 'veth9', ifindex: 9, link_index: 2, ...cable });
      traffic.links.set('veth0', { ifname: 'veth0', mtu: 1450, ifindex: 7, link_index: 2, ...cable });
      return traffic;
    };

    it('is limited', async () => {
      const traffic = connected();
      await run(traffic, 'ensure', args);
      expect(traffic.lines[0]).toMatch(/^tc qdisc add dev veth0 root/);
      expect(await run(traffic, 'check', args)).toEqual([]);
      expect(traffic.memory).toEqual({ device: 'veth0' });
      // The container may be gone by then.
      traffic.links.delete('eth0');
      await run(traffic, 'undo', args);
      expect(traffic.qdiscs.get('veth0')).toEqual([]);
      expect([...traffic.links.keys()]).toEqual(['veth0', 'veth9']);
    });

    it('must be there', async () => {
      const traffic = connected();
      traffic.links.delete('veth0');
      await expect(run(traffic, 'ensure', args)).rejects.toThrow('the other end of interface eth0 is not on the host');
      expect(await run(traffic, 'check', args)).toEqual(['the other end of interface eth0 is not on the host']);
      await run(traffic, 'undo', args);
      expect(traffic.lines).toEqual([]);
    });

    it('is not asked for where there are no limits', async () => {
      expect(await run(new Traffic(), 'ensure', { container: 'eth0' })).toEqual({ ifb: '', mac: '' });
    });
  });

  it('says what is missing', async () => {
    const traffic = new Traffic();
    const args = { ...INGRESS, ...EGRESS };
    const { ifb } = BANDWIDTH.predict(argumentsOf(operation, { device: 'veth0', ...args }) as never, context as never);
    expect(await run(traffic, 'check', args)).toEqual([
      'veth0 is not limited as it should be',
      `${ifb} is not limited as it should be`,
      `what veth0 receives is not led through ${ifb}`,
    ]);
    traffic.links.clear();
    await expect(run(traffic, 'ensure', EGRESS)).rejects.toThrow('there is no interface veth0 on the host');
  });

  it.each([
    [{ ingressRate: 8 }, 'ingressBurst: if rate is set, burst must also be set'],
    [{ egressBurst: 8 }, 'egressRate: if burst is set, rate must also be set'],
    [{ egressRate: 8, egressBurst: 2 ** 35 }, 'egressBurst: burst cannot be more than 4GB'],
    [{ ingressRate: 7, ingressBurst: 8 }, 'ingressRate: rate must be at least 8 bits per second'],
    [{ device: 'a/b' }, 'device: '],
    [{ container: 'eth0' }, 'device: specify one of device, container'],
  ])('refuses %j', (args, problem) => {
    expect(problemsOf(operation, { device: 'veth0', ...args })).toEqual([expect.stringContaining(problem)]);
  });

  it('needs what it uses', () => {
    const needed = (args: JsonObject): readonly string[] =>
      operation.requires(argumentsOf(operation, { device: 'veth0', ...args })).map((each) => JSON.stringify(each));
    expect(needed({})).toEqual([]);
    expect(needed(INGRESS)).toHaveLength(1);
    expect(needed(EGRESS)).toHaveLength(3);
  });
});
