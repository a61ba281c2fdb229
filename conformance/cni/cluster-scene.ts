import type { JsonObject } from '../../engine/object/json.ts';
import type { KubernetesClient } from '../../runtimes/kubernetes/client.ts';
import { urlConnection } from '../../runtimes/kubernetes/connect.ts';
import { type EmbeddedServer, startEmbeddedServer } from '../../runtimes/kubernetes/embedded/server.ts';
import { createKubernetesClient } from '../../runtimes/kubernetes/kubernetes-client.ts';
import { type CniResultJson, type Cnitool, openCnitool } from './cnitool.ts';
import { type Conflist, writeConflists } from './conflist.ts';
import { installFairlead } from './fairlead.ts';
import { RULES } from './network-library.ts';
import { type NetworkNode, startNode } from './node.ts';
import { official } from './official-plugins.ts';
import type { InstalledPlugins } from './plugin-set.ts';
import { openProbe, type Place, type Probe } from './probe.ts';
import { relayLoopback } from './relay.ts';
import { connect, WIRE } from './topology.ts';

/** One node of a cluster: its daemon knows the API server. */
export interface ClusterNode {
  readonly name: string;
  readonly node: NetworkNode;
  readonly plugins: InstalledPlugins;
  readonly cnitool: Cnitool;
  configure(...lists: readonly Conflist[]): void;
  /** Makes a pod as a kubelet does: the object must be there. Its address goes to the status of the object, unless `quiet`. */
  attach(network: string, pod: string, options?: { readonly quiet?: boolean; readonly ifName?: string }): Promise<CniResultJson>;
  detach(network: string, pod: string): Promise<void>;
  place(pod: string): Place;
}

/** Two nodes on one wire, with an API server that both reach. */
export interface ClusterScene {
  readonly nodes: readonly [ClusterNode, ClusterNode];
  readonly probe: Probe;
  readonly client: KubernetesClient;
  /** Creates objects. */
  create(...objects: readonly JsonObject[]): Promise<void>;
  remove(object: JsonObject): Promise<void>;
  /** Changes an object by a JSON Merge Patch. */
  change(object: JsonObject, patch: JsonObject): Promise<JsonObject>;
  read(object: JsonObject): Promise<JsonObject | null>;
  stop(): Promise<void>;
}

export interface ClusterSceneOptions {
  readonly log: (line: string) => void;
  readonly signal?: AbortSignal;
  /** That of `buildFairlead`. */
  readonly program: string;
  /** Bundles of the library, by folder. */
  readonly bundles: readonly string[];
}

/** Namespace of the pods. */
export const POD_NAMESPACE = 'default';

/** What a runtime says of a pod: `CNI_ARGS`. */
export const argsOf = (pod: string): string => `IgnoreUnknown=1;K8S_POD_NAMESPACE=${POD_NAMESPACE};K8S_POD_NAME=${pod}`;

/** Network of the nth node (from 1) for its pods. */
export const podNetwork = (index: number): string => `10.244.${index}.0/24`;

export async function openClusterScene(name: string, options: ClusterSceneOptions): Promise<ClusterScene> {
  const stops: (() => Promise<void> | void)[] = [];
  const stop = async (): Promise<void> => {
    for (const each of stops.splice(0).toReversed()) await each();
  };
  try {
    const server = await startEmbeddedServer();
    stops.push(() => server.close());
    const client = createKubernetesClient({ connection: urlConnection(server.url) });
    stops.push(() => client.close());
    const probe = await openProbe(options);
    const machines: NetworkNode[] = [];
    for (const index of [1, 2]) {
      const machine = await startNode(`${name}-${index}`, options);
      stops.push(() => machine.stop());
      machines.push(machine);
    }
    await connect(machines);
    const scene = objectsOf(client);
    for (const index of [1, 2]) {
      const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: nodeName(index) }, spec: { podCIDR: podNetwork(index) } };
      await scene.create({ ...node, status: { addresses: [{ type: 'InternalIP', address: WIRE[4].address(index) }] } });
    }
    const nodes: ClusterNode[] = [];
    for (const [index, machine] of machines.entries())
      nodes.push(await openNode(nodeName(index + 1), machine, { server, probe, objects: scene, stops }, options));
    return { nodes: nodes as [ClusterNode, ClusterNode], probe, client, ...scene, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

const nodeName = (index: number): string => `node${index}`;

type Objects = Pick<ClusterScene, 'create' | 'remove' | 'change' | 'read'>;

function objectsOf(client: KubernetesClient): Objects {
  const resource = async (object: JsonObject, subresource?: string) => {
    const type = await client.discovery.resourceOf(String(object['apiVersion']), String(object['kind']));
    if (type === null) throw new Error(`the API server has no kind ${String(object['kind'])}`);
    return { api: client.resource(type), name: nameOf(object, type.namespaced), subresource };
  };
  return {
    async create(...objects) {
      for (const object of objects) {
        const { api, name } = await resource(object);
        await api.create({ ...object, metadata: { ...(object['metadata'] as JsonObject), ...name } });
        const { status } = object;
        if (status !== undefined) await api.patch(name, 'merge', { status }, { subresource: 'status' });
      }
    },
    async remove(object) {
      const { api, name } = await resource(object);
      await api.delete(name);
    },
    async change(object, patch) {
      const { api, name } = await resource(object);
      return api.patch(name, 'merge', patch, patch['status'] === undefined ? {} : { subresource: 'status' });
    },
    async read(object) {
      const { api, name } = await resource(object);
      return api.get(name);
    },
  };
}

function nameOf(object: JsonObject, namespaced: boolean): { readonly name: string; readonly namespace?: string } {
  const { name, namespace } = object['metadata'] as { readonly name: string; readonly namespace?: string };
  return namespaced ? { name, namespace: namespace ?? POD_NAMESPACE } : { name };
}

async function openNode(
  name: string,
  node: NetworkNode,
  {
    server,
    probe,
    objects,
    stops,
  }: {
    readonly server: EmbeddedServer;
    readonly probe: Probe;
    readonly objects: Objects;
    readonly stops: (() => Promise<void> | void)[];
  },
  options: ClusterSceneOptions,
): Promise<ClusterNode> {
  const relay = await relayLoopback(node, probe, server.port);
  stops.push(() => relay.stop());
  const rules = options.bundles.map((bundle) => `${RULES}/${bundle}`);
  const serve = ['--kube-api', server.url, '--node-name', name];
  const installed = await installFairlead(node, options.program, { ...options, rules, serve });
  const plugins = { ...installed, path: [...installed.path, ...(await official.install(node, options)).path] };
  stops.push(() => plugins.daemon?.stop());
  let confFolder = '';
  const cnitool = await openCnitool(node, () => ({ pluginPath: plugins.path, confFolder }), options);
  return {
    name,
    node,
    plugins,
    cnitool,
    configure(...lists) {
      confFolder = writeConflists(node, lists);
    },
    async attach(network, pod, { quiet = false, ifName } = {}) {
      await node.addPod(pod);
      const result = await cnitool.add({ network, pod, args: argsOf(pod), ...(ifName === undefined ? {} : { ifName }) });
      const ips = (result.ips ?? []).map(({ address }) => ({ ip: address.split('/')[0]! }));
      if (!quiet) await objects.change(podNamed(pod), { status: { phase: 'Running', podIP: ips[0]?.ip ?? '', podIPs: ips } });
      return result;
    },
    async detach(network, pod) {
      await cnitool.expect({ verb: 'del', network, pod, args: argsOf(pod) });
      await node.removePod(pod);
    },
    place: (pod) => ({ node, pod }),
  };
}

const podNamed = (name: string): JsonObject => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name } });

/** A Pod that a node is to attach. */
export function podObject(
  name: string,
  labels: JsonObject = {},
  more: { readonly annotations?: JsonObject; readonly ports?: readonly JsonObject[] } = {},
): JsonObject {
  const { annotations = {}, ports = [] } = more;
  return { ...podNamed(name), metadata: { name, labels, annotations }, spec: { containers: [{ name: 'main', image: 'none', ports }] } };
}
