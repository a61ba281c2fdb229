import { isJsonObject, type Json, type JsonObject } from '../../engine/object/json.ts';
import { metadataOf } from '../../engine/object/metadata.ts';
import { compileProjection, type Projection } from '../../engine/object/projection.ts';
import { parseApiVersion } from '../../engine/object/type-table.ts';
import { mergeDemand } from '../../engine/rules/reads.ts';
import type { FieldDemand } from '../../engine/rules/reconcile/program.ts';
import type { Clock, Timer } from '../host/clock.ts';
import type { Log } from '../host/log.ts';
import { failureText } from '../kubernetes/api-error.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { createInformer } from '../kubernetes/create-informer.ts';
import { labelIndexer } from '../kubernetes/indexers.ts';
import type { Indexer, Informer, ObjectStore, StoreChange } from '../kubernetes/informer.ts';
import { isAutoscaled, type OwnedState, ownedState } from './child.ts';
import { coversDemand } from './field-demand.ts';
import { INSTANCE_LABEL, labelOf } from './ownership.ts';
import { keyOf, storeKeyOf, WrittenObjects } from './written-objects.ts';

/** What is told of a child beside the fields that rules read. */
export interface ChildState {
  /** By field manager; only managers of rules. */
  readonly owned: ReadonlyMap<string, OwnedState>;
  readonly autoscaled: boolean;
}

export interface SourceKey {
  readonly apiVersion: string;
  readonly kind: string;
  /** In the form of `kubectl -l`; `` for all. */
  readonly labelSelector: string;
}

export const sourceText = ({ apiVersion, kind, labelSelector }: SourceKey): string => `${apiVersion}/${kind}?${labelSelector}`;

export interface KindSourceOptions {
  readonly client: KubernetesClient;
  readonly clock: Clock;
  /** From 0 up to 1. */
  readonly random: () => number;
  readonly log: Log;
  /** `echo`: it is the answer to a write of ours that the watch now shows, too; news to whoever else reads the object. */
  readonly onChange: (source: KindSource, change: StoreChange, echo: boolean) => void;
  /** The source has come to know everything, or that its kind is not served. */
  readonly onKnown: (source: KindSource) => void;
}

/**
 * Milliseconds after which a kind that is not served is asked for again. Soon at first, because discovery lags behind a
 * CustomResourceDefinition that was just established; then seldom, because the definition's coming is watched.
 */
const ASK_AGAIN = { first: 250, longest: 30_000 } as const;

const BY_INSTANCE = 'instance';
const INDEXERS: Readonly<Record<string, Indexer>> = { [BY_INSTANCE]: labelIndexer(INSTANCE_LABEL) };

/**
 * The objects of one kind and selector, shared by all who read them. It lasts through changes of what is read of them, and waits for
 * kinds that do not exist yet.
 */
export class KindSource {
  readonly key: SourceKey;
  readonly #options: KindSourceOptions;
  #demand: FieldDemand;
  #narrow: Projection;
  /** Of the informer that is read from. */
  #served: { readonly informer: Informer; readonly demand: FieldDemand; readonly stop: () => void } | undefined;
  #absent = false;
  #failure: string | undefined;
  #closed = false;
  #starting = false;
  #timer: Timer | undefined;
  #patience: number = ASK_AGAIN.first;
  readonly #written = new WrittenObjects();
  readonly #states = new WeakMap<JsonObject, ChildState>();
  /** What made of a server's object the one that is kept. */
  readonly #keptBy = new WeakMap<JsonObject, Projection>();

  constructor(key: SourceKey, demand: FieldDemand, options: KindSourceOptions) {
    this.key = key;
    this.#demand = demand;
    this.#narrow = compileProjection(demand);
    this.#options = options;
    void this.#begin();
  }

  /** `absent`: the server does not serve the kind. */
  get state(): 'starting' | 'synced' | 'absent' {
    if (this.#served?.informer.synced === true) return 'synced';
    return this.#absent ? 'absent' : 'starting';
  }

  /** Why nothing is received at present. */
  failure(): string | undefined {
    return this.#failure ?? this.#served?.informer.failure();
  }

  /** Has more fields kept from now on. What is kept meanwhile lacks them for a moment. */
  widen(demand: FieldDemand): void {
    if (coversDemand(this.#demand, demand)) return;
    this.#demand = mergeDemand(this.#demand, demand);
    this.#narrow = compileProjection(this.#demand);
    void this.#begin();
  }

  /** Looks again whether the kind is served, as definitions have changed. */
  retry(): void {
    if (!this.#absent) return;
    this.#patience = ASK_AGAIN.first;
    void this.#begin();
  }

  get(namespace: string | undefined, name: string): JsonObject | undefined {
    return this.#served === undefined ? undefined : this.#written.get(storeKeyOf(namespace, name), this.#store);
  }

  /** All objects, those included that we made and the watch has not shown yet. */
  *list(): Iterable<JsonObject> {
    if (this.#served === undefined) return;
    const store = this.#store;
    const written = this.#written;
    for (const object of store.list()) {
      const current = written.size === 0 ? object : written.get(keyOf(object), store);
      if (current !== undefined) yield current;
    }
    for (const key of written.keys()) {
      const object = store.get(key) === undefined ? written.get(key, store) : undefined;
      if (object !== undefined) yield object;
    }
  }

  /** Objects that were made for an instance. */
  ofInstance(uid: string): readonly JsonObject[] {
    if (this.#served === undefined) return [];
    const store = this.#store;
    const keys = new Set([...store.byIndex(BY_INSTANCE, uid).map(keyOf), ...this.#written.ofInstance(uid)]);
    const found: JsonObject[] = [];
    for (const key of keys) {
      const object = this.#written.get(key, store);
      if (object !== undefined && labelOf(object, INSTANCE_LABEL) === uid) found.push(object);
    }
    return found;
  }

  get size(): number {
    return this.#served?.informer.store.size ?? 0;
  }

  /** What rules own of an object that this source gave out. */
  stateOf(object: JsonObject): ChildState | undefined {
    return this.#states.get(object);
  }

  /** Takes in what the server answered to a write of ours. */
  wrote(object: JsonObject): JsonObject {
    const kept = this.#keep(object, this.#narrow);
    this.#written.wrote(kept);
    return kept;
  }

  gone(object: JsonObject): void {
    this.#written.gone(object);
  }

  /** Whether the watch has shown everything that was written. */
  get caughtUp(): boolean {
    return this.#served === undefined || this.#written.isShownBy(this.#store);
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#served?.stop();
    this.#served = undefined;
  }

  get #store(): ObjectStore {
    return this.#served!.informer.store;
  }

  #keep(object: JsonObject, narrow: Projection): JsonObject {
    // Most that the watch shows of a controller's objects it has just written, and knows already.
    const answer = this.#written.answerOf(object);
    if (answer !== undefined && this.#keptBy.get(answer) === narrow) return answer;
    const kept = narrow(object);
    this.#keptBy.set(kept, narrow);
    const managers = ruleManagers(object);
    if (managers.length > 0) {
      const owned = new Map(managers.map((manager) => [manager, ownedState(object, manager)]));
      this.#states.set(kept, { owned, autoscaled: isAutoscaled(object) });
    }
    return kept;
  }

  async #begin(): Promise<void> {
    if (this.#starting || this.#closed) return;
    this.#starting = true;
    this.#timer?.cancel();
    const { apiVersion, kind, labelSelector } = this.key;
    const { client, clock, random, log, onKnown } = this.#options;
    try {
      const type = await client.discovery.resourceOf(apiVersion, kind);
      if (this.#closed) return;
      this.#failure = undefined;
      if (type === null) {
        this.#askAgain();
        if (!this.#absent) {
          this.#absent = true;
          onKnown(this);
        }
        return;
      }
      const demand = this.#demand;
      const narrow = this.#narrow;
      const project = (object: JsonObject): JsonObject => this.#keep(object, narrow);
      const informer = createInformer({ client, type, labelSelector, project, indexers: INDEXERS, clock, random, log });
      if (this.#served === undefined) {
        this.#serve(informer, demand);
        await informer.whenSynced();
      } else {
        // The former informer serves until the new one knows as much.
        await informer.whenSynced();
        const former = this.#served;
        if (this.#closed) informer.close();
        else this.#serve(informer, demand);
        former?.stop();
      }
      if (this.#closed) return;
      this.#absent = false;
      this.#patience = ASK_AGAIN.first;
      onKnown(this);
    } catch (error) {
      if (this.#closed) return;
      this.#failure = failureText(error);
      this.#askAgain();
    } finally {
      this.#starting = false;
      if (!this.#closed && this.#served !== undefined && !coversDemand(this.#served.demand, this.#demand)) void this.#begin();
    }
  }

  #serve(informer: Informer, demand: FieldDemand): void {
    let unsubscribe = (): void => {};
    this.#served = {
      informer,
      demand,
      stop: () => {
        unsubscribe();
        informer.close();
      },
    };
    // What is there already comes as initial additions, also where this informer follows another: between the two, something may have changed.
    unsubscribe = informer.subscribe((change) => {
      if (this.#served?.informer !== informer) return;
      this.#options.onChange(this, change, this.#written.isEcho(change.key, change.object));
      // What the store shows now need not be remembered beside it.
      this.#written.get(change.key, informer.store);
    });
  }

  #askAgain(): void {
    this.#timer?.cancel();
    this.#timer = this.#options.clock.after(this.#patience, () => {
      this.#options.client.discovery.invalidate(parseApiVersion(this.key.apiVersion).group);
      void this.#begin();
    });
    this.#patience = Math.min(this.#patience * 2, ASK_AGAIN.longest);
  }
}

/** Managers of rules that applied fields of an object. */
function ruleManagers(object: JsonObject): readonly string[] {
  const entries = metadataOf(object)['managedFields'];
  if (!Array.isArray(entries)) return [];
  const found: string[] = [];
  for (const entry of entries as readonly Json[]) {
    if (!isJsonObject(entry) || entry['operation'] !== 'Apply') continue;
    const manager = entry['manager'];
    if (typeof manager === 'string' && manager.startsWith('fairlead/') && !found.includes(manager)) found.push(manager);
  }
  return found;
}
