import type { Steps } from '../effect.ts';
import { command, ip } from '../effects/iproute.ts';
import { existingLink, type LinkRow, link, links } from '../effects/show.ts';
import { writeSysctlIfAny } from '../effects/sysctl.ts';
import { generatedLinkName } from './link-name.ts';
import { deleteLink } from './owned-link.ts';
import { setPortVlans } from './port-vlans.ts';

/*
 * A gateway in one VLAN of a bridge: a pair of links, one end plugged into the bridge, the other called `<bridge>.<vlan>` and holding the
 * addresses. It belongs to the bridge. Official plugin: plugins/main/bridge/bridge.go ensureVlanInterface.
 */

export const gatewayName = (bridge: string, vlan: number): string => `${bridge}.${vlan}`;

/** Makes the gateway of a VLAN where it is not there, and answers it. */
export function* ensureVlanGateway(bridge: LinkRow, vlan: number): Steps<LinkRow> {
  const name = gatewayName(bridge.ifname, vlan);
  const present = yield* link(undefined, name);
  if (present !== undefined) return present;
  const port = generatedLinkName('veth', name);
  // It gets its name when all else is done: what has the name is whole.
  const temporary = generatedLinkName('tmp', name);
  yield* deleteLink(undefined, temporary);
  yield* ip(
    undefined,
    command('link', 'add', 'name', temporary, 'mtu', bridge.mtu, 'type', 'veth', 'peer', 'name', port, 'mtu', bridge.mtu),
    command('link', 'set', 'dev', port, 'master', bridge.ifname, 'up'),
  );
  yield* setPortVlans(port, { vlan, vlanTrunk: [], preserveDefaultVlan: false });
  yield* writeSysctlIfAny(undefined, `net/ipv6/conf/${temporary}/accept_ra`, '0');
  yield* ip(undefined, command('link', 'set', 'dev', temporary, 'name', name));
  return yield* existingLink(undefined, name, `${name} vanished while it was made`);
}

/** Removes a bridge and the gateways of its VLANs. */
export function* deleteBridge(name: string): Steps<void> {
  const gateways = (yield* links(undefined, 'type', 'veth')).filter(
    ({ ifname }) => ifname.startsWith(`${name}.`) && /^[0-9]+$/.test(ifname.slice(name.length + 1)),
  );
  for (const { ifname } of gateways) yield* deleteLink(undefined, ifname);
  yield* deleteLink(undefined, name);
}
