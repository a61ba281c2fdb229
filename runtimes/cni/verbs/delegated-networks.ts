import { canonicalJson, isJsonObject, type Json, type JsonObject, ownText, ownValue } from '../../../engine/object/json.ts';
import { attachmentOfSubject } from '../../../engine/rules/network/attachment.ts';
import { dryPlan } from '../../../engine/rules/network/dry-plan.ts';
import type { CniFault, NetworkPlan, NetworkRequest, PluginRequest } from '../../../engine/rules/network/program.ts';
import { FAULT_CODES, faultOf } from '../../../engine/rules/network/protocol/fault.ts';
import { readNetworkList, type ValidAttachment } from '../../../engine/rules/network/protocol/network-config.ts';
import { type DelegatedPlugin, delegatedPlugins, versionOf } from '../../../engine/step/network/delegated-plugins.ts';
import type { BoundStep } from '../../../engine/step/plan.ts';
import type { Delegate } from '../delegation/delegate.ts';
import { findNetwork } from '../delegation/find-network.ts';
import { faultOfError } from './fault-of-error.ts';
import { isVerbUnknown } from './unknown-verb.ts';
import type { VerbContext } from './verb-context.ts';

/** A network that a rule leaves to a list of other plugins; what each of them reads where no container is meant. */
export interface DelegatedNetwork {
  readonly name: string;
  readonly disableGC: boolean;
  readonly plugins: readonly DelegatedPlugin[];
}

/** An attachment to such a network. */
interface DelegatedAttachment extends ValidAttachment {
  readonly network: DelegatedNetwork;
}

/** Networks that a plan leaves to others, and in words those that are not to be found. */
export async function networksOfPlan(
  plan: NetworkPlan,
): Promise<{ readonly networks: readonly DelegatedNetwork[]; readonly missing: readonly string[] }> {
  const networks: DelegatedNetwork[] = [];
  const missing: string[] = [];
  for (const { step } of dryPlan(plan).steps) {
    if (!isDelegation(step)) continue;
    const { config, folder, network } = step.arguments;
    const found = isJsonObject(config) ? config : await findNetwork(String(folder), String(network));
    if (found === undefined) missing.push(`there is no network ${String(network)} in ${String(folder)}`);
    else networks.push(networkOf(step, found));
  }
  return { networks, missing };
}

/** Attachments that others made for the records of rules, those that are being made included. */
function delegatedAttachments(
  { performer }: VerbContext,
  isMeant: (rule: string, network: string) => boolean,
): readonly DelegatedAttachment[] {
  const found: DelegatedAttachment[] = [];
  for (const { rule, subject, steps } of performer.records()) {
    if (!isMeant(rule, attachmentOfSubject(subject)?.network ?? '')) continue;
    for (const { step, memory } of steps) {
      const config = isDelegation(step) ? configOf(step, memory) : undefined;
      if (config === undefined) continue;
      const { arguments: args } = step;
      found.push({ containerId: ownText(args, 'containerId'), ifName: ownText(args, 'ifName'), network: networkOf(step, config) });
    }
  }
  return found;
}

/** Networks that attachments of a rule to a network stand on. Ask before records go. */
export function networksOfRecords(context: VerbContext, rule: string, network: string): readonly DelegatedNetwork[] {
  return delegatedAttachments(context, (of, to) => of === rule && to === network).map((each) => each.network);
}

/**
 * Lets the plugins of networks collect garbage: each is told the attachments of its network that are left, of whatever rule they are a part, and
 * those that the runtime itself says of a network of this name. Answers what failed, in words. CNI: libcni/api.go, GCNetworkList.
 */
export async function collectDelegated(
  context: VerbContext,
  networks: readonly DelegatedNetwork[],
  request: NetworkRequest,
  valid: readonly ValidAttachment[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const left = delegatedAttachments(context, () => true);
  const failures: string[] = [];
  for (const network of distinct(networks)) {
    if (network.disableGC) continue;
    const attachments = [
      ...left.filter((attachment) => attachment.network.name === network.name),
      ...(network.name === request.network ? valid : []),
    ].map(({ containerId, ifName }) => ({ containerID: containerId, ifname: ifName }));
    // Both spellings, as libcni gives them.
    const told = { 'cni.dev/valid-attachments': attachments, 'cni.dev/attachments': attachments };
    for (const plugin of network.plugins.filter(hasVerbsOfNodes)) {
      const { type, config } = plugin;
      try {
        await context.delegate(withoutContainer('GC', type, { ...config, ...told }, request), signal);
      } catch (error) {
        if (!isVerbUnknown(error)) failures.push(`${type}: ${faultOfError(error).msg}`);
      }
    }
  }
  return failures;
}

/** What the first plugin says that can't serve an ADD; undefined: nothing stands against it. CNI: libcni/api.go, GetStatusNetworkList. */
export async function statusOfDelegated(
  delegate: Delegate,
  networks: readonly DelegatedNetwork[],
  request: NetworkRequest,
  signal: AbortSignal,
): Promise<CniFault | undefined> {
  for (const { type, config } of networks.flatMap(({ plugins }) => plugins.filter(hasVerbsOfNodes))) {
    const said = await statusOfPlugin(delegate, withoutContainer('STATUS', type, config, request), signal);
    if (said !== undefined) return said;
  }
  return undefined;
}

/** What a plugin answers to STATUS; that it can't be asked is a reason, too. */
export async function statusOfPlugin(delegate: Delegate, request: PluginRequest, signal: AbortSignal): Promise<CniFault | undefined> {
  try {
    await delegate(request, signal);
    return undefined;
  } catch (error) {
    // What the plugin says is passed on; that it can't be asked is ours to say.
    return isVerbUnknown(error) ? undefined : (faultOf(error) ?? { ...faultOfError(error), code: FAULT_CODES.notAvailable });
  }
}

/** A request that is about no container. */
export function withoutContainer(
  command: 'GC' | 'STATUS',
  type: string,
  config: JsonObject,
  { args, path }: Pick<NetworkRequest, 'args' | 'path'>,
): PluginRequest {
  return { type, command, config, containerId: '', netns: '', ifName: '', args, path };
}

/** A step whose plugin is named beside its configuration is a source of addresses, and asked as such. */
const isDelegation = ({ operation, arguments: args }: BoundStep): boolean => operation === 'delegate' && ownText(args, 'type') === '';

/** Undefined where it was looked for by its name, and not found. */
function configOf({ arguments: args }: BoundStep, memory: Json | undefined): JsonObject | undefined {
  const config = args['config'] ?? (isJsonObject(memory) ? ownValue(memory, 'found') : undefined);
  return isJsonObject(config) ? config : undefined;
}

function networkOf({ arguments: args }: BoundStep, config: JsonObject): DelegatedNetwork {
  const name = ownText(config, 'name') || ownText(args, 'network');
  const read = readNetworkList({ ...config, name });
  return { name, disableGC: read.ok && read.list.disableGC, plugins: delegatedPlugins({ network: name }, config) };
}

function distinct(networks: readonly DelegatedNetwork[]): readonly DelegatedNetwork[] {
  return [...new Map(networks.map((network) => [canonicalJson(network as unknown as Json), network])).values()];
}

/** GC and STATUS came with CNI 1.1.0. */
function hasVerbsOfNodes(plugin: DelegatedPlugin): boolean {
  const [major = 0, minor = 0] = versionOf(plugin).split('.').map(Number);
  return major > 1 || (major === 1 && minor >= 1);
}
