import type { JsonObject } from '../../engine/object/json.ts';
import { manualClock } from '../../runtimes/host/clock.ts';
import { urlConnection } from '../../runtimes/kubernetes/connect.ts';
import { createInformer } from '../../runtimes/kubernetes/create-informer.ts';
import type { Informer, StoreChange } from '../../runtimes/kubernetes/informer.ts';
import { createKubernetesClient } from '../../runtimes/kubernetes/kubernetes-client.ts';
import { type ModelApi, PODS, startModelApi } from '../../runtimes/kubernetes/model-api.fixture.ts';
import type { CaseResult, Suite } from '../suite.ts';
import { cases, type ReflectorCase, type Stage } from './cases.ts';

/** Milliseconds of real time for one case; the clock of the reflector is moved by hand. */
const DEADLINE = 10_000;

export const suite: Suite = {
  name: 'reflector',
  description: 'a cache against servers that fail in every way that is known: its end is the server’s state, its changes lead there',
  async *run(context) {
    for (const each of cases) {
      for (const streams of [true, false]) {
        const name = `${each.name} (${streams ? 'streaming list' : 'plain list'})`;
        if (context.signal.aborted) return;
        if (context.wanted(name)) yield await play(name, each, streams);
      }
    }
  },
};

async function play(name: string, { act, firstVersion }: ReflectorCase, streams: boolean): Promise<CaseResult> {
  const api = await startModelApi({ streams, ...(firstVersion === undefined ? {} : { firstVersion }) });
  const clock = manualClock();
  const client = createKubernetesClient({ connection: urlConnection(api.url), clock, random: () => 0, maxEventBytes: 64 * 1024 });
  let informer: Informer | undefined;
  const replica = new Replica();
  const until = async (what: string, condition: () => boolean, step = 0): Promise<void> => {
    const end = performance.now() + DEADLINE;
    while (!condition()) {
      if (performance.now() > end) throw new Error(`waited in vain until ${what}; the cache says: ${informer?.failure() ?? 'all is well'}`);
      await new Promise((resolve) => setTimeout(resolve, 1));
      if (step > 0) clock.advance(step);
    }
  };
  const stage: Stage = {
    api,
    clock,
    streams,
    get informer() {
      if (informer === undefined) throw new Error('it has not begun');
      return informer;
    },
    begin() {
      informer = createInformer({ client, type: PODS, clock, random: () => 0 });
      informer.subscribe((change) => replica.hear(change));
    },
    until,
    caughtUp: (step = 500) => until('the cache is as the server', () => difference(informer!, api) === undefined && informer!.synced, step),
    changes: replica.changes,
  };
  try {
    await act(stage);
    await stage.caughtUp();
    const wrong = difference(stage.informer, api) ?? replica.difference(stage.informer);
    return wrong === undefined ? { name, outcome: 'passed' } : { name, outcome: 'failed', reason: wrong };
  } catch (error) {
    const reason = `${error instanceof Error ? error.message : String(error)}\nrequests: ${api.requests.join(', ')}`;
    return { name, outcome: 'failed', reason };
  } finally {
    informer?.close();
    client.close();
    await api.close();
  }
}

/** How the cache differs from the server. */
function difference(informer: Informer, api: ModelApi): string | undefined {
  const cached = new Map([...informer.store.list()].map((object) => [keyOf(object), object]));
  for (const [key, object] of api.objects) {
    const found = cached.get(key);
    if (found === undefined) return `${key} is missing from the cache`;
    if (JSON.stringify(sorted(found)) !== JSON.stringify(sorted(object)))
      return `${key} is ${JSON.stringify(found)}, the server has ${JSON.stringify(object)}`;
  }
  for (const key of cached.keys()) if (!api.objects.has(key)) return `${key} is in the cache, and not on the server`;
  return undefined;
}

/** What a handler believes that only hears of changes. */
class Replica {
  readonly #objects = new Map<string, JsonObject>();
  readonly changes: StoreChange[] = [];
  #wrong: string | undefined;

  hear(change: StoreChange): void {
    this.changes.push(change);
    const { type, key, object } = change;
    const known = this.#objects.get(key);
    // An object is added, changed and deleted in this order, and one of the same name is another.
    if ((type === 'added') !== (known === undefined))
      this.#wrong ??= `${key} is ${type}, and was ${known === undefined ? 'not there' : 'there'}`;
    if (type === 'modified' && uidOf(known) !== uidOf(object)) this.#wrong ??= `${key} is modified, but is another object`;
    if (type === 'deleted') this.#objects.delete(key);
    else this.#objects.set(key, object);
  }

  difference(informer: Informer): string | undefined {
    if (this.#wrong !== undefined) return this.#wrong;
    const cached = [...informer.store.list()];
    if (cached.length !== this.#objects.size) return `changes lead to ${this.#objects.size} objects, the cache holds ${cached.length}`;
    const other = cached.find((object) => this.#objects.get(keyOf(object)) !== object);
    return other === undefined ? undefined : `changes lead to another state of ${keyOf(other)}`;
  }
}

function metadataOf(object: JsonObject | undefined): JsonObject {
  return (object?.['metadata'] ?? {}) as JsonObject;
}

function keyOf(object: JsonObject): string {
  const { namespace, name } = metadataOf(object);
  return `${namespace}/${name}`;
}

function uidOf(object: JsonObject | undefined): unknown {
  return metadataOf(object)['uid'];
}

function sorted(object: JsonObject): unknown {
  return Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1));
}
