import { isJsonObject, type Json, type JsonObject, ownText, ownValue } from '../../object/json.ts';
import { BindError, type BoundStep } from '../../step/plan.ts';
import { DEFAULT_STEP_TIMEOUT } from '../../step/read-step.ts';
import { checkShapeValue } from '../../text/shape-check.ts';
import { ADDRESSES } from './addresses.ts';
import type { AddressSource } from './compiled-rule.ts';
import type { NetworkRequest } from './program.ts';
import { requestedAddresses } from './request-facts.ts';

/** Key of the step that gives addresses. */
export const IPAM_KEY = 'ipam';

/** The step that `ipam` of a rule becomes. Throws a {@link BindError} for what does not fit. */
export function ipamStep(source: AddressSource, rendered: JsonObject, request: NetworkRequest, runtimeConfig: JsonObject): BoundStep {
  const { path, line } = source;
  const delegate = ownText(rendered, 'delegate');
  const base = { key: IPAM_KEY, timeout: DEFAULT_STEP_TIMEOUT, path, ...(line === undefined ? {} : { line }) };
  if (delegate !== '') return { ...base, operation: 'delegate', arguments: delegateArguments(delegate, request) };
  const args: { [name: string]: Json } = {
    network: request.network,
    containerId: request.containerId,
    ifName: request.ifName,
    ranges: [...rangeSets(ownValue(runtimeConfig, 'ipRanges')), ...rangeSets(ownValue(rendered, 'ranges'))],
    requested: source.saysRequested ? (ownValue(rendered, 'requested') ?? []) : requestedAddresses(request, runtimeConfig),
  };
  for (const field of ['routes', 'dns', 'dataDir']) {
    const value = ownValue(rendered, field) ?? null;
    if (value !== null && value !== '') args[field] = value;
  }
  const fail = (message: string) => new BindError(message, IPAM_KEY, path, line);
  if ((args['ranges'] as readonly Json[]).length === 0) throw fail('there are no ranges to take addresses from');
  const { value, problems } = checkShapeValue<JsonObject>(ADDRESSES.arguments, args);
  const [problem] = value === undefined ? problems : ADDRESSES.validate!(value as never);
  if (problem !== undefined) throw fail(`${problem.path.join('.')}: ${problem.message}`);
  return { ...base, operation: ADDRESSES.name, arguments: value as JsonObject };
}

/** A range by itself is a set of one; in the list of sets either may stand. */
function rangeSets(value: Json | undefined): readonly Json[] {
  if (!Array.isArray(value)) return isJsonObject(value) ? [[value]] : [];
  return value.map((each: Json) => (Array.isArray(each) ? each : [each]));
}

function delegateArguments(type: string, request: NetworkRequest): JsonObject {
  const ipam = ownValue(request.config, 'ipam');
  const config = { ...request.config, ipam: { ...(isJsonObject(ipam) ? ipam : {}), type } };
  const { containerId, ifName, args, path } = request;
  return { type, config, ipam: true, containerId, ifName, args, path };
}
