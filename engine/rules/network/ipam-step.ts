import { isJsonObject, type Json, type JsonObject, ownText, ownValue } from '../../object/json.ts';
import { BindError, type BoundStep } from '../../step/plan.ts';
import { DEFAULT_STEP_TIMEOUT } from '../../step/read-step.ts';
import { checkShapeValue } from '../../text/shape-check.ts';
import { readRanges } from './address-ranges.ts';
import { ADDRESSES } from './addresses.ts';
import type { AddressSource } from './compiled-rule.ts';
import type { AddressRequest, NetworkRequest } from './program.ts';
import { requestedAddresses } from './request-facts.ts';

/** Key of the step that gives addresses. */
export const IPAM_KEY = 'ipam';

/** The official plugin whose configuration, files and answers are those of our own allocator. */
const HOST_LOCAL = 'host-local';
const RANGE_FIELDS = ['subnet', 'rangeStart', 'rangeEnd', 'gateway'];

/** The step that `ipam` of a rule becomes; undefined where the configuration wants no addresses. Throws a {@link BindError} for what does not fit. */
export function ipamStep(
  source: AddressSource,
  rendered: JsonObject,
  request: NetworkRequest,
  runtimeConfig: JsonObject,
): BoundStep | undefined {
  const { path, line } = source;
  const fail = (message: string) => new BindError(message, IPAM_KEY, path, line);
  const configured = ownValue(rendered, 'configuration') ?? {};
  if (!isJsonObject(configured)) throw fail('ipam of the configuration: expected a map');
  const type = ownText(configured, 'type');
  const hostLocal = type === HOST_LOCAL ? configured : {};
  const delegate = ownText(rendered, 'delegate') || (type === HOST_LOCAL ? '' : type);
  const base = { key: IPAM_KEY, timeout: DEFAULT_STEP_TIMEOUT, path, ...(line === undefined ? {} : { line }) };
  if (delegate !== '') return { ...base, operation: 'delegate', arguments: delegateArguments(delegate, request) };
  const ranges = [...rangeSets(ownValue(rendered, 'ranges')), ...hostLocalRanges(hostLocal)];
  if (source.saysConfiguration && type === '' && ranges.length === 0) return undefined;
  const args: { [name: string]: Json } = {
    network: request.network,
    containerId: request.containerId,
    ifName: request.ifName,
    ranges: [...rangeSets(ownValue(runtimeConfig, 'ipRanges')), ...ranges],
    requested: source.saysRequested ? (ownValue(rendered, 'requested') ?? []) : requestedAddresses(request, runtimeConfig),
  };
  for (const field of ['routes', 'dns', 'dataDir', 'resolvConf']) {
    const value = ownValue(rendered, field) ?? (field === 'dns' ? undefined : ownValue(hostLocal, field)) ?? null;
    if (value !== null && value !== '') args[field] = value;
  }
  if ((args['ranges'] as readonly Json[]).length === 0) throw fail('there are no ranges to take addresses from');
  const { value, problems } = checkShapeValue<JsonObject>(ADDRESSES.arguments, args);
  const [problem] = value === undefined ? problems : ADDRESSES.validate!(value as never);
  if (problem !== undefined) throw fail(`${problem.path.join('.')}: ${problem.message}`);
  const usable = readRanges((value as unknown as AddressRequest).ranges);
  if (!usable.ok) throw fail(usable.message);
  return { ...base, operation: ADDRESSES.name, arguments: value as JsonObject };
}

/** A range by itself is a set of one; in the list of sets either may stand. */
function rangeSets(value: Json | undefined): readonly Json[] {
  if (!Array.isArray(value)) return isJsonObject(value) ? [[value]] : [];
  return value.map((each: Json) => (Array.isArray(each) ? each : [each]));
}

/** Ranges of a configuration of host-local. Official plugins: plugins/ipam/host-local/backend/allocator/config.go LoadIPAMConfig. */
function hostLocalRanges(ipam: JsonObject): readonly Json[] {
  const known = (range: Json): Json => {
    if (!isJsonObject(range)) return range;
    const fields = RANGE_FIELDS.map((field) => [field, ownValue(range, field) ?? null] as const);
    return Object.fromEntries(fields.filter(([, value]) => value !== null && value !== ''));
  };
  const sets = rangeSets(ownValue(ipam, 'ranges'));
  return [...(ownText(ipam, 'subnet') === '' ? [] : [[known(ipam)]]), ...sets.map((set) => (Array.isArray(set) ? set.map(known) : set))];
}

function delegateArguments(type: string, request: NetworkRequest): JsonObject {
  const ipam = ownValue(request.config, 'ipam');
  const config = { ...request.config, ipam: { ...(isJsonObject(ipam) ? ipam : {}), type } };
  const { containerId, ifName, args, path } = request;
  return { type, config, ipam: true, containerId, ifName, args, path };
}
