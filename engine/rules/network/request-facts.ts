import { isJsonObject, type JsonObject, ownText, ownValue, textsOf } from '../../object/json.ts';
import type { NetworkRequest } from './program.ts';

/** What `args.cni` of a configuration says: arguments of whoever runs the network, beside CNI_ARGS. */
function cniArguments(config: JsonObject): JsonObject {
  const args = ownValue(config, 'args');
  const cni = isJsonObject(args) ? ownValue(args, 'cni') : undefined;
  return isJsonObject(cni) ? cni : {};
}

/**
 * The MAC address that is asked for, `` where none is. The last that says one wins: CNI_ARGS, args.cni, the runtime. Official plugins:
 * plugins/main/bridge/bridge.go loadNetConf.
 */
function requestedMac({ args, config }: NetworkRequest, runtimeConfig: JsonObject): string {
  const argument = Object.hasOwn(args, 'MAC') ? args['MAC']! : '';
  return ownText(runtimeConfig, 'mac') || ownText(cniArguments(config), 'mac') || argument;
}

/**
 * The addresses that are asked for, wherever that is said. Official plugins: plugins/ipam/host-local/backend/allocator/config.go
 * LoadIPAMConfig.
 */
export function requestedAddresses({ args, config }: NetworkRequest, runtimeConfig: JsonObject): readonly string[] {
  const argument = Object.hasOwn(args, 'IP') ? args['IP']!.split(',') : [];
  const all = [...argument, ...textsOf(ownValue(cniArguments(config), 'ips')), ...textsOf(ownValue(runtimeConfig, 'ips'))];
  return all.filter((text) => text !== '');
}

/** What expressions see as `request`. */
export function requestFacts(request: NetworkRequest, runtimeConfig: JsonObject): JsonObject {
  const { command, containerId, netns, ifName, cniVersion, network } = request;
  const mac = requestedMac(request, runtimeConfig);
  return {
    command,
    containerId,
    netns,
    ifName,
    cniVersion,
    network,
    ...(mac === '' ? {} : { mac }),
    requested: requestedAddresses(request, runtimeConfig),
    path: request.path,
  };
}
