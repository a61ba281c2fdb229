import { doc, type Infer, integer, list, object, optional } from '../../text/shape.ts';
import type { Steps } from '../effect.ts';
import { bridge, command, tolerating } from '../effects/iproute.ts';
import { show } from '../effects/show.ts';
import type { ArgumentProblem } from '../operation.ts';

/*
 * VLANs of a port of a bridge, as the official bridge plugin sets them (plugins/main/bridge/bridge.go setupVeth).
 */

const id = integer({ minimum: 1, maximum: 4094 });

/** 0 is none, as in the configuration of the official plugin. */
export const vlanField = (text: string) => optional(doc(text, integer({ minimum: 0, maximum: 4094 })));
export const trunkShape = list(object({ id: optional(id), minID: optional(id), maxID: optional(id) }), {
  doc: 'VLANs that are let through with their tags: one, or a range.',
  maxItems: 4094,
});
type Trunk = Infer<typeof trunkShape>;

export interface PortVlans {
  /** VLAN of packets without a tag; 0 or undefined is none. */
  readonly vlan?: number;
  readonly vlanTrunk: Trunk;
  readonly preserveDefaultVlan: boolean;
}

export const hasVlans = ({ vlan, vlanTrunk }: Pick<PortVlans, 'vlan' | 'vlanTrunk'>): boolean => (vlan ?? 0) > 0 || vlanTrunk.length > 0;

/** May be run again. With a trunk and no VLAN of its own, a port takes packets without a tag into VLAN 1. */
export function* setPortVlans(port: string, vlans: PortVlans): Steps<void> {
  if (!hasVlans(vlans)) return;
  const own = vlans.vlan || 1;
  const trunk = trunkIds(vlans.vlanTrunk);
  const old = vlans.preserveDefaultVlan ? [] : yield* portVlans(port);
  const wanted = new Set([own, ...trunk]);
  yield* bridge(
    undefined,
    ...old.filter((each) => !wanted.has(each)).map((each) => tolerating(command('vlan', 'del', 'dev', port, 'vid', each), 'missing')),
    ...trunk.map((each) => command('vlan', 'add', 'dev', port, 'vid', each)),
    command('vlan', 'add', 'dev', port, 'vid', own, 'pvid', 'untagged'),
  );
}

function* portVlans(port: string): Steps<readonly number[]> {
  const rows = yield* show<{ readonly vlans?: readonly { readonly vlan: number; readonly vlanEnd?: number }[] }>(
    'bridge',
    undefined,
    ...['vlan', 'show', 'dev', port],
  );
  return rows
    .flatMap(({ vlans }) => vlans ?? [])
    .flatMap(({ vlan, vlanEnd = vlan }) => Array.from({ length: vlanEnd - vlan + 1 }, (_, index) => vlan + index));
}

/** What is missing, in words. */
export function* missingPortVlans(port: string, vlans: PortVlans): Steps<readonly string[]> {
  if (!hasVlans(vlans)) return [];
  const found = new Set(yield* portVlans(port));
  return [vlans.vlan || 1, ...trunkIds(vlans.vlanTrunk)]
    .filter((each) => !found.has(each))
    .map((each) => `port ${port} is not in VLAN ${each}`);
}

/** All VLANs of a trunk, in order, each once. */
function trunkIds(trunk: Trunk): number[] {
  const ids = new Set<number>();
  for (const item of trunk) {
    if (item.id !== undefined) ids.add(item.id);
    if (item.minID !== undefined && item.maxID !== undefined) for (let each = item.minID; each <= item.maxID; each++) ids.add(each);
  }
  return [...ids].sort((a, b) => a - b);
}

export function trunkProblems(trunk: Trunk, path: readonly (string | number)[]): ArgumentProblem[] {
  return trunk.flatMap(({ id, minID, maxID }, index): ArgumentProblem[] => {
    if (id === undefined && minID === undefined && maxID === undefined) {
      return [{ path: [...path, index], message: 'give `id`, or `minID` and `maxID`' }];
    }
    if ((minID === undefined) !== (maxID === undefined)) {
      const missing = minID === undefined ? 'minID' : 'maxID';
      return [{ path: [...path, index, missing], message: `minID and maxID should be configured simultaneously, ${missing} is missing` }];
    }
    return minID !== undefined && maxID !== undefined && minID > maxID
      ? [{ path: [...path, index, 'minID'], message: 'minID is greater than maxID in trunk parameter' }]
      : [];
  });
}
