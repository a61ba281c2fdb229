import { describe, expect, it } from 'vitest';
import { runSteps } from '../effect.ts';
import { command } from '../effects/iproute.ts';
import { checkDefaultRoutes, gatewayProblems, replaceDefaultRoutes, withDefaultRoutes } from './default-routes.ts';
import { ModelHost } from './model-host.fixture.ts';
import { NETNS } from './play.fixture.ts';

/** A container with two interfaces and these routes. */
async function container(...lines: readonly string[]): Promise<ModelHost> {
  const host = new ModelHost(NETNS);
  for (const name of ['eth0', 'net1']) host.addForeign(name, { netns: NETNS, up: true });
  for (const line of lines) await host.perform({ kind: 'iproute', program: 'ip', netns: NETNS, commands: [command(...line.split(' '))] });
  host.log.length = 0;
  return host;
}

const changes = ({ log }: ModelHost): readonly string[] =>
  log.filter((line) => !line.includes('?')).map((line) => line.replace('[container] ip ', ''));

describe('default routes by an interface', () => {
  it('are those to the gateways, in place of those that were there; others are left alone', async () => {
    const host = await container(
      'route add 0.0.0.0/0 via 10.1.0.1 dev eth0 metric 5',
      'route add ::/0 via fd00::1 dev net1',
      'route prepend 0.0.0.0/0 via 10.2.0.9 dev net1',
      'route add 10.3.0.0/16 via 10.2.0.9 dev net1',
      'route prepend 0.0.0.0/0 via 10.2.0.9 dev net1 table 7',
    );
    await runSteps(replaceDefaultRoutes(NETNS, 'net1', []), host);
    expect(changes(host)).toEqual(['route del 0.0.0.0/0 via 10.2.0.9 dev net1', 'route del ::/0 via fd00::1 dev net1']);
    expect(await runSteps(checkDefaultRoutes(NETNS, 'net1', []), host)).toEqual([]);
    expect(await runSteps(checkDefaultRoutes(NETNS, 'eth0', []), host)).toEqual(['eth0 has a default route by 10.1.0.1']);
  });

  it('are taken in the order of the gateways', async () => {
    const host = await container();
    const gateways = ['10.2.0.1', 'fd00::1', '10.2.0.2'];
    expect(await runSteps(checkDefaultRoutes(NETNS, 'net1', gateways), host)).toEqual([
      'net1 has no default route by 10.2.0.1',
      'net1 has no default route by fd00::1',
      'net1 has no default route by 10.2.0.2',
    ]);
    await expect(runSteps(replaceDefaultRoutes(NETNS, 'net1', gateways), host)).rejects.toThrow();
    expect(changes(host)).toEqual([
      'route add 0.0.0.0/0 via 10.2.0.1 dev net1',
      'route add ::/0 via fd00::1 dev net1',
      'route add 0.0.0.0/0 via 10.2.0.2 dev net1 metric 1025',
    ]);
  });

  it.each([
    [[], [], []],
    [[{ dst: '0.0.0.0/0', gw: '10.1.0.1' }, { dst: '::/0' }, { dst: '10.1.0.0/16' }], [], [{ dst: '10.1.0.0/16' }]],
    [
      [
        { dst: '0.0.0.0/0', table: 7 },
        { dst: '0.0.0.0/0', table: 254 },
      ],
      [],
      [{ dst: '0.0.0.0/0', table: 7 }],
    ],
    [
      [{ dst: '0.0.0.0/0', gw: '10.1.0.1' }],
      ['10.2.0.1', 'fd00::1', '10.2.0.2'],
      [
        { dst: '0.0.0.0/0', gw: '10.2.0.1' },
        { dst: '::/0', gw: 'fd00::1' },
        { dst: '0.0.0.0/0', gw: '10.2.0.2', priority: 1025 },
      ],
    ],
  ])('%j of a result, with %j', (routes, gateways, expected) => {
    expect(withDefaultRoutes(routes, gateways)).toEqual(expected);
  });

  it('go to addresses', () => {
    expect(gatewayProblems(['10.1.0.1', 'fe80::1', '10.1.0.1/16', '-n'], 'gateways')).toEqual([
      { path: ['gateways', 2], message: '"10.1.0.1/16" is not an IP address' },
      { path: ['gateways', 3], message: '"-n" is not an IP address' },
    ]);
  });
});
