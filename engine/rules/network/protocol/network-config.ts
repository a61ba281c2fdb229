import { isJsonObject, type Json, type JsonObject, ownText, ownValue, setOwn } from '../../../object/json.ts';

/** One attachment that is still valid, as GC names it. */
export interface ValidAttachment {
  readonly containerId: string;
  readonly ifName: string;
}

/** Both spellings: that of the specification, and that which libcni gave for a time. CNI: libcni/api.go, GCNetworkList. */
const VALID_ATTACHMENTS = ['cni.dev/valid-attachments', 'cni.dev/attachments'];

export type ReadAttachments =
  | { readonly ok: true; readonly attachments: readonly ValidAttachment[] }
  | { readonly ok: false; readonly message: string };

/**
 * The attachments that GC must leave alone. A configuration that names none has none: so libcni asks for everything to be removed. A list
 * that can't be read is refused, as what it was meant to save would be removed.
 */
export function readValidAttachments(config: JsonObject): ReadAttachments {
  const attachments: ValidAttachment[] = [];
  for (const name of VALID_ATTACHMENTS) {
    const list = ownValue(config, name) ?? null;
    if (list === null) continue;
    if (!Array.isArray(list)) return { ok: false, message: `${name} is not a list` };
    for (const [index, element] of (list as readonly Json[]).entries()) {
      const containerId = ownText(element, 'containerID');
      const ifName = ownText(element, 'ifname');
      if (containerId === '' || ifName === '') return { ok: false, message: `${name}[${index}] has no containerID or no ifname` };
      attachments.push({ containerId, ifName });
    }
  }
  return { ok: true, attachments };
}

/** A network configuration list, the file `*.conflist` that an administrator writes. */
export interface NetworkList {
  readonly name: string;
  readonly cniVersion: string;
  readonly disableCheck: boolean;
  readonly disableGC: boolean;
  readonly plugins: readonly JsonObject[];
}

export type ReadNetworkList = { readonly ok: true; readonly list: NetworkList } | { readonly ok: false; readonly message: string };

/** Reads a list, or a single plugin's configuration, which is a list of one. CNI: libcni/conf.go, NetworkConfFromBytes, ConfFromBytes. */
export function readNetworkList(document: Json): ReadNetworkList {
  if (!isJsonObject(document)) return { ok: false, message: 'a network configuration is an object' };
  const name = ownText(document, 'name');
  if (name === '') return { ok: false, message: 'the network configuration has no name' };
  const plugins = ownValue(document, 'plugins') ?? [document];
  if (!Array.isArray(plugins) || plugins.length === 0) return { ok: false, message: 'plugins is a list of at least one plugin' };
  for (const [index, plugin] of (plugins as readonly Json[]).entries())
    if (ownText(plugin, 'type') === '') return { ok: false, message: `plugins[${index}] has no type` };
  return {
    ok: true,
    list: {
      name,
      cniVersion: ownText(document, 'cniVersion'),
      disableCheck: isTrue(ownValue(document, 'disableCheck')),
      disableGC: isTrue(ownValue(document, 'disableGC')),
      plugins: plugins as readonly JsonObject[],
    },
  };
}

const isTrue = (value: Json | undefined): boolean => value === true || (typeof value === 'string' && value.toLowerCase() === 'true');

/**
 * What a plugin of a list reads on its standard input: its own part with name, version, the result so far, and of `capabilityArgs` what it
 * says it can use. CNI: libcni/api.go, buildOneConfig and injectRuntimeConfig.
 */
export function requestConfig(
  list: Pick<NetworkList, 'name' | 'cniVersion'>,
  plugin: JsonObject,
  options: { readonly prevResult?: JsonObject; readonly capabilityArgs?: JsonObject } = {},
): JsonObject {
  const { prevResult, capabilityArgs = {} } = options;
  const config: { [key: string]: Json } = {};
  for (const key of Object.keys(plugin)) if (key !== 'capabilities') setOwn(config, key, plugin[key] as Json);
  config.name = list.name;
  config.cniVersion = list.cniVersion;
  if (prevResult !== undefined) config.prevResult = prevResult;
  const runtimeConfig: { [key: string]: Json } = {};
  const capabilities = ownValue(plugin, 'capabilities');
  if (isJsonObject(capabilities))
    for (const name of Object.keys(capabilities)) {
      const given = ownValue(capabilityArgs, name);
      if (capabilities[name] === true && given !== undefined) setOwn(runtimeConfig, name, given);
    }
  if (Object.keys(runtimeConfig).length > 0) config.runtimeConfig = runtimeConfig;
  return config;
}
