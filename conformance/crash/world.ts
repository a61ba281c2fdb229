import { compileBundle } from '../../engine/bundle/compile.ts';
import { isJsonObject, type Json, type JsonObject } from '../../engine/object/json.ts';
import { isError } from '../../engine/text/diagnostic.ts';
import { parseYaml } from '../../engine/text/yaml.ts';
import { type Controller, startController } from '../../runtimes/controller/controller.ts';
import type { ActiveBundle } from '../../runtimes/host/bundle-watch.ts';
import type { KubernetesClient } from '../../runtimes/kubernetes/client.ts';
import { urlConnection } from '../../runtimes/kubernetes/connect.ts';
import { type EmbeddedCluster, startEmbeddedCluster } from '../../runtimes/kubernetes/embedded/cluster.ts';
import { createKubernetesClient } from '../../runtimes/kubernetes/kubernetes-client.ts';
import { type Death, type MortalClient, mortalClient } from './mortal-client.ts';
import { type OutsideWorld, outsideWorld } from './outside-world.ts';

/** A cluster, its controller that may die, and what is outside. */
export class World {
  readonly outside: OutsideWorld = outsideWorld();
  /** Objects that came and went, by `ADDED v1/ConfigMap default/a`, with how often. */
  readonly comings = new Map<string, number>();
  /** Values that Secrets have had, by name and key. */
  readonly secrets = new Map<string, Set<string>>();
  readonly #server: EmbeddedCluster;
  readonly #clients: KubernetesClient[] = [];
  #bundle: ActiveBundle | undefined;
  #controller: Controller | undefined;
  #first: MortalClient | undefined;
  #restarted: Promise<void> = Promise.resolve();

  private constructor(server: EmbeddedCluster) {
    this.#server = server;
    server.registry.subscribe(({ type, object }) => {
      const name = nameOf(object);
      if (isNoise(object)) return;
      const coming = `${type} ${name.replace(UUID, '<uid>')}`;
      if (type !== 'MODIFIED') this.comings.set(coming, (this.comings.get(coming) ?? 0) + 1);
      if (object['kind'] !== 'Secret' || !isJsonObject(object['data'] ?? null) || object['type'] === 'fairlead.dev/journal') return;
      for (const [key, value] of Object.entries(object['data'] as JsonObject)) {
        const seen = this.secrets.get(`${name} ${key}`) ?? new Set();
        this.secrets.set(`${name} ${key}`, seen.add(String(value)));
      }
    });
  }

  static async start(rules: string, death: Death | undefined): Promise<World> {
    const world = new World(await startEmbeddedCluster({ simulation: { nodes: [], leases: false } }));
    await world.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'elsewhere' } });
    await world.setRules(rules);
    world.#first = mortalClient(world.#connect(), death);
    await world.#control(world.#first);
    world.#restarted = world.#first.death.then(async () => {
      await world.#controller?.stop();
      await world.#control(mortalClient(world.#connect(), undefined));
    });
    return world;
  }

  /** The client that may die. */
  get first(): MortalClient {
    return this.#first!;
  }

  #connect(): KubernetesClient {
    const client = createKubernetesClient({ connection: urlConnection(this.#server.url) });
    this.#clients.push(client);
    return client;
  }

  async #control(client: KubernetesClient): Promise<void> {
    this.#controller = await startController({
      client,
      bundle: { current: () => this.#bundle },
      leaderElection: false,
      call: this.outside.call,
      bundlePeriod: 20,
      random: () => 0,
    });
  }

  async setRules(text: string): Promise<void> {
    const bundle = compileBundle(parseYaml({ name: 'rules.yaml', text }).documents);
    const error = bundle.diagnostics.find(isError);
    if (error !== undefined || bundle.program === undefined) throw new Error(`the rules of a scenario do not compile: ${error?.message}`);
    const generation = (this.#bundle?.generation ?? 0) + 1;
    this.#bundle = { bundle: { ...bundle, name: 'crash' }, program: bundle.program, generation, since: 0 };
    this.#controller?.refresh();
  }

  #type(apiVersion: string, kind: string) {
    const type = this.#server.registry.ofKind(apiVersion, kind);
    if (type === undefined) throw new Error(`${kind} in ${apiVersion} is not served`);
    return type;
  }

  /** As the server has it. */
  find(apiVersion: string, kind: string, namespace: string, name: string): JsonObject | undefined {
    const type = this.#server.registry.ofKind(apiVersion, kind);
    return type === undefined ? undefined : this.#server.registry.get(type, { namespace, name });
  }

  /** Waits for the kind, as a person would. */
  async create(object: JsonObject): Promise<void> {
    const [apiVersion, kind] = [String(object['apiVersion']), String(object['kind'])];
    await this.until(() => this.#server.registry.ofKind(apiVersion, kind) !== undefined, `${kind} to be served`);
    await this.#server.registry.create(this.#type(apiVersion, kind), object);
  }

  async merge(apiVersion: string, kind: string, namespace: string, name: string, patch: { readonly spec: JsonObject }): Promise<void> {
    await this.#server.registry.modify(this.#type(apiVersion, kind), { namespace, name }, (object) => ({
      ...object,
      spec: { ...(object['spec'] as JsonObject), ...patch.spec },
    }));
  }

  async remove(apiVersion: string, kind: string, namespace: string, name: string): Promise<void> {
    await this.#server.registry.delete(this.#type(apiVersion, kind), { namespace, name });
  }

  async until(condition: () => boolean, what: string): Promise<void> {
    const end = Date.now() + PATIENCE;
    while (!condition()) {
      if (Date.now() > end) throw new Error(`waited in vain for ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  /** Resolves when nobody has anything left to do. */
  settle(): Promise<void> {
    return inTime('an end of all work', async () => {
      for (let died: boolean; ; ) {
        died = this.first.dead;
        if (died) await this.#restarted;
        await this.#controller?.idle();
        await this.#server.idle();
        await this.#controller?.idle();
        // It may have died while it was waited for.
        if (this.first.dead === died) return;
      }
    });
  }

  /** Everything that exists, without what differs from run to run. */
  endState(): string {
    const objects: JsonObject[] = [];
    const uids = new Map<string, string>();
    const seen = new Set<string>();
    for (const type of this.#server.registry.resources()) {
      for (const object of this.#server.registry.list(type)) {
        const metadata = object['metadata'] as JsonObject;
        const uid = String(metadata['uid']);
        if (isNoise(object) || seen.has(uid)) continue;
        seen.add(uid);
        uids.set(uid, `uid of ${nameOf(object)}`);
        objects.push(object);
      }
    }
    const text = objects
      .sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
      .map((object) => JSON.stringify(withoutChance(object), null, 1))
      .join('\n');
    return text.replace(UUID, (uid) => uids.get(uid) ?? 'uid of what is gone');
  }

  close(): Promise<void> {
    return inTime('the controller to stop', async () => {
      if (this.first.dead) await this.#restarted;
      await this.#controller?.stop();
      for (const client of this.#clients) client.close();
      await this.#server.close();
    });
  }
}

/** Milliseconds; far more than anything here takes. */
const PATIENCE = 15_000;

async function inTime(what: string, act: () => Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited in vain for ${what}`)), PATIENCE);
  });
  try {
    await Promise.race([act(), late]);
  } finally {
    clearTimeout(timer);
  }
}

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const NOISE = new Set(['Event', 'Lease', 'ServiceAccount', 'APIService', 'ControllerRevision']);

/** What has nothing to do with rules. */
const isNoise = (object: JsonObject): boolean =>
  NOISE.has(String(object['kind'])) || String((object['metadata'] as JsonObject)['namespace'] ?? '').startsWith('kube-');

function nameOf(object: JsonObject): string {
  const { namespace, name } = object['metadata'] as JsonObject;
  return `${String(object['apiVersion'])}/${String(object['kind'])} ${String(namespace ?? '')}/${String(name)}`;
}

/** Versions and times are chance, and so is a generated value. How often a generation counted up is not: it is who changed what. */
function withoutChance(object: JsonObject): Json {
  const drop = new Set(['resourceVersion', 'creationTimestamp', 'lastTransitionTime', 'time', 'managedFields']);
  const walk = (value: Json): Json => {
    if (Array.isArray(value)) return (value as readonly Json[]).map(walk);
    if (!isJsonObject(value)) return value;
    const keys = Object.keys(value).sort();
    return Object.fromEntries(keys.filter((key) => !drop.has(key)).map((key) => [key, CHANCE.has(key) ? `<${key}>` : walk(value[key]!)]));
  };
  return object['kind'] === 'Secret' ? walk({ ...object, data: Object.keys((object['data'] ?? {}) as JsonObject) }) : walk(object);
}

/** Fields of objects in which scenarios put generated values. */
const CHANCE = new Set(['password']);
