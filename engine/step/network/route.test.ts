import { describe, expect, it } from 'vitest';
import type { RouteRow } from '../effects/show.ts';
import { isRoute, resultRoute, routeCommand, routeProblems, settleRoute } from './route.ts';
import type { Route } from './shapes.ts';

const words = (route: Route, defaults = {}): string => routeCommand('prepend', settleRoute(route), defaults).words.join(' ');

describe('a route becomes a line of iproute2', () => {
  it.each<[Route, string]>([
    [{ to: '10.0.0.0/8', via: '10.1.0.1' }, 'route prepend 10.0.0.0/8 via 10.1.0.1 dev eth0'],
    [{ to: '10.1.2.3/8' }, 'route prepend 10.0.0.0/8 dev eth0'],
    [{ to: '10.1.2.3' }, 'route prepend 10.1.2.3/32 dev eth0'],
    [{ to: 'default', via: '10.1.0.1' }, 'route prepend 0.0.0.0/0 via 10.1.0.1 dev eth0'],
    [{ to: 'default', via: 'fd00::1' }, 'route prepend ::/0 via fd00::1 dev eth0'],
    [{ to: 'default', via: '' }, 'route prepend 0.0.0.0/0 dev eth0'],
    [{ to: 'fd00:0::/64', via: 'FE80::1', dev: 'eth1', onlink: true }, 'route prepend fd00::/64 via fe80::1 dev eth1 onlink'],
    [{ to: '10.0.0.0/8', via: 'fe80::1' }, 'route prepend 10.0.0.0/8 via inet6 fe80::1 dev eth0'],
    [
      { dst: '0.0.0.0/0', gw: '10.1.0.1', priority: 5, table: 7, scope: 0, mtu: 1300, advmss: 1200 },
      'route prepend 0.0.0.0/0 via 10.1.0.1 dev eth0 table 7 metric 5 scope 0 mtu 1300 advmss 1200',
    ],
    [{ to: '10.1.0.1', scope: 'link', src: '10.1.0.5' }, 'route prepend 10.1.0.1/32 dev eth0 scope 253 src 10.1.0.5'],
    [{ to: '10.9.0.0/16', type: 'blackhole' }, 'route prepend blackhole 10.9.0.0/16'],
    [{ to: '10.9.0.0/16', type: 'local' }, 'route prepend local 10.9.0.0/16 dev eth0'],
  ])('%j', (route, line) => expect(words(route, { dev: 'eth0' })).toBe(line));

  it('carries our number where it stands in the tables of the host', () => {
    expect(words({ to: '10.0.0.0/8' }, { dev: 'eth0', protocol: 250 })).toBe('route prepend 10.0.0.0/8 dev eth0 proto 250');
  });
});

describe('a route is found among rows', () => {
  it.each<[Route, RouteRow, boolean]>([
    [{ to: 'default', via: '10.1.0.1' }, { dst: 'default', gateway: '10.1.0.1', dev: 'eth0' }, true],
    [{ to: 'default', via: '10.1.0.1' }, { dst: 'default', gateway: '10.1.0.2', dev: 'eth0' }, false],
    [{ to: 'default', via: '10.1.0.1' }, { dst: 'default', gateway: '10.1.0.1', dev: 'eth1' }, false],
    [{ to: 'default', via: '10.1.0.1' }, { dst: 'default', gateway: '10.1.0.1', dev: 'eth0', table: '7' }, false],
    [{ to: 'default', via: '10.1.0.1', table: 7 }, { dst: 'default', gateway: '10.1.0.1', dev: 'eth0', table: '7' }, true],
    [{ to: '10.2.0.0/16', table: 254 }, { dst: '10.2.0.0/16', dev: 'eth0', table: 'main' }, true],
    [{ to: '10.2.0.1' }, { dst: '10.2.0.1', dev: 'eth0' }, true],
    [{ to: 'fd00::/64', metric: 7 }, { dst: 'fd00::/64', dev: 'eth0', metric: 1024 }, false],
    [{ to: '10.2.0.0/16', type: 'blackhole' }, { dst: '10.2.0.0/16', type: 'blackhole' }, true],
    [{ to: '10.2.0.0/16', via: 'fe80::1' }, { dst: '10.2.0.0/16', via: { host: 'fe80::1' }, dev: 'eth0' }, true],
    [{ to: '10.2.0.0/16', via: 'fe80::1' }, { dst: '10.2.0.0/16', via: { host: 'fe80::2' }, dev: 'eth0' }, false],
    [
      { to: '10.2.0.0/16', via: '10.1.0.2' },
      {
        dst: '10.2.0.0/16',
        nexthops: [
          { gateway: '10.1.0.1', dev: 'eth0' },
          { gateway: '10.1.0.2', dev: 'eth0' },
        ],
      },
      true,
    ],
  ])('%j in %j: %s', (route, row, found) => expect(isRoute(row, settleRoute(route), 'eth0')).toBe(found));
});

describe('what is wrong with a route', () => {
  it.each<[Route, string]>([
    [{}, 'to: a route needs a network that it leads to'],
    [{ to: '10.0.0.0/33' }, 'to: "10.0.0.0/33" is not a network like 10.0.0.0/8, and not `default`'],
    [{ dst: 'x' }, 'dst: "x" is not a network like 10.0.0.0/8, and not `default`'],
    [{ to: '10.0.0.0/8', dst: '10.0.0.0/8' }, 'dst: `to` and `dst` are the same thing: give one of them'],
    [{ to: '10.0.0.0/8', via: '10.1.0.1/16' }, 'via: "10.1.0.1/16" is not an IP address'],
    [{ to: 'fd00::/64', via: '10.1.0.1' }, 'via: 10.1.0.1 is IPv4, the network fd00::/64 is IPv6'],
    [{ to: '10.0.0.0/8', src: 'fd00::1' }, 'src: fd00::1 is IPv6, the network 10.0.0.0/8 is IPv4'],
    [{ to: '10.0.0.0/8', dev: 'a b' }, 'dev: interface name "a b" must not contain " "'],
  ])('%j', (route, problem) => {
    expect(routeProblems(route, []).map(({ path, message }) => `${path.join('.')}: ${message}`)).toEqual([problem]);
  });

  it('is nothing with a gateway of IPv6 for a network of IPv4', () =>
    expect(routeProblems({ to: '10.0.0.0/8', via: 'fe80::1' }, [])).toEqual([]));
});

it('says in a result what CNI has words for', () => {
  expect(
    resultRoute(settleRoute({ to: '10.0.0.0/8', via: '10.1.0.1', metric: 5, table: 7, scope: 'link', mtu: 1300, onlink: true })),
  ).toEqual({
    dst: '10.0.0.0/8',
    gw: '10.1.0.1',
    priority: 5,
    table: 7,
    scope: 253,
    mtu: 1300,
  });
});
