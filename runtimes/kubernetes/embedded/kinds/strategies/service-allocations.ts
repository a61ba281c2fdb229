import { isJsonObject, type Json, type JsonObject, ownValue } from '../../../../../engine/object/json.ts';
import { metadataText } from '../../../../../engine/object/metadata.ts';
import type { ObjectStore } from '../../storage/object-store.ts';

/** 10.96.0.0/16, without its first and last address; the first usable one is the server's own. */
export const SERVICE_NETWORK = '10.96';
export const FIRST_NODE_PORT = 30_000;
export const LAST_NODE_PORT = 32_767;

/** The lower part of the network is left to those who ask for an address. */
const FIRST_FREE = 257;
const LAST_FREE = 65_534;

/** Addresses and node ports of services. */
export interface ServiceAllocations {
  /** Whether a service other than that with this uid has the address. */
  hasAddress(address: string, exceptUid: string): boolean;
  hasNodePort(port: number, exceptUid: string): boolean;
  /** An address that nobody has, and that nobody else was given of late; undefined where all are taken. */
  freeAddress(): string | undefined;
  /** `except`: those that the same service asks for. */
  freeNodePort(except: ReadonlySet<unknown>): number | undefined;
}

/**
 * An account of what services hold. It follows the store, so that none can go wrong; and it gives out one number after the other, so
 * that two who create at the same time are not given the same, and nobody searches through what is taken.
 */
export function accountServices(store: ObjectStore): ServiceAllocations {
  const addresses = new Map<string, string>();
  const ports = new Map<number, string>();
  const hold = (service: JsonObject): void => {
    const uid = metadataText(service, 'uid');
    const held = holdings(service);
    for (const address of held.addresses) addresses.set(address, uid);
    for (const port of held.ports) ports.set(port, uid);
  };
  const release = (service: JsonObject): void => {
    const uid = metadataText(service, 'uid');
    const held = holdings(service);
    for (const address of held.addresses) if (addresses.get(address) === uid) addresses.delete(address);
    for (const port of held.ports) if (ports.get(port) === uid) ports.delete(port);
  };
  for (const { object } of store.collection('/services').range('')) hold(object);
  store.subscribe(({ resource, type, current, previous }) => {
    if (resource !== '/services') return;
    if (previous !== undefined) release(previous.object);
    if (type !== 'DELETED') hold(current.object);
  });
  const nextAddress = inTurn(FIRST_FREE, LAST_FREE);
  const nextPort = inTurn(FIRST_NODE_PORT, LAST_NODE_PORT);
  const isOthers = (holder: string | undefined, uid: string): boolean => holder !== undefined && holder !== uid;
  return {
    hasAddress: (address, uid) => isOthers(addresses.get(address), uid),
    hasNodePort: (port, uid) => isOthers(ports.get(port), uid),
    freeAddress() {
      const n = nextAddress((address) => addresses.has(addressOf(address)));
      return n === undefined ? undefined : addressOf(n);
    },
    freeNodePort: (except) => nextPort((port) => ports.has(port) || except.has(port)),
  };
}

const addressOf = (n: number): string => `${SERVICE_NETWORK}.${n >> 8}.${n & 255}`;

type NextFree = (isTaken: (n: number) => boolean) => number | undefined;

/** The numbers from `first` to `last` round and round, without those that are taken. */
function inTurn(first: number, last: number): NextFree {
  let next = first;
  return (isTaken) => {
    for (let tries = last - first + 1; tries > 0; tries--) {
      const n = next;
      next = n === last ? first : n + 1;
      if (!isTaken(n)) return n;
    }
    return undefined;
  };
}

function holdings(service: JsonObject): { readonly addresses: readonly string[]; readonly ports: readonly number[] } {
  const spec = ownValue(service, 'spec');
  if (!isJsonObject(spec)) return { addresses: [], ports: [] };
  const addresses = listAt(spec, 'clusterIPs').filter((each): each is string => typeof each === 'string' && each !== 'None');
  const ports = listAt(spec, 'ports').flatMap((port) => (isJsonObject(port) ? (ownValue(port, 'nodePort') ?? []) : []));
  return {
    addresses,
    ports: [...ports, spec['healthCheckNodePort']].filter((port): port is number => typeof port === 'number' && port > 0),
  };
}

function listAt(object: JsonObject, key: string): readonly Json[] {
  const value = ownValue(object, key);
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}
