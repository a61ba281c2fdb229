import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../object/json.ts';
import { ModelHost } from '../network/model-host.fixture.ts';
import { NETNS, Play, problemsOf } from '../network/play.fixture.ts';
import { OPERATIONS } from './index.ts';

function play(operation: string, args: JsonObject, prepare: (host: ModelHost) => void = () => {}): Play {
  const host = new ModelHost(NETNS);
  prepare(host);
  return new Play(OPERATIONS.get(operation)!, args, host);
}

describe('tuning', () => {
  const withInterface = (host: ModelHost): void => host.addForeign('eth0', { kind: 'veth', netns: NETNS, up: true });

  it('needs the interface', async () => {
    await expect(play('tuning', { dev: 'eth9', mtu: 1400 }).ensure()).rejects.toMatchObject({
      code: 'missing',
      message: 'the container has no interface "eth9"',
    });
  });

  it.each<[string, string | undefined]>([
    ['^net.core.somaxconn$\n^net\\.ipv4\\.conf\\.IFNAME\\.arp_filter$\n', undefined],
    [
      '\n^net.core.somaxconn$\n',
      'Sysctl net.ipv4.conf.IFNAME.arp_filter is not allowed. Only the following sysctls are allowed: [^net.core.somaxconn$]',
    ],
    ['', 'Sysctl net.ipv4.conf.IFNAME.arp_filter is not allowed. Only the following sysctls are allowed: []'],
  ])('heeds what the administrator allows: %j', async (list, message) => {
    const step = play('tuning', { dev: 'eth0', sysctl: { 'net.ipv4.conf.IFNAME.arp_filter': '1' } }, withInterface);
    step.host.files.set('/etc/cni/tuning/allowlist.conf', list);
    if (message === undefined) await step.ensure();
    else await expect(step.ensure()).rejects.toMatchObject({ code: 'denied', message });
  });

  it('says what is not as it was', async () => {
    const step = play('tuning', { dev: 'eth0', mac: '02:00:00:00:00:05', mtu: 1400, promisc: true }, withInterface);
    expect(await step.check()).toEqual([
      'MAC address of eth0 is 52:54:00:00:00:02, not 02:00:00:00:00:05',
      'MTU of eth0 is 1500, not 1400',
      'promiscuous mode of eth0 is false, not true',
    ]);
  });

  it('tells of the MAC address in the result', async () => {
    const step = play('tuning', { dev: 'eth0', mac: '02:00:00:00:00:0A', mtu: 1400 }, withInterface);
    await step.ensure();
    expect(step.result()).toEqual({ interfaces: [{ name: 'eth0', mac: '02:00:00:00:00:0a', sandbox: NETNS }] });
  });
});

it.each<[string, JsonObject, string]>([
  ['tuning', { dev: 'eth0', mac: '01:00:00:00:00:00' }, 'mac: 01:00:00:00:00:00 is a multicast address, which no interface can have'],
])('%s does not take %j', (operation, args, problem) => expect(problemsOf(OPERATIONS.get(operation)!, args)).toEqual([problem]));
