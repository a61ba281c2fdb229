import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../object/json.ts';
import { ModelHost } from '../network/model-host.fixture.ts';
import { argumentsOf, NETNS, OWNER, Play, problemsOf } from '../network/play.fixture.ts';
import { OPERATIONS } from './index.ts';

/*
 * Addresses, routes, rules and kernel parameters carry no tag: what somebody else has put there is left alone.
 */

function play(operation: string, args: JsonObject, prepare: (host: ModelHost) => void = () => {}): Play {
  const host = new ModelHost(NETNS);
  prepare(host);
  return new Play(OPERATIONS.get(operation)!, args, host);
}

it('keeps addresses that were there before', async () => {
  const addresses = play('address', { dev: 'eth0', addresses: ['192.0.2.7/24', '10.5.0.1/24'] });
  const before = addresses.host.state();
  await addresses.ensure();
  await addresses.undo();
  expect(addresses.host.state()).toEqual(before);
});

it.each<[string, JsonObject, (host: ModelHost) => void, string]>([
  [
    'route',
    { routes: [{ to: '10.4.0.0/16' }, { to: '10.5.0.0/16', via: '192.0.2.1' }], dev: 'eth0' },
    (host) => host.addForeignRoute('10.5.0.0/16', 'via 192.0.2.9 dev eth0'),
    'there is another route to 10.5.0.0/16 already',
  ],
  [
    'route',
    { routes: [{ to: '10.5.0.0/16' }], dev: 'eth0' },
    (host) => host.addForeignRoute('10.5.0.0/16', 'dev eth0 proto 250'),
    'there is another route to 10.5.0.0/16 already',
  ],
  [
    'rule',
    { from: '10.1.0.5', table: 100, priority: 1000 },
    (host) => host.addForeignRule('host 4 priority 1000 from 10.1.0.5/32 table 100 protocol 250'),
    'there is such a rule already, with priority 1000',
  ],
])('%s fails where somebody else has %j', async (operation, args, prepare, message) => {
  const step = play(operation, args, prepare);
  const before = step.host.state();
  await expect(step.ensure()).rejects.toMatchObject({ code: 'exists', message });
  await step.undo();
  expect(step.host.state()).toEqual(before);
});

describe('kernel parameters', () => {
  it('are not given back after somebody else has changed them', async () => {
    const step = play('sysctl', { values: { 'net.ipv4.ip_forward': '1' }, restore: true });
    await step.ensure();
    await step.host.perform({ kind: 'sysctl-write', netns: undefined, key: 'net/ipv4/ip_forward', value: '2' });
    await step.undo();
    expect(await step.host.perform({ kind: 'sysctl-read', netns: undefined, key: 'net/ipv4/ip_forward' })).toBe('2');
  });

  it('are named when they differ', async () => {
    const step = play('sysctl', { values: { 'net.ipv4.ip_forward': '1', 'net.ipv4.conf.eth9.rp_filter': '1' } });
    expect(await step.check()).toEqual(['net/ipv4/ip_forward is 0, not 1', 'the kernel has no net/ipv4/conf/eth9/rp_filter']);
  });
});

it.each<[string, JsonObject, string]>([
  [
    'rule',
    { from: '10.0.0.0/8', to: 'fd00::/8', table: 1, priority: 1 },
    'to: addresses of a rule are of one family, and of one of its `families`',
  ],
  [
    'rule',
    { from: '10.0.0.0/8', families: [6], table: 1, priority: 1 },
    'from: addresses of a rule are of one family, and of one of its `families`',
  ],
  ['rule', { from: 'x', table: 1, priority: 1 }, 'from: "x" is not a network like 10.0.0.0/8'],
  ['rule', { fwmark: '1', families: [5], table: 1, priority: 1 }, 'families.0: there are the families 4 and 6'],
  ['sysctl', { values: { 'kernel.x': '1' } }, 'values.kernel.x: "kernel.x" is not below net, the part of a network namespace'],
  ['address', { dev: 'a b', addresses: [] }, 'dev: interface name "a b" must not contain " "'],
  ['address', { dev: '', addresses: [] }, 'dev: an interface name must not be empty'],
  ['route', { routes: [{ to: 'x' }] }, 'routes.0.to: "x" is not a network like 10.0.0.0/8, and not `default`'],
])('%s does not take %j', (operation, args, problem) => expect(problemsOf(OPERATIONS.get(operation)!, args)).toEqual([problem]));

/** As `ip -json rule show` prints them. */
it.each<[string | undefined, JsonObject, boolean]>([
  ['0x1', { fwmark: '0x1' }, true],
  ['1', { fwmark: '0x1' }, true],
  ['8192/0x2000', { fwmark: '0x2000', fwmask: '0x2000' }, true],
  ['0/0xf', { fwmark: '0', fwmask: '0xf' }, true],
  ['0', {}, true],
  [undefined, {}, true],
  ['0x1', { fwmark: '0x2' }, false],
  ['0x1', { fwmark: '0x1', fwmask: '0xf' }, false],
  ['0x1', {}, false],
  [undefined, { fwmark: '0x1' }, false],
])('a rule for the mark %s is well where the kernel has %j: %s', (fwmark, shown, isWell) => {
  const operation = OPERATIONS.get('rule')!;
  const args = argumentsOf(operation, { table: 100, priority: 1000, ...(fwmark !== undefined && { fwmark }) });
  const check = operation.check(args, { owner: OWNER, netns: NETNS, netnsGone: false });
  check.next();
  const { value } = check.next([{ priority: 1000, src: 'all', table: '100', protocol: '250', ...shown }]);
  expect(value).toEqual(isWell ? [] : ['there is no rule with priority 1000 for table 100 (IPv4)']);
});
