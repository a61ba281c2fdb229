import { type CelType, mapOf, optionalOf, STRING, type StructType, type TypeProvider } from '../../cel/types.ts';
import { readSimpleSchema, type SimpleSchema } from '../../object/simple-schema.ts';
import { celTypeOf } from '../../object/simple-schema-value.ts';

/*
 * Types of what expressions of a network rule see, written as short schemas.
 */

const REQUEST = {
  command: 'string',
  containerId: 'string',
  netns: 'string',
  ifName: 'string',
  cniVersion: 'string',
  network: 'string',
  mac: 'string',
  requested: '[]string',
  path: '[]string',
};

/** CNI: CONVENTIONS.md, "Dynamic Plugin specific fields (Capabilities / Runtime Configuration)". */
const RUNTIME_CONFIG = {
  portMappings: [{ hostPort: 'integer', containerPort: 'integer', protocol: 'string', hostIP: 'string' }],
  bandwidth: { ingressRate: 'integer', ingressBurst: 'integer', egressRate: 'integer', egressBurst: 'integer' },
  ipRanges: [[{ subnet: 'string', rangeStart: 'string', rangeEnd: 'string', gateway: 'string' }]],
  ips: '[]string',
  mac: 'string',
  dns: { servers: '[]string', searches: '[]string', options: '[]string' },
  aliases: '[]string',
  deviceID: 'string',
  infinibandGUID: 'string',
  cgroupPath: 'string',
};

const ROUTE = {
  dst: 'string',
  gw: 'string',
  mtu: 'integer',
  advmss: 'integer',
  priority: 'integer',
  table: 'integer',
  scope: 'integer',
};
const DNS = { nameservers: '[]string', domain: 'string', search: '[]string', options: '[]string' };

/** CNI 1.1.0: SPEC.md, "Section 5: Result Types". */
const RESULT = {
  interfaces: [{ name: 'string', mac: 'string', mtu: 'integer', sandbox: 'string', socketPath: 'string', pciID: 'string' }],
  ips: [{ address: 'string', gateway: 'string', interface: 'integer' }],
  routes: [ROUTE],
  dns: DNS,
};

const ADDRESSES = {
  addresses: '[]string',
  ips: [{ address: 'string', gateway: 'string' }],
  gatewayAddresses: '[]string',
  gateway: 'string',
  // Not of a type, so that routes written out can be added to them.
  routes: '[]any',
  dns: DNS,
};

function declared(name: string, source: unknown): { readonly schema: SimpleSchema; readonly type: CelType; readonly types: TypeProvider } {
  const structs = new Map<string, StructType>();
  const schema = readSimpleSchema(source, []);
  return { schema, type: celTypeOf(schema, name, structs), types: { structType: (asked) => structs.get(asked) } };
}

const REQUEST_TYPE = declared('network.Request', REQUEST);
const RUNTIME_TYPE = declared('network.RuntimeConfig', RUNTIME_CONFIG);
const RESULT_TYPE = declared('network.PrevResult', RESULT);
/** Its lists are there to be added to. */
const OWN_RESULT_TYPE = declared('network.Result', { interfaces: '[]any', ips: '[]any', routes: '[]any', dns: DNS });
const ADDRESSES_TYPE = declared('network.Addresses', ADDRESSES);
const NODE_TYPE = declared('network.Node', {
  name: 'string',
  attachments: [{ containerId: 'string', ifName: 'string', namespace: 'string', name: 'string', uid: 'string', addresses: '[]string' }],
});

/** Capabilities that a rule can read: the fields of `runtimeConfig`. */
export const CAPABILITIES: readonly string[] = Object.keys(RUNTIME_CONFIG);

/** What `runtimeConfig` may hold. */
export const RUNTIME_CONFIG_SCHEMA = RUNTIME_TYPE.schema;

/** Variables that are there in every expression of a rule, beside `config`, `params` and the ids of objects. */
export const VARIABLE_TYPES: Readonly<Record<string, CelType>> = {
  request: REQUEST_TYPE.type,
  args: mapOf(STRING, STRING),
  runtimeConfig: RUNTIME_TYPE.type,
  prevResult: optionalOf(RESULT_TYPE.type),
  node: NODE_TYPE.type,
};

/** Those among them that only an attachment has. */
export const ATTACHMENT_VARIABLES: ReadonlySet<string> = new Set(['request', 'args', 'runtimeConfig', 'prevResult']);

/** Type of `ipam`: {@link AddressOutputs}. */
export const ADDRESSES_VARIABLE = ADDRESSES_TYPE.type;

/** Type of `result`, as it follows from the steps. */
export const RESULT_VARIABLE = OWN_RESULT_TYPE.type;

/** Fields of the outputs of a step that gives addresses. */
export const ADDRESS_OUTPUT_TYPES: Readonly<Record<string, CelType>> = Object.fromEntries(
  Object.keys(ADDRESSES).map((field) => [field, ADDRESSES_TYPE.types.structType('network.Addresses')!.field(field)!]),
);

/** Knows the structures of all of these. */
export const VARIABLE_STRUCTS: readonly TypeProvider[] = [
  REQUEST_TYPE.types,
  RUNTIME_TYPE.types,
  RESULT_TYPE.types,
  OWN_RESULT_TYPE.types,
  ADDRESSES_TYPE.types,
  NODE_TYPE.types,
];

/** Type of a structure that rules see by the name `config`. */
export const CONFIG_TYPE = 'network.Config';
