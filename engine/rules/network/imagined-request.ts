import { type JsonObject, ownText } from '../../object/json.ts';
import type { NetworkRequest } from './program.ts';

/*
 * Requests that no runtime has made, for those who want to know what a rule would do, or does for no container at all.
 */

/** An ADD of eth0, by this configuration, for a container called test that is not there. */
export function imaginedAdd(config: JsonObject): NetworkRequest {
  return {
    command: 'ADD',
    containerId: 'test',
    netns: '/run/netns/test',
    ifName: 'eth0',
    cniVersion: ownText(config, 'cniVersion'),
    network: ownText(config, 'name'),
    args: {},
    path: ['/opt/cni/bin'],
    config,
  };
}

/** What is asked of a network as a whole. In no version: what the node gets must not depend on which of them a runtime speaks. */
export function imaginedForNetwork(config: JsonObject): NetworkRequest {
  return { ...imaginedAdd(config), command: 'STATUS', containerId: '', netns: '', ifName: '', cniVersion: '', path: [] };
}
