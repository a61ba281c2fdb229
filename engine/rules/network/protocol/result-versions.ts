import { goQuote } from '../../../cel/go-quote.ts';
import { familyOf, type IpFamily, parseCidr } from '../../../object/ip-address.ts';
import type { Json, JsonObject } from '../../../object/json.ts';
import type { ResultRoute } from '../../../step/operation.ts';
import { indented } from './fault.ts';
import { goField } from './go-field.ts';
import type { CniDns, CniResult, CniVersion, ResultIp } from './result.ts';
import {
  addressAt,
  integerAt,
  listAt,
  objectAt,
  prefixAt,
  ResultProblem,
  readDns,
  readInterface,
  readRoute,
  textAt,
} from './result-fields.ts';
import { isCniVersion } from './version.ts';

/**
 * Results in the versions of the specification. Versions within a group have the same form.
 * CNI: pkg/types/020, pkg/types/040, pkg/types/100.
 */
const GROUPS = [
  ['0.1.0', '0.2.0'],
  ['0.3.0', '0.3.1', '0.4.0'],
  ['1.0.0', '1.1.0'],
] as const satisfies readonly (readonly CniVersion[])[];

type Group = (typeof GROUPS)[number];

export type ReadResult = { readonly ok: true; readonly result: CniResult } | { readonly ok: false; readonly message: string };

/**
 * Reads a result that was printed in `version`, and brings it to the newest form. A result that names another version is refused unless that one
 * has the same form; one that names none is taken at the word of `version`. Fields that no version knows are dropped.
 */
export function readResult(value: Json, version: string): ReadResult {
  const group = groupOf(version);
  if (group === undefined) return { ok: false, message: `unsupported CNI result version ${goQuote(version)}` };
  try {
    const document = objectAt(value, 'the result');
    checkVersion(document, group);
    return { ok: true, result: group === GROUPS[0] ? readOldest(document) : readNewer(document) };
  } catch (error) {
    if (error instanceof ResultProblem) return { ok: false, message: error.message };
    throw error;
  }
}

export type PrintedResult = { readonly ok: true; readonly document: JsonObject } | { readonly ok: false; readonly message: string };

/** A result in the form of `version`, with its keys in the order in which the official plugins print them. */
export function convertResult(result: CniResult, version: CniVersion): PrintedResult {
  const group = groupOf(version);
  if (group === GROUPS[0]) return printOldest(result, version);
  return { ok: true, document: group === GROUPS[1] ? printMiddle(result, version) : printNewest(result, version) };
}

/** A document that {@link convertResult} made, as plugins print it: four spaces, no line's end. */
export const printDocument = (document: JsonObject): string => indented(document);

const groupOf = (version: string): Group | undefined =>
  isCniVersion(version) ? GROUPS.find((group) => (group as readonly string[]).includes(version)) : undefined;

function checkVersion(document: JsonObject, group: Group): void {
  const given = goField(document, 'cniVersion');
  if (given === undefined) return;
  const version = textAt(document, 'cniVersion', '');
  const supported: readonly string[] = group === GROUPS[0] ? ['', ...group] : group;
  if (!supported.includes(version))
    throw new ResultProblem(`result type supports [${supported.join(' ')}] but unmarshalled CNIVersion is ${goQuote(version)}`);
}

function readOldest(document: JsonObject): CniResult {
  const ips: ResultIp[] = [];
  const routes: ResultRoute[] = [];
  for (const name of ['ip4', 'ip6']) {
    const value = goField(document, name);
    if (value === undefined) continue;
    const place = `${name}.`;
    const config = objectAt(value, name);
    const gateway = addressAt(config, 'gateway', place);
    ips.push({ address: prefixAt(config, 'ip', place), ...(gateway === undefined ? {} : { gateway }) });
    routes.push(...listAt(config, 'routes', place, readRoute));
  }
  return { interfaces: [], ips, routes, dns: readDns(document) };
}

function readNewer(document: JsonObject): CniResult {
  return {
    interfaces: listAt(document, 'interfaces', '', readInterface),
    ips: listAt(document, 'ips', '', readIp),
    routes: listAt(document, 'routes', '', readRoute),
    dns: readDns(document),
  };
}

function readIp(value: JsonObject, place: string): ResultIp {
  const gateway = addressAt(value, 'gateway', place);
  const index = integerAt(value, 'interface', place);
  return {
    address: prefixAt(value, 'address', place),
    ...(gateway === undefined ? {} : { gateway }),
    ...(index === undefined ? {} : { interface: index }),
  };
}

function printOldest(result: CniResult, version: CniVersion): PrintedResult {
  const configs = new Map<IpFamily, { ip: string; gateway?: string; routes?: JsonObject[] }>();
  for (const { address, gateway } of result.ips) {
    const family = familyOfCidr(address);
    if (!configs.has(family)) configs.set(family, { ip: address, ...(gateway === undefined ? {} : { gateway }) });
  }
  if (configs.size === 0) return { ok: false, message: 'cannot convert: no valid IP addresses' };
  for (const { dst, gw } of result.routes) {
    const config = configs.get(familyOfCidr(dst));
    if (config === undefined) continue;
    config.routes ??= [];
    config.routes.push({ dst, ...(gw === undefined ? {} : { gw }) });
  }
  const ip4 = configs.get(4);
  const ip6 = configs.get(6);
  return {
    ok: true,
    document: {
      cniVersion: version,
      ...(ip4 === undefined ? {} : { ip4 }),
      ...(ip6 === undefined ? {} : { ip6 }),
      dns: printDns(result.dns),
    },
  };
}

function printMiddle({ interfaces, ips, routes, dns }: CniResult, version: CniVersion): JsonObject {
  return {
    cniVersion: version,
    ...unlessEmpty(
      'interfaces',
      interfaces.map(({ name, mac, sandbox }) => defined({ name, mac, sandbox })),
    ),
    ...unlessEmpty(
      'ips',
      ips.map(({ address, gateway, interface: index }) =>
        defined({ version: String(familyOfCidr(address)), interface: index, address, gateway }),
      ),
    ),
    ...unlessEmpty(
      'routes',
      routes.map(({ dst, gw, mtu, advmss, priority, table, scope }) => defined({ dst, gw, mtu, advmss, priority, table, scope })),
    ),
    dns: printDns(dns),
  };
}

/** The newest form goes through a map when it is printed, so that all its keys are sorted. */
function printNewest({ interfaces, ips, routes, dns }: CniResult, version: CniVersion): JsonObject {
  return {
    cniVersion: version,
    ...(isEmptyDns(dns) ? {} : { dns: sorted(printDns(dns)) }),
    ...unlessEmpty('interfaces', interfaces.map(sorted)),
    ...unlessEmpty('ips', ips.map(sorted)),
    ...unlessEmpty('routes', routes.map(sorted)),
  };
}

const isEmptyDns = ({ nameservers = [], domain = '', search = [], options = [] }: CniDns): boolean =>
  nameservers.length + domain.length + search.length + options.length === 0;

function printDns({ nameservers = [], domain = '', search = [], options = [] }: CniDns): JsonObject {
  return {
    ...unlessEmpty('nameservers', nameservers),
    ...(domain === '' ? {} : { domain }),
    ...unlessEmpty('search', search),
    ...unlessEmpty('options', options),
  };
}

const unlessEmpty = (name: string, list: readonly Json[]): JsonObject => (list.length === 0 ? {} : { [name]: list });

/** Without the fields that are undefined. */
const defined = (fields: Readonly<Record<string, Json | undefined>> | object): JsonObject =>
  Object.fromEntries(Object.entries(fields).filter((entry): entry is [string, Json] => entry[1] !== undefined));

const sorted = (fields: object): JsonObject => {
  const entries = Object.entries(defined(fields));
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
};

const familyOfCidr = (text: string): IpFamily => {
  const prefix = parseCidr(text);
  return prefix === undefined || familyOf(prefix.address) === 6 ? 6 : 4;
};
