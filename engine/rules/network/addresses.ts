import { parseCidr, parseIp } from '../../object/ip-address.ts';
import { isJsonObject, type Json, type JsonObject, objectsOf, ownText, ownValue } from '../../object/json.ts';
import { EffectError, type Steps } from '../../step/effect.ts';
import { readFile } from '../../step/effects/files.ts';
import type { ArgumentProblem, Operation } from '../../step/operation.ts';
import { any, defaulted, type Infer, list, map, object, optional, string } from '../../text/shape.ts';
import type { AddressAnswer, AddressOutputs, AddressVerb } from './program.ts';
import type { CniDns } from './protocol/result.ts';
import { readResolvConf } from './resolv-conf.ts';
import { ADDRESS_OUTPUT_TYPES } from './types.ts';

const absolutePath = () => string({ pattern: /^\/[^\0]*$/, patternName: 'an absolute path' });

/** A range of addresses, as host-local has it. */
export const addressRange = object({
  subnet: string({ doc: 'The network that addresses are from, as `10.1.0.0/16`.' }),
  rangeStart: optional(string()),
  rangeEnd: optional(string()),
  gateway: optional(string()),
});

const shape = object({
  network: string(),
  containerId: string(),
  ifName: string(),
  ranges: list(list(addressRange, { minItems: 1 }), { minItems: 1 }),
  requested: defaulted(list(string()), []),
  dataDir: optional(absolutePath()),
  routes: defaulted(list(map(any())), []),
  dns: defaulted(map(any()), {}),
  /** File of the host from which `dns` is taken. */
  resolvConf: optional(absolutePath()),
});
type Arguments = Infer<typeof shape> & JsonObject;
type Outputs = AddressOutputs & JsonObject;

/** Addresses of our own allocator: the step that `ipam` of a rule becomes. Not for the steps of rules. */
export const ADDRESSES: Operation<Arguments, Outputs> = {
  name: 'addresses',
  group: 'network',
  doc: 'Addresses out of ranges, one of each set.',
  arguments: shape as Operation<Arguments>['arguments'],
  outputs: ADDRESS_OUTPUT_TYPES,
  lifetime: 'owned',

  validate({ ranges, requested }) {
    const problems: ArgumentProblem[] = [];
    for (const [set, members] of ranges.entries()) {
      for (const [index, { subnet, rangeStart, rangeEnd, gateway }] of members.entries()) {
        const at = ['ranges', set, index] as const;
        if (parseCidr(subnet) === undefined)
          problems.push({ path: [...at, 'subnet'], message: `${JSON.stringify(subnet)} is no network, as 10.1.0.0/16` });
        for (const [field, text] of Object.entries({ rangeStart, rangeEnd, gateway })) {
          if (text !== undefined && text !== '' && parseIp(text) === undefined)
            problems.push({ path: [...at, field], message: `${JSON.stringify(text)} is no IP address` });
        }
      }
    }
    for (const [index, text] of requested.entries()) {
      if (parseIp(text) === undefined && parseCidr(text) === undefined)
        problems.push({ path: ['requested', index], message: `${JSON.stringify(text)} is no IP address` });
    }
    return problems;
  },

  requires: () => [],
  // The allocator locks a network by itself, and for shorter.
  lockKeys: () => [],

  *ensure(args) {
    const answer = (yield ask('allocate', args)) as AddressAnswer;
    const dns = args.resolvConf === undefined ? args.dns : yield* resolverOf(args.resolvConf);
    return addressOutputs(answer.ips, args.routes as readonly Json[], dns as JsonObject) as Outputs;
  },
  *check(args) {
    return (yield ask('check', args)) as readonly string[];
  },
  *undo(args): Steps<void> {
    yield ask('release', args);
  },
  predict: () => ({}),
  describe: ({ ranges, requested }) =>
    `addresses of ${ranges.map((set) => set.map(({ subnet }) => subnet).join(' or ')).join(' and ')}${
      requested.length === 0 ? '' : `, namely ${requested.join(', ')}`
    }`,
};

/** Bytes of a `resolv.conf`. */
const MAX_RESOLV_CONF = 65_536;

function* resolverOf(path: string): Steps<CniDns> {
  const text = yield* readFile(path, MAX_RESOLV_CONF);
  if (text === undefined) throw new EffectError('missing', `there is no file ${path}`, `cat ${path}`);
  return readResolvConf(text);
}

function ask(verb: AddressVerb, { network, containerId, ifName, ranges, requested, dataDir }: Arguments) {
  const request = { verb, network, containerId, ifName, ranges, requested, ...(dataDir === undefined ? {} : { dataDir }) };
  return { kind: 'custom', name: 'addresses', request: request as unknown as JsonObject } as const;
}

/** What later steps see of addresses. */
function addressOutputs(
  ips: readonly { readonly address: string; readonly gateway?: string }[],
  routes: readonly Json[],
  dns: JsonObject,
): AddressOutputs {
  const gatewayAddresses = ips.flatMap(({ address, gateway }) => {
    const bits = address.split('/')[1];
    return gateway === undefined || gateway === '' || bits === undefined ? [] : [`${gateway}/${bits}`];
  });
  const known = ips.map(({ address, gateway }) => ({ address, ...(gateway === undefined || gateway === '' ? {} : { gateway }) }));
  return { addresses: ips.map(({ address }) => address), ips: known, gatewayAddresses, gateway: known[0]?.gateway ?? '', routes, dns };
}

/** What steps see where a rule gives no addresses this time. */
export const NO_ADDRESSES: AddressOutputs = addressOutputs([], [], {});

/** What later steps see of a step that gave addresses: ours gives it as it is, another plugin as a result. */
export function addressesOf(operation: string, outputs: JsonObject): AddressOutputs {
  if (operation === ADDRESSES.name) return outputs as unknown as AddressOutputs;
  const ips = objectsOf(ownValue(outputs, 'ips')).map((ip) => {
    const gateway = ownText(ip, 'gateway');
    return { address: ownText(ip, 'address'), ...(gateway === '' ? {} : { gateway }) };
  });
  const dns = ownValue(outputs, 'dns');
  return addressOutputs(ips, objectsOf(ownValue(outputs, 'routes')), isJsonObject(dns) ? dns : {});
}
