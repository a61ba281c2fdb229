import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { compileBundle } from '../../../engine/bundle/compile.ts';
import { ruleText } from '../../../engine/rules/network/network.fixture.ts';
import type { NetworkRule } from '../../../engine/rules/network/program.ts';
import type { Effect } from '../../../engine/step/effect.ts';
import { parseYaml } from '../../../engine/text/yaml.ts';
import { manualClock } from '../../host/clock.ts';
import type { HostHandler } from '../../linux/performer.ts';
import { type RehearsalOptions, rehearse } from './rehearsal.ts';

const BRIDGE = `
config: { bridge: string | default=cni0, isGateway: boolean | default=false, ipMasq: boolean | default=false, ipam: any }
ipam: { configuration: "\${config.ipam}" }
steps:
- bridge: { name: "\${config.bridge}", addresses: "\${ipam.gatewayAddresses}" }
- veth:
    host: { master: "\${config.bridge}" }
    container: { name: "\${request.ifName}", addresses: "\${ipam.addresses}", routes: "\${ipam.routes}" }
- masquerade: { from: "\${ipam.addresses}", except: "\${ipam.addresses.map(it, net.network(it))}", backend: nftables }
`;

/** The rule of a spec, and how often it was asked to attach. */
function counted(name: string, spec: string): { readonly rule: NetworkRule; readonly asked: () => number } {
  const text = ruleText(spec).replace('name: net', `name: ${name}`);
  const rule = compileBundle(parseYaml({ name: 'rule.yaml', text }).documents).program!.network.rules[0]!;
  let count = 0;
  return {
    asked: () => count,
    rule: {
      ...rule,
      attach(request, facts) {
        if (request.command === 'ADD') count++;
        return rule.attach(request, facts);
      },
    },
  };
}

describe('a rehearsal', () => {
  let folder: string;
  const asked: Effect[] = [];
  const lines: string[] = [];
  const host: HostHandler = {
    perform: async (effect) => {
      asked.push(effect);
      return [];
    },
    session: () => Promise.reject(new Error('nothing is done on the host')),
    missing: () => Promise.reject(new Error('nothing is looked for on the host')),
  };
  beforeEach(() => {
    folder = join(mkdtempSync(join(tmpdir(), 'rehearsal-')), 'stage');
    asked.length = 0;
    lines.length = 0;
  });
  afterEach(() => rmSync(join(folder, '..'), { recursive: true }));

  const play = (rules: readonly NetworkRule[], options: Partial<RehearsalOptions> = {}): Promise<void> =>
    rehearse({
      program: { rules },
      host,
      folder,
      clock: manualClock(),
      isBusy: () => false,
      signal: new AbortController().signal,
      log: (_, line, fields) => lines.push(`${line} ${JSON.stringify(fields)}`),
      attachments: 6,
      ...options,
    });

  it('attaches by each rule in turn, asks the host what changes nothing, and leaves nothing', async () => {
    const [one, two] = [counted('one', BRIDGE), counted('two', BRIDGE)];
    await play([one.rule, two.rule]);
    expect([one.asked(), two.asked()]).toEqual([3, 3]);
    expect(new Set(asked.map((effect) => JSON.stringify(effect)))).toEqual(
      new Set(['{"kind":"show","program":"ip","words":["address","show","dev","lo"]}']),
    );
    expect(existsSync(folder)).toBe(false);
    expect(lines).toEqual([expect.stringMatching(/^rehearsed \{"attachments":6,"seconds":0\}$/)]);
  });

  it('leaves out what a sample can not attach, and what needs others', async () => {
    const never = counted('never', 'validations: [{ expression: "1 == 2", message: never }]\nsteps: [{ bridge: { name: b } }]');
    const other = "{'cniVersion': '1.1.0', 'name': 'x', 'type': 'other'}";
    const calling = counted('calling', `steps: [{ delegate: { config: "\${${other}}" } }]`);
    const good = counted('good', BRIDGE);
    await play([never.rule, calling.rule, good.rule]);
    expect([never.asked(), calling.asked(), good.asked()]).toEqual([1, 1, 4]);
  });

  it('waits while somebody is served', async () => {
    const clock = manualClock();
    let isBusy = true;
    const { rule, asked: askedFor } = counted('one', BRIDGE);
    const played = play([rule], { clock, isBusy: () => isBusy });
    while (clock.pending() === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(askedFor()).toBe(0);
    isBusy = false;
    clock.advance(20);
    await played;
    expect(askedFor()).toBe(6);
  });

  it('ends with the daemon', async () => {
    const ending = new AbortController();
    const played = play([counted('one', BRIDGE).rule], { isBusy: () => true, signal: ending.signal });
    ending.abort();
    await played;
    expect(lines).toEqual([]);
    expect(existsSync(folder)).toBe(false);
  });

  it('does without where it has no place', async () => {
    await play([counted('one', BRIDGE).rule], { folder: '/dev/null/nowhere' });
    expect(lines).toEqual([expect.stringMatching(/^the rehearsal ended/)]);
  });
});
