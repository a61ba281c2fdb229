import { setTimeout as delay } from 'node:timers/promises';
import type { Json, JsonObject } from '../../engine/object/json.ts';
import type { KubernetesClient, ObjectName, ResourceClient } from '../../runtimes/kubernetes/client.ts';

const DEADLINE_MS = 20_000;
const POLL_MS = 50;

/** Where an object is. */
export interface Place {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}

export function placeOf(object: JsonObject): Place {
  const { namespace, name } = object['metadata'] as JsonObject;
  const place = { apiVersion: String(object['apiVersion']), kind: String(object['kind']), name: String(name) };
  return namespace === undefined ? place : { ...place, namespace: String(namespace) };
}

/** Somebody who works with a cluster, and has patience. */
export class Person {
  readonly client: KubernetesClient;

  constructor(client: KubernetesClient) {
    this.client = client;
  }

  /** Waits for a kind that is on its way. */
  async resource(apiVersion: string, kind: string): Promise<ResourceClient> {
    return this.until(`${kind} to be served`, async () => {
      const type = await this.client.discovery.resourceOf(apiVersion, kind);
      if (type !== null) return this.client.resource(type);
      this.client.discovery.invalidate();
      return undefined;
    });
  }

  async get({ apiVersion, kind, ...name }: Place): Promise<JsonObject | null> {
    return (await this.resource(apiVersion, kind)).get(name);
  }

  /** Creates it, as soon as the server takes objects of its kind. */
  async create(object: JsonObject): Promise<JsonObject> {
    const { apiVersion, kind } = placeOf(object);
    const resource = await this.resource(apiVersion, kind);
    return this.until(`${kind} to be taken`, () => resource.create(object).catch(unlessAbsent));
  }

  async merge({ apiVersion, kind, ...name }: Place, patch: JsonObject): Promise<JsonObject> {
    return (await this.resource(apiVersion, kind)).patch(name, 'merge', patch);
  }

  async apply(object: JsonObject, fieldManager: string): Promise<JsonObject> {
    const { apiVersion, kind } = placeOf(object);
    return (await this.resource(apiVersion, kind)).apply(object, { fieldManager, force: true });
  }

  async remove({ apiVersion, kind, ...name }: Place): Promise<void> {
    await (await this.resource(apiVersion, kind)).delete(name as ObjectName);
  }

  /** Objects of all kinds that a rule has made, and those of one instance if its uid is given. */
  async madeBy(kinds: readonly { readonly apiVersion: string; readonly kind: string }[], uid?: string): Promise<readonly JsonObject[]> {
    const labelSelector = uid === undefined ? 'fairlead.dev/instance' : `fairlead.dev/instance=${uid}`;
    const lists = await Promise.all(
      kinds.map(async ({ apiVersion, kind }) => (await (await this.resource(apiVersion, kind)).list({ labelSelector })).items),
    );
    return lists.flat();
  }

  async until<T>(what: string, look: () => Promise<T | undefined>, milliseconds = DEADLINE_MS): Promise<T> {
    const end = Date.now() + milliseconds;
    for (;;) {
      const found = await look();
      if (found !== undefined) return found;
      if (Date.now() > end) throw new Error(`waited in vain for ${what}`);
      await delay(POLL_MS);
    }
  }

  /** The object once it is as it should be; says how it is where it never is. */
  async whenever(place: Place, isSo: (object: JsonObject) => boolean, milliseconds?: number): Promise<JsonObject> {
    let last: JsonObject | null = null;
    const look = async (): Promise<JsonObject | undefined> => {
      last = await this.get(place);
      return last !== null && isSo(last) ? last : undefined;
    };
    return this.until(`${place.kind} ${place.name}`, look, milliseconds).catch((error: Error) => {
      throw new Error(`${error.message}; it is ${JSON.stringify(shown(last))}`);
    });
  }

  async gone(place: Place): Promise<void> {
    await this.until(`the end of ${place.kind} ${place.name}`, async () => ((await this.get(place)) === null ? true : undefined));
  }
}

/** The kind is not served yet, or not everywhere. */
function unlessAbsent(error: { readonly status?: number }): undefined {
  if (error.status !== 404) throw error;
  return undefined;
}

function shown(object: JsonObject | null): Json {
  if (object === null) return null;
  const { metadata, ...rest } = object;
  const { managedFields: _, ...kept } = metadata as JsonObject;
  return { ...rest, metadata: kept };
}

export function conditionOf(object: JsonObject, type: string): JsonObject | undefined {
  const status = object['status'] as { readonly conditions?: readonly JsonObject[] } | undefined;
  return status?.conditions?.find((each) => each['type'] === type);
}

/** Ready, and of the newest generation. */
export function isReady(object: JsonObject): boolean {
  const ready = conditionOf(object, 'Ready');
  const { generation } = object['metadata'] as JsonObject;
  return ready?.['status'] === 'True' && ready['observedGeneration'] === generation;
}
