import { isJsonObject, type Json, type JsonObject, ownText, ownValue } from '../../../engine/object/json.ts';
import { imaginedAdd } from '../../../engine/rules/network/imagined-request.ts';
import { IPAM_KEY } from '../../../engine/rules/network/ipam-step.ts';
import type { NetworkPlan, NetworkRule } from '../../../engine/rules/network/program.ts';
import { describeFault, FAULT_CODES } from '../../../engine/rules/network/protocol/fault.ts';
import { isNetworkName } from '../../../engine/rules/network/protocol/invocation.ts';
import { readNetworkList, requestConfig } from '../../../engine/rules/network/protocol/network-config.ts';
import { CNI_VERSIONS, type CniResult, type CniVersion } from '../../../engine/rules/network/protocol/result.ts';
import { BindError } from '../../../engine/step/plan.ts';
import { suggest } from '../../../engine/text/suggest.ts';

/** What a network configuration is made of, for one rule. */
export interface NetworkListOptions {
  readonly name: string;
  readonly rule: NetworkRule;
  readonly config: JsonObject;
  /** Default: 1.0.0 for runtimes that know no better, and 1.1.0 for those that choose. */
  readonly cniVersion?: CniVersion;
}

/** A network configuration list with one plugin, as a file for the runtime. */
export function networkList({ name, rule, config, cniVersion }: NetworkListOptions): JsonObject {
  const capabilities = Object.fromEntries(rule.capabilities.map((capability) => [capability, true]));
  return {
    cniVersion: cniVersion ?? '1.0.0',
    // libcni before 1.2 does not read this, and could not read the results of a version that it does not know.
    ...(cniVersion === undefined ? { cniVersions: ['1.0.0', '1.1.0'] } : {}),
    name,
    plugins: [{ type: rule.name, ...config, ...(rule.capabilities.length === 0 ? {} : { capabilities }) }],
  };
}

/** What is wrong with a network configuration list for rules, in words, and what may be. */
export interface ListCheck {
  readonly problems: readonly string[];
  readonly notes: readonly string[];
}

/** Looks at a list as the runtime and the rules that it names will. Plugins of other names are somebody else's. */
export function checkNetworkList(document: Json, rules: readonly NetworkRule[]): ListCheck {
  const read = readNetworkList(document);
  if (!read.ok) return { problems: [read.message], notes: [] };
  const { list } = read;
  const problems: string[] = [];
  const notes: string[] = [];
  if (!isNetworkName(list.name)) problems.push(`name: ${JSON.stringify(list.name)} is no name of a network`);
  const versions = isJsonObject(document) && Array.isArray(document['cniVersions']) ? document['cniVersions'] : [];
  for (const version of [...(list.cniVersion === '' ? [] : [list.cniVersion]), ...versions]) {
    if (!CNI_VERSIONS.some((known) => known === version)) {
      problems.push(`cniVersion: ${JSON.stringify(version)} is not spoken: ${CNI_VERSIONS.join(', ')}`);
    }
  }
  for (const [index, plugin] of list.plugins.entries()) {
    const rule = rules.find(({ name }) => name === ownText(plugin, 'type'));
    if (rule === undefined) continue;
    const at = `plugins[${index}] (${rule.name})`;
    const fault = faultOf(rule, requestConfig({ ...list, cniVersion: list.cniVersion || '0.1.0' }, plugin), index > 0);
    if (fault !== undefined) problems.push(`${at}: ${fault}`);
    const missing = rule.capabilities.filter((capability) => !says(plugin, capability));
    notes.push(...unknownFields(plugin, rule).map((note) => `${at}: ${note}`));
    if (missing.length > 0)
      notes.push(`${at}: the rule uses ${missing.join(', ')}, and capabilities does not say so: the runtime will not give it`);
  }
  if (!list.plugins.some((plugin) => rules.some(({ name }) => name === ownText(plugin, 'type')))) {
    problems.push(`plugins: none is of these rules: ${rules.map(({ name }) => name).join(', ')}`);
  }
  return { problems, notes };
}

/** Fields that have a meaning in every configuration. CNI: SPEC.md, "Plugin configuration objects". */
const COMMON_FIELDS: ReadonlySet<string> = new Set([
  'type',
  'name',
  'cniVersion',
  'capabilities',
  'ipMasq',
  'ipam',
  'dns',
  'args',
  'runtimeConfig',
]);

/** No fault: others may read them, as of a plugin that is delegated to. But most often it is a slip. */
function unknownFields(plugin: JsonObject, { config: { fields } }: NetworkRule): readonly string[] {
  return Object.keys(plugin)
    .filter((key) => !COMMON_FIELDS.has(key) && !key.includes('/') && !fields.includes(key))
    .map((key) => {
      const meant = suggest(key, fields);
      return `the rule has no field ${JSON.stringify(key)}${meant === undefined ? '' : `; did you mean ${meant}?`}`;
    });
}

function says(plugin: JsonObject, capability: string): boolean {
  const capabilities = ownValue(plugin, 'capabilities');
  return isJsonObject(capabilities) && ownValue(capabilities, capability) === true;
}

/** What a plugin before this one may have answered. Addresses are of the range for documentation. */
const resultBefore = (netns: string): CniResult => ({
  interfaces: [{ name: 'veth00000000' }, { name: 'eth0', sandbox: netns }],
  ips: [{ address: '192.0.2.2/24', gateway: '192.0.2.1', interface: 1 }],
  routes: [],
  dns: {},
});

/** Why no addresses can be given: a range that is none. Expressions that fail speak of the container that is made up here. */
function addressFault(plan: NetworkPlan): string | undefined {
  try {
    plan.walk().next();
    return undefined;
  } catch (error) {
    if (error instanceof BindError) return error.step === IPAM_KEY && error.path.at(-1) === IPAM_KEY ? error.message : undefined;
    throw error;
  }
}

/** What the rule says against a configuration, before it knows anything of a container; undefined where nothing is. */
function faultOf(rule: NetworkRule, config: JsonObject, isChained: boolean): string | undefined {
  const request = imaginedAdd(config);
  const answer = rule.attach(
    { ...request, ...(isChained ? { prevResult: resultBefore(request.netns) } : {}) },
    { nodeName: 'check', object: () => undefined, objects: () => undefined },
  );
  if (answer.kind === 'plan') return addressFault(answer.plan);
  if (answer.kind !== 'fault') return undefined;
  const { code } = answer.fault;
  // Others speak of the container that is made up here.
  return code === FAULT_CODES.invalidConfig || code === FAULT_CODES.unsupportedField ? describeFault(answer.fault) : undefined;
}
