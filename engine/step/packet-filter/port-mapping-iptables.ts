import { EffectError } from '../effect.ts';
import type { OwnerTag } from '../operation.ts';
import { commentOf, type IptablesChain, type IptablesFoundation, iptablesChainName, type SavedTable, targetOf } from './iptables.ts';
import { endpoint, type Mapping, mappingsOf, markOf, type PortMapArguments, portText } from './port-mapping.ts';

/** Names of chains of port mappings begin so. */
export const IPTABLES_PORT_PREFIX = 'FL-PORT-';

const PORTS = 'FAIRLEAD-PORTS';

/** As the official plugin has it, with chains of our own: plugins/meta/portmap/portmap_iptables.go. */
export function iptablesPortFoundation(family: 4 | 6, markBit: number): IptablesFoundation {
  const masquerading = `FAIRLEAD-PORTS-MASQ-${markBit}`;
  const mark = markOf(markBit);
  return {
    table: 'nat',
    chains: [PORTS, masquerading],
    rules: [
      { in: masquerading, rule: `-m mark --mark ${mark}/${mark} -m conntrack --ctstate DNAT -j MASQUERADE` },
      // Before masquerading, which leaves alone what stays in the pod's network.
      { in: 'POSTROUTING', rule: `-j ${masquerading}`, first: true },
      ...(family === 6 ? [{ in: PORTS, rule: '-d ::1/128 -j RETURN', first: true }] : []),
      { in: 'PREROUTING', rule: `-m addrtype --dst-type LOCAL -j ${PORTS}` },
      { in: 'OUTPUT', rule: `-m addrtype --dst-type LOCAL -j ${PORTS}` },
    ],
  };
}

/** A chain for each mapping of a family. */
export function iptablesPortChains(args: PortMapArguments, owner: OwnerTag, family: 4 | 6): readonly IptablesChain[] {
  const conditions = (family === 4 ? args.conditionsV4 : args.conditionsV6).join(' ');
  const mark = markOf(args.markBit);
  const marking = `-j MARK --set-xmark ${mark}/${mark}`;
  return mappingsOf(args)
    .filter(({ target }) => target.family === family)
    .map((mapping) => {
      const { network } = mapping.target;
      const marked = args.masqueradeAll ? [marking] : [...(family === 4 ? [`-s 127.0.0.0/8 ${marking}`] : []), `-s ${network} ${marking}`];
      return {
        chain: iptablesChainName(IPTABLES_PORT_PREFIX, owner, entryMatch(mapping)),
        rules: [
          ...(args.snat ? marked : family === 4 ? ['-s 127.0.0.0/8 -j RETURN'] : []),
          `-p ${mapping.protocol} -j DNAT --to-destination ${endpoint(mapping)}`,
        ],
        // A port of one address comes before the same port of all.
        entries: [
          {
            in: PORTS,
            match: [entryMatch(mapping), conditions].filter((words) => words !== '').join(' '),
            first: mapping.hostAddress !== undefined,
          },
        ],
      };
    });
}

/**
 * Chains of others that have one of these ports: those that lead to an address of ours are stale, since it is ours now.
 * @throws EffectError `exists` for others.
 */
export function staleIptablesPorts(table: SavedTable, mappings: readonly Mapping[], own: readonly IptablesChain[]): readonly string[] {
  const names = new Set(own.map(({ chain }) => chain));
  return mappings.flatMap((mapping) => {
    const entry = table.rules.find((rule) => rule.startsWith(`-A ${PORTS} ${entryMatch(mapping)} `) && !names.has(targetOf(rule) ?? ''));
    const chain = entry === undefined ? undefined : targetOf(entry);
    if (entry === undefined || chain === undefined) return [];
    const isOurs = table.rules.some(
      (rule) => rule.startsWith(`-A ${chain} `) && rule.includes(` --to-destination ${destination(mapping)}`),
    );
    if (isOurs) return [chain];
    const tried = `iptables -t nat -A ${PORTS} ${entryMatch(mapping)}`;
    throw new EffectError('exists', `${portText(mapping)} is taken by ${commentOf(entry) ?? 'somebody unknown'}`, tried);
  });
}

/** As `iptables-save` prints it, where a port of the address of any host comes without `-d`. */
function entryMatch({ hostAddress, protocol, hostPort, target }: Mapping): string {
  const address = hostAddress === undefined ? '' : `-d ${hostAddress}/${target.family === 4 ? 32 : 128} `;
  return `${address}-p ${protocol} -m ${protocol} --dport ${hostPort}`;
}

const destination = ({ target }: Mapping): string => (target.family === 4 ? `${target.address}:` : `[${target.address}]:`);
