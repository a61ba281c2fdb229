import { setTimeout as delay } from 'node:timers/promises';
import { compileBundle } from '../../engine/bundle/compile.ts';
import type { JsonObject } from '../../engine/object/json.ts';
import { type Controller, startController } from '../../runtimes/controller/controller.ts';
import { fixedBundle } from '../../runtimes/host/bundle-watch.ts';
import type { KubernetesClient, ResourceClient } from '../../runtimes/kubernetes/client.ts';
import { urlConnection } from '../../runtimes/kubernetes/connect.ts';
import { type EmbeddedCluster, startEmbeddedCluster } from '../../runtimes/kubernetes/embedded/cluster.ts';
import { createKubernetesClient } from '../../runtimes/kubernetes/kubernetes-client.ts';

const DEADLINE_MS = 10_000;
const NAMESPACE = 'kro-test';

/** A cluster of its own, with a controller that serves the definitions that are brought to it. */
export class KroCluster {
  readonly #server: EmbeddedCluster;
  readonly #client: KubernetesClient;
  readonly controller: Controller;

  private constructor(server: EmbeddedCluster, client: KubernetesClient, controller: Controller) {
    this.#server = server;
    this.#client = client;
    this.controller = controller;
  }

  static async start(): Promise<KroCluster> {
    const server = await startEmbeddedCluster();
    const client = createKubernetesClient({ connection: urlConnection(server.url) });
    const bundle = fixedBundle(compileBundle([]));
    const controller = await startController({ client, bundle, leaderElection: false, watchRules: true });
    const cluster = new KroCluster(server, client, controller);
    await cluster.until('the kind of definitions', async () =>
      (await cluster.#find('kro.run/v1alpha1', 'ResourceGraphDefinition')) === undefined ? 'it is not served' : undefined,
    );
    await cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
    return cluster;
  }

  async stop(): Promise<void> {
    await this.controller.stop();
    this.#client.close();
    await this.#server.close();
  }

  async #find(apiVersion: string, kind: string): Promise<ResourceClient | undefined> {
    let type = await this.#client.discovery.resourceOf(apiVersion, kind);
    if (type === null) {
      this.#client.discovery.invalidate();
      type = await this.#client.discovery.resourceOf(apiVersion, kind);
    }
    return type === null ? undefined : this.#client.resource(type);
  }

  async #resource(object: JsonObject): Promise<ResourceClient> {
    const [apiVersion, kind] = [String(object['apiVersion']), String(object['kind'])];
    const resource = await this.#find(apiVersion, kind);
    if (resource === undefined) throw new Error(`${kind} in ${apiVersion} is not served`);
    return resource;
  }

  #place(resource: ResourceClient, metadata: JsonObject): { readonly namespace?: string; readonly name: string } {
    const name = String(metadata['name']);
    return resource.type.namespaced ? { namespace: String(metadata['namespace'] ?? NAMESPACE), name } : { name };
  }

  /** Makes or changes an object. Rejects where the server refuses it. */
  async apply(object: JsonObject): Promise<JsonObject> {
    const resource = await this.#resource(object);
    const place = this.#place(resource, object['metadata'] as JsonObject);
    if ((await resource.get(place)) !== null) return resource.patch(place, 'merge', object);
    return resource.create({ ...object, metadata: { ...(object['metadata'] as JsonObject), ...place } });
  }

  async get(object: JsonObject): Promise<JsonObject | null> {
    const resource = await this.#resource(object);
    return resource.get(this.#place(resource, object['metadata'] as JsonObject));
  }

  async delete(object: JsonObject): Promise<void> {
    const resource = await this.#resource(object);
    await resource.delete(this.#place(resource, object['metadata'] as JsonObject));
  }

  /** Asks again and again why something is not so yet, until it is. Answers the last reason where it does not come to be. */
  async until(what: string, why: () => Promise<string | undefined>): Promise<string | undefined> {
    const end = Date.now() + DEADLINE_MS;
    for (;;) {
      const reason = await why().catch((error: unknown) => String(error));
      if (reason === undefined) return undefined;
      if (Date.now() > end) return `${what}: ${reason}`;
      await delay(20);
    }
  }
}
