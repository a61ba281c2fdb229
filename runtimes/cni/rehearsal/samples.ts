import type { JsonObject } from '../../../engine/object/json.ts';

/** Version of CNI that samples are in. */
export const SAMPLE_VERSION = '1.1.0';

/** A network configuration that says no more than it must. `type` is the rule. */
export const bareSample = (type: string): JsonObject => ({ cniVersion: SAMPLE_VERSION, name: 'sample', type });

/**
 * What most network configurations say; a rule takes of it what it knows. Addresses are those that RFC 5737 and RFC 3849 keep for examples, and
 * are reserved in `dataDir` by whoever does not only imagine it.
 */
export function fullSample(type: string, dataDir?: string): JsonObject {
  const ranges = [[{ subnet: '192.0.2.0/24' }], [{ subnet: '2001:db8::/64' }]];
  const ipam = { type: 'host-local', ranges, routes: [{ dst: '0.0.0.0/0' }], ...(dataDir === undefined ? {} : { dataDir }) };
  return { ...bareSample(type), isGateway: true, ipMasq: true, ipam };
}
