import { isJsonObject, type JsonObject, ownText, ownValue, textsOf } from '../../engine/object/json.ts';
import type { AddressRequest, AddressVerb, PluginRequest } from '../../engine/rules/network/program.ts';
import { EffectError } from '../../engine/step/effect.ts';
import type { AddressAllocator } from './addresses/allocator.ts';
import type { Delegate } from './delegation/delegate.ts';
import { findNetwork } from './delegation/find-network.ts';

/** Performs the `custom` effects of one name. Throws {@link EffectError}. */
export type CustomEffect = (request: JsonObject, signal?: AbortSignal) => Promise<unknown>;

/** The effects that network rules have beside those of the host: `addresses`, `plugin` and `networkConfiguration`. */
export function networkEffects(addresses: AddressAllocator, delegate: Delegate): ReadonlyMap<string, CustomEffect> {
  return new Map<string, CustomEffect>([
    ['addresses', (request) => performAddresses(addresses, request)],
    ['plugin', (request, signal) => delegate(readPluginRequest(request), signal)],
    ['networkConfiguration', (request) => findNetwork(ownText(request, 'folder'), ownText(request, 'network'))],
  ]);
}

async function performAddresses(addresses: AddressAllocator, request: JsonObject): Promise<unknown> {
  // Both are made by an operation, whose arguments were checked against its shape.
  const { verb, ...rest } = request as unknown as AddressRequest & { readonly verb: AddressVerb };
  switch (verb) {
    case 'allocate':
      return addresses.allocate(rest);
    case 'check':
      return addresses.check(rest);
    case 'release':
      await addresses.release(rest);
      return undefined;
    default:
      throw new EffectError('invalid', `the effect addresses has no verb ${JSON.stringify(verb)}`, 'addresses');
  }
}

const COMMANDS: ReadonlySet<string> = new Set(['ADD', 'DEL', 'CHECK', 'GC', 'STATUS']);

function readPluginRequest(request: JsonObject): PluginRequest {
  const command = ownText(request, 'command');
  if (!COMMANDS.has(command)) throw new EffectError('invalid', `a plugin has no command ${JSON.stringify(command)}`, 'plugin');
  const config = ownValue(request, 'config');
  const args = ownValue(request, 'args');
  const prevResult = ownValue(request, 'prevResult');
  return {
    type: ownText(request, 'type'),
    command: command as PluginRequest['command'],
    config: isJsonObject(config) ? config : {},
    ...(isJsonObject(prevResult) ? { prevResult } : {}),
    containerId: ownText(request, 'containerId'),
    netns: ownText(request, 'netns'),
    ifName: ownText(request, 'ifName'),
    args: isJsonObject(args) ? (args as Readonly<Record<string, string>>) : {},
    path: textsOf(ownValue(request, 'path')),
  };
}
