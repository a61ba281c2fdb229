import { compileBundle } from '../../engine/bundle/compile.ts';
import type { JsonObject } from '../../engine/object/json.ts';
import { isError } from '../../engine/text/diagnostic.ts';
import { parseYaml } from '../../engine/text/yaml.ts';
import type { ActiveBundle, BundleSource } from '../host/bundle-watch.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { urlConnection } from '../kubernetes/connect.ts';
import { type EmbeddedCluster, startEmbeddedCluster } from '../kubernetes/embedded/cluster.ts';
import { createKubernetesClient } from '../kubernetes/kubernetes-client.ts';
import { type Controller, type ControllerOptions, startController } from './controller.ts';

/** A bundle that a test replaces. */
export interface ChangingBundle extends BundleSource {
  /** Rules as YAML. Throws where they do not compile. */
  set(text: string): void;
}

export function changingBundle(text: string): ChangingBundle {
  let active: ActiveBundle | undefined;
  const set = (yaml: string): void => {
    const bundle = compileBundle(parseYaml({ name: 'rules.yaml', text: yaml }).documents);
    const error = bundle.diagnostics.find(isError);
    if (error !== undefined || bundle.program === undefined) throw new Error(`rules do not compile: ${error?.message}`);
    active = { bundle: { ...bundle, name: 'test' }, program: bundle.program, generation: (active?.generation ?? 0) + 1, since: 0 };
  };
  set(text);
  return { current: () => active, set };
}

/** An API server in this process, and whoever talks to it. */
export interface TestCluster {
  readonly server: EmbeddedCluster;
  readonly client: KubernetesClient;
  /** A client of its own, as another process has. */
  connect(): KubernetesClient;
  /** Starts a controller that is stopped with the cluster. */
  control(bundle: BundleSource, options?: Partial<ControllerOptions>): Promise<Controller>;
  create(object: JsonObject): Promise<JsonObject>;
  get(apiVersion: string, kind: string, namespace: string | undefined, name: string): Promise<JsonObject | null>;
  list(apiVersion: string, kind: string): Promise<readonly JsonObject[]>;
  merge(apiVersion: string, kind: string, namespace: string | undefined, name: string, patch: JsonObject): Promise<JsonObject>;
  remove(apiVersion: string, kind: string, namespace: string | undefined, name: string): Promise<void>;
  /** Asks again and again until `look` answers something; fails with what it last threw. */
  until<T>(look: () => Promise<T | undefined | false>, milliseconds?: number): Promise<T>;
  close(): Promise<void>;
}

export async function startTestCluster(): Promise<TestCluster> {
  const server = await startEmbeddedCluster({ simulation: { nodes: [], leases: false } });
  const clients: KubernetesClient[] = [];
  const controllers: Controller[] = [];
  const connect = (): KubernetesClient => {
    const client = createKubernetesClient({ connection: urlConnection(server.url) });
    clients.push(client);
    return client;
  };
  const client = connect();
  const resource = async (apiVersion: string, kind: string) => {
    const type = await client.discovery.resourceOf(apiVersion, kind);
    if (type === null) throw new Error(`the server does not serve ${kind} in ${apiVersion}`);
    return client.resource(type);
  };
  return {
    server,
    client,
    connect,
    async control(bundle, options = {}) {
      const controller = await startController({ client: connect(), bundle, leaderElection: false, bundlePeriod: 20, ...options });
      controllers.push(controller);
      return controller;
    },
    create: async (object) => (await resource(String(object['apiVersion']), String(object['kind']))).create(object),
    get: async (apiVersion, kind, namespace, name) => (await resource(apiVersion, kind)).get({ namespace, name }),
    list: async (apiVersion, kind) => (await (await resource(apiVersion, kind)).list()).items,
    merge: async (apiVersion, kind, namespace, name, patch) =>
      (await resource(apiVersion, kind)).patch({ namespace, name }, 'merge', patch),
    remove: async (apiVersion, kind, namespace, name) => void (await (await resource(apiVersion, kind)).delete({ namespace, name })),
    async until(look, milliseconds = 10_000) {
      const end = Date.now() + milliseconds;
      for (;;) {
        let failure: unknown = new Error('what was waited for did not come');
        try {
          const found = await look();
          if (found !== undefined && found !== false) return found;
        } catch (error) {
          failure = error;
        }
        if (Date.now() > end) throw failure;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
    async close() {
      await Promise.all(controllers.map((controller) => controller.stop()));
      for (const each of clients) each.close();
      await server.close();
    },
  };
}
