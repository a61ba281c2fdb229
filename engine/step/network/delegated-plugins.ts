import { isJsonObject, type Json, type JsonObject, ownText, ownValue, setOwn } from '../../object/json.ts';

/** One plugin that is delegated to, and what it reads. */
export interface DelegatedPlugin {
  readonly type: string;
  readonly config: JsonObject;
}

/** What goes into the configuration of each plugin of a network. */
export interface DelegatedRequest {
  /** The plugin, where it is another than its configuration says. */
  readonly type?: string | undefined;
  /** Name of the network, where its configuration has none. */
  readonly network?: string | undefined;
  /** What there is of `runtimeConfig`; each plugin gets what its `capabilities` ask for. */
  readonly capabilities?: JsonObject;
  /** Merged into what each plugin reads. */
  readonly merge?: JsonObject;
}

/**
 * The plugins of a network, in the order of ADD: one, or a list of `plugins`. Each reads what libcni would give it.
 * CNI: libcni/api.go, buildOneConfig and injectRuntimeConfig.
 */
export function delegatedPlugins(request: DelegatedRequest, network: JsonObject): readonly DelegatedPlugin[] {
  const plugins = ownValue(network, 'plugins');
  if (!Array.isArray(plugins)) return [{ type: request.type ?? ownText(network, 'type'), config: configOf(request, network, network) }];
  return plugins.map((each: Json) => {
    const plugin = isJsonObject(each) ? each : {};
    return { type: ownText(plugin, 'type'), config: configOf(request, plugin, network) };
  });
}

/** Whether a plugin says that it can use something of `runtimeConfig`. */
export function declares({ config }: DelegatedPlugin, capability: string): boolean {
  const declared = ownValue(config, 'capabilities');
  return isJsonObject(declared) && ownValue(declared, capability) === true;
}

/** What a plugin speaks that does not say it. */
const FIRST_VERSION = '0.1.0';

export const versionOf = ({ config }: DelegatedPlugin): string => ownText(config, 'cniVersion') || FIRST_VERSION;

function configOf({ network, capabilities = {}, merge = {} }: DelegatedRequest, plugin: JsonObject, of: JsonObject): JsonObject {
  const name = ownText(of, 'name') || network;
  const version = ownText(of, 'cniVersion');
  const declared = ownValue(plugin, 'capabilities');
  const asked = isJsonObject(declared) ? Object.entries(capabilities).filter(([key]) => ownValue(declared, key) === true) : [];
  return {
    ...mergeMaps(plugin, merge),
    ...(version === '' ? {} : { cniVersion: version }),
    ...(name === undefined ? {} : { name }),
    ...(asked.length === 0 ? {} : { runtimeConfig: Object.fromEntries(asked) as JsonObject }),
  };
}

/** Maps are merged, whatever else there is takes the place of what was there. */
function mergeMaps(base: JsonObject, more: JsonObject): JsonObject {
  const merged: { [key: string]: Json } = { ...base };
  for (const [key, value] of Object.entries(more)) {
    const before = ownValue(base, key);
    setOwn(merged, key, isJsonObject(before) && isJsonObject(value) ? mergeMaps(before, value) : value);
  }
  return merged;
}
