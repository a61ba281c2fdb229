import { formatIpAddress, formatIpPrefix, type IpAddress, type IpPrefix, parseCidr, parseIp } from '../../../object/ip-address.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../object/json.ts';
import type { ResultInterface, ResultRoute } from '../../../step/operation.ts';
import { goField, goKind } from './go-field.ts';
import type { CniDns } from './result.ts';

/** A result that is not what it must be. Thrown and caught within the reading of one result. */
export class ResultProblem extends Error {}

/** Elements of one list; a result with more was not made by a network plugin. */
const MAX_ELEMENTS = 4096;
/** UTF-16 units of one text. */
const MAX_TEXT = 4096;

const problem = (place: string, found: Json, expected: string): ResultProblem =>
  new ResultProblem(`${place} is ${shown(found)}, expected ${expected}`);

function shown(value: Json): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
  return typeof value === 'object' ? goKind(value) : String(value);
}

export function objectAt(value: Json, place: string): JsonObject {
  if (!isJsonObject(value)) throw problem(place, value, 'an object');
  return value;
}

/** A list, where it is given, read element by element. */
export function listAt<T>(parent: JsonObject, name: string, place: string, read: (element: JsonObject, place: string) => T): T[] {
  const value = goField(parent, name);
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw problem(place + name, value, 'a list');
  if (value.length > MAX_ELEMENTS) throw new ResultProblem(`${place}${name} has more than ${MAX_ELEMENTS} elements`);
  return value.map((element: Json, index) => read(objectAt(element, `${place}${name}[${index}]`), `${place}${name}[${index}].`));
}

export function textAt(parent: JsonObject, name: string, place: string): string {
  const value = goField(parent, name);
  return value === undefined ? '' : checkText(value, place + name);
}

function checkText(value: Json, place: string): string {
  if (typeof value !== 'string') throw problem(place, value, 'text');
  if (value.length > MAX_TEXT) throw new ResultProblem(`${place} has more than ${MAX_TEXT} characters`);
  return value;
}

function textsAt(parent: JsonObject, name: string, place: string): string[] {
  const value = goField(parent, name);
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.length > MAX_ELEMENTS) throw problem(place + name, value, 'a list of texts');
  return value.map((element: Json, index) => checkText(element, `${place}${name}[${index}]`));
}

export function integerAt(parent: JsonObject, name: string, place: string): number | undefined {
  const value = goField(parent, name);
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw problem(place + name, value, 'an integer');
  return value;
}

/** `10.1.0.5/16`, in the one form in which it is printed. */
export function prefixAt(parent: JsonObject, name: string, place: string): string {
  const text = textAt(parent, name, place);
  const prefix: IpPrefix | undefined = parseCidr(text);
  if (prefix === undefined) throw problem(place + name, text, 'an address with the length of its prefix, as 10.1.0.5/16');
  return formatIpPrefix(prefix);
}

/** An address; undefined where it is not given or empty. */
export function addressAt(parent: JsonObject, name: string, place: string): string | undefined {
  const text = textAt(parent, name, place);
  if (text === '') return undefined;
  const address: IpAddress | undefined = parseIp(text);
  if (address === undefined) throw problem(place + name, text, 'an IP address');
  return formatIpAddress(address);
}

export function readInterface(value: JsonObject, place: string): ResultInterface {
  const mac = textAt(value, 'mac', place);
  const mtu = integerAt(value, 'mtu', place) ?? 0;
  const sandbox = textAt(value, 'sandbox', place);
  const socketPath = textAt(value, 'socketPath', place);
  const pciID = textAt(value, 'pciID', place);
  return {
    name: textAt(value, 'name', place),
    ...(mac === '' ? {} : { mac }),
    ...(mtu === 0 ? {} : { mtu }),
    ...(sandbox === '' ? {} : { sandbox }),
    ...(socketPath === '' ? {} : { socketPath }),
    ...(pciID === '' ? {} : { pciID }),
  };
}

/** Integers of a route, in the order in which they are printed. */
const OPTIONAL_NUMBERS = ['mtu', 'advmss', 'priority'] as const;
/** Of these, 0 has a meaning. */
const NUMBERS_WITH_ZERO = ['table', 'scope'] as const;

export function readRoute(value: JsonObject, place: string): ResultRoute {
  const gw = addressAt(value, 'gw', place);
  const numbers: Partial<Record<(typeof OPTIONAL_NUMBERS)[number] | (typeof NUMBERS_WITH_ZERO)[number], number>> = {};
  for (const name of OPTIONAL_NUMBERS) {
    const number = integerAt(value, name, place) ?? 0;
    if (number !== 0) numbers[name] = number;
  }
  for (const name of NUMBERS_WITH_ZERO) {
    const number = integerAt(value, name, place);
    if (number !== undefined) numbers[name] = number;
  }
  return { dst: prefixAt(value, 'dst', place), ...(gw === undefined ? {} : { gw }), ...numbers };
}

export function readDns(parent: JsonObject): CniDns {
  const value = goField(parent, 'dns');
  if (value === undefined) return {};
  const dns = objectAt(value, 'dns');
  const nameservers = textsAt(dns, 'nameservers', 'dns.');
  const domain = textAt(dns, 'domain', 'dns.');
  const search = textsAt(dns, 'search', 'dns.');
  const options = textsAt(dns, 'options', 'dns.');
  return {
    ...(nameservers.length === 0 ? {} : { nameservers }),
    ...(domain === '' ? {} : { domain }),
    ...(search.length === 0 ? {} : { search }),
    ...(options.length === 0 ? {} : { options }),
  };
}
