import { type Json, type JsonObject, jsonEqual } from '../../engine/object/json.ts';
import { metadataOf } from '../../engine/object/metadata.ts';
import type {
  CallResult,
  DesiredObject,
  GenerateRequest,
  ObjectQuery,
  ObjectReference,
  ReconcileFacts,
  ReconcilePlan,
  ReconcileRule,
} from '../../engine/rules/reconcile/program.ts';
import { failureText } from '../kubernetes/api-error.ts';
import type { KubernetesClient, ResourceClient } from '../kubernetes/client.ts';
import { partialManager } from './apply.ts';
import { AUTOSCALED_PATHS, autoscaledBy, bodyOf, isAutoscaled, ownedState } from './child.ts';
import { CHILDREN, readGenerated } from './facts.ts';
import { EMPTY_INVENTORY, parseKind, readInventory, referenceText } from './inventory.ts';
import { type JournalEntry, journalName, keptAnswer, openJournal } from './journal.ts';
import { INSTANCE_LABEL, isDeleting, judgeAdoption, labelOf, readBookkeeping, ruleLabel, uidOf } from './ownership.ts';
import { queryText } from './readers.ts';
import { straysOf } from './reconcile.ts';
import { createWriter, placeOf, typeOf, UnknownKind } from './writer.ts';

/** What performing a plan would do to one object. */
export interface PlannedChange {
  readonly action: 'create' | 'update' | 'unchanged' | 'delete' | 'release' | 'refused';
  readonly reference: ObjectReference;
  /** Id of the entry, with the item's key where it repeats. */
  readonly id: string;
  /** As it is, without the books of field managers; null where it does not exist. */
  readonly before: JsonObject | null;
  /** As the server would have it, by dry run; null where it would be gone. */
  readonly after: JsonObject | null;
  /** Why it would be refused, in words for a person. */
  readonly problem?: string;
}

export interface InstancePlan {
  /** What the rule wants, with everything that can be made at once taken as made. */
  readonly plan: ReconcilePlan;
  /** In the order in which they would happen; deletions last. */
  readonly changes: readonly PlannedChange[];
  /** Values that would be made: what stands for them in the objects is not what will be in them. */
  readonly generate: readonly GenerateRequest[];
  /** Ids of calls that would be made. What depends on their answers is not known. */
  readonly calls: readonly string[];
}

export interface PlanInstanceOptions {
  readonly client: KubernetesClient;
  readonly rule: ReconcileRule;
  /** As it is or as it is to be, with the defaults of its schema; need not exist. */
  readonly instance: JsonObject;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Stands for values that are not made yet. */
  readonly generate: (request: GenerateRequest) => Readonly<Record<string, string>> | undefined;
  /** Where the controller keeps its state; default `fairlead-system`. */
  readonly namespace?: string;
  readonly signal?: AbortSignal;
}

/** Times that what would be made is taken as made and the rule asked again; more than a rule has levels. */
const MOST_ROUNDS = 50;
/** Stands for the uid of an instance that does not exist. */
const NO_UID = '00000000-0000-0000-0000-000000000000';

/**
 * What the controller would do for an instance now, by the server's own dry run: nothing is kept. Rejects where the server is not
 * reached; what it refuses is told of the object.
 */
export async function planInstance(options: PlanInstanceOptions): Promise<InstancePlan> {
  return new Planning(options).perform();
}

class Planning {
  readonly #options: PlanInstanceOptions;
  readonly #instance: JsonObject;
  readonly #exists: boolean;
  /** As the server has them, with their books; null where there is none. */
  readonly #live = new Map<string, JsonObject | null>();
  readonly #lists = new Map<string, readonly JsonObject[]>();
  /** As the server would have them. */
  readonly #made = new Map<string, JsonObject>();
  readonly #changes = new Map<string, PlannedChange>();
  readonly #standIns = new Map<string, GenerateRequest>();
  #journal: ReadonlyMap<string, JournalEntry> = new Map();
  #children: readonly JsonObject[] = [];

  constructor(options: PlanInstanceOptions) {
    this.#options = options;
    const { instance } = options;
    this.#exists = uidOf(instance) !== '';
    this.#instance = this.#exists ? instance : { ...instance, metadata: { ...metadataOf(instance), uid: NO_UID } };
  }

  async perform(): Promise<InstancePlan> {
    await this.#findWhatExists();
    let plan = await this.#ask();
    for (let round = 0; round < MOST_ROUNDS && (await this.#tryAll(plan)); round++) plan = await this.#ask();
    const changes = plan.objects.flatMap(({ reference }) => this.#changes.get(referenceText(reference)) ?? []);
    return {
      plan,
      changes: [...changes, ...this.#removals(plan)],
      generate: [...plan.generate, ...this.#standIns.values()],
      calls: plan.calls.map(({ id }) => id),
    };
  }

  async #resource(apiVersion: string, kind: string): Promise<ResourceClient | null> {
    const type = await this.#options.client.discovery.resourceOf(apiVersion, kind);
    return type === null ? null : this.#options.client.resource(type);
  }

  /** What was made for the instance, and the answers of its calls. */
  async #findWhatExists(): Promise<void> {
    if (!this.#exists) return;
    const { rule, namespace = 'fairlead-system', client } = this.#options;
    const inventory = readInventory(this.#instance, rule.name) ?? EMPTY_INVENTORY;
    const found: JsonObject[] = [];
    for (const text of inventory.kinds) {
      const { apiVersion, kind } = parseKind(text);
      const resource = await this.#resource(apiVersion, kind);
      const labelSelector = `${CHILDREN}=${ruleLabel(rule.name)},${INSTANCE_LABEL}=${uidOf(this.#instance)}`;
      if (resource !== null) found.push(...(await resource.list({ labelSelector })).items);
    }
    this.#children = found;
    for (const object of found) this.#live.set(referenceText({ ...typeOf(object), ...placeOf(object) }), object);
    if (!inventory.calls) return;
    const place = { namespace, rule: rule.name, instanceUid: uidOf(this.#instance) };
    const writer = createWriter({ client, stopped: () => `a plan does not write ${journalName(place)}` });
    this.#journal = (await openJournal(writer, place)).entries;
  }

  /** Asks the rule, and the server for what the rule asks for, until it knows. */
  async #ask(): Promise<ReconcilePlan> {
    const { rule } = this.#options;
    for (;;) {
      const missing: { readonly objects: ObjectReference[]; readonly queries: ObjectQuery[]; readonly kinds: [string, string][] } = {
        objects: [],
        queries: [],
        kinds: [],
      };
      const answer = rule.reconcile(this.#instance, this.#facts(missing));
      if (missing.objects.length + missing.queries.length + missing.kinds.length === 0) {
        if (answer.kind === 'plan') return answer.plan;
        throw new Error(`rule ${rule.name} asks for what it was told: ${JSON.stringify(answer.needs)}`);
      }
      await Promise.all([
        ...missing.objects.map((reference) => this.#fetch(reference)),
        ...missing.queries.map(async (query) => this.#lists.set(queryText(query), await this.#list(query))),
        ...missing.kinds.map(([apiVersion, kind]) => this.#resource(apiVersion, kind)),
      ]);
    }
  }

  async #fetch(reference: ObjectReference): Promise<JsonObject | null> {
    const key = referenceText(reference);
    const known = this.#live.get(key);
    if (known !== undefined) return known;
    const resource = await this.#resource(reference.apiVersion, reference.kind);
    const found = resource === null || reference.name === '' ? null : await resource.get(reference, this.#signal);
    this.#live.set(key, found);
    return found;
  }

  async #list({ apiVersion, kind, namespace, labelSelector }: ObjectQuery): Promise<readonly JsonObject[]> {
    const resource = await this.#resource(apiVersion, kind);
    return resource === null ? [] : (await resource.list({ namespace, labelSelector, ...this.#signal })).items;
  }

  get #signal(): { readonly signal?: AbortSignal } {
    const { signal } = this.#options;
    return signal === undefined ? {} : { signal };
  }

  #facts(missing: { objects: ObjectReference[]; queries: ObjectQuery[]; kinds: [string, string][] }): ReconcileFacts {
    const { now, generate, client } = this.#options;
    const object = (reference: ObjectReference): JsonObject | null | undefined => {
      const key = referenceText(reference);
      const found = this.#made.get(key) ?? this.#live.get(key);
      if (found === undefined) missing.objects.push(reference);
      return found;
    };
    return {
      now,
      object,
      objects: (query) => {
        const found = this.#lists.get(queryText(query));
        if (found === undefined) missing.queries.push(query);
        return found;
      },
      scope: (apiVersion, kind) => {
        const type = client.discovery.known(apiVersion, kind);
        if (type === undefined) missing.kinds.push([apiVersion, kind]);
        return type === undefined || type === null ? type : type.namespaced ? 'Namespaced' : 'Cluster';
      },
      generated: (request) => {
        const secret = object({ apiVersion: 'v1', kind: 'Secret', ...request.secret });
        const kept = secret === null || secret === undefined ? undefined : readGenerated(secret, request);
        if (kept !== undefined || secret === undefined) return kept;
        const standIn = generate(request);
        if (standIn !== undefined) this.#standIns.set(request.id, request);
        return standIn;
      },
      call: (request): CallResult | undefined => keptAnswer(this.#journal, request),
    };
  }

  /** Tries what was not tried yet; answers whether the rule may see something new. */
  async #tryAll(plan: ReconcilePlan): Promise<boolean> {
    const isTarget = autoscaledBy(plan.objects);
    let changed = false;
    for (const desired of [...plan.objects].sort((a, b) => a.level - b.level)) {
      const key = referenceText(desired.reference);
      const change = await this.#attempt(desired, isTarget(desired));
      const before = this.#changes.get(key);
      this.#changes.set(key, change);
      if (before !== undefined && jsonEqual(before.after, change.after)) continue;
      if (change.after !== null && change.action !== 'refused') {
        this.#made.set(key, change.after);
        changed = true;
      }
    }
    return changed;
  }

  async #attempt(desired: DesiredObject, autoscaled: boolean): Promise<PlannedChange> {
    const { rule } = this.#options;
    const { reference } = desired;
    const id = desired.key === '' ? desired.id : `${desired.id}/${desired.key}`;
    const live = await this.#fetch(reference);
    const before = live === null ? null : withoutBooks(live);
    const refused = (problem: string): PlannedChange => ({ action: 'refused', reference, id, before, after: desired.object, problem });
    if (live === null && desired.partial) return refused("it does not exist, and is not the rule's to make");
    let controller = true;
    if (live !== null && !desired.partial) {
      const adoption = judgeAdoption(live, { uid: uidOf(this.#instance) }, desired.adopt, () => true);
      if (adoption.kind === 'refuse' || adoption.kind === 'wait') return refused(adoption.reason);
      if (adoption.kind === 'adopt') controller = adoption.controller;
    }
    if (live !== null && isDeleting(live)) return refused('it is being deleted');
    const fieldManager = desired.partial ? partialManager(rule, this.#instance) : rule.fieldManager;
    const owned = live === null ? undefined : ownedState(live, fieldManager);
    const ignore = autoscaled || (live !== null && isAutoscaled(live)) ? AUTOSCALED_PATHS : [];
    const body = bodyOf(desired, { rule: rule.name, instance: this.#instance, owned, controller, ignore });
    try {
      const resource = await this.#resource(reference.apiVersion, reference.kind);
      if (resource === null) throw new UnknownKind(reference.apiVersion, reference.kind);
      const options = { fieldManager, force: desired.force, fieldValidation: 'Strict', dryRun: true, ...this.#signal } as const;
      const after = withoutBooks(await resource.apply(body, options));
      const action = before === null ? 'create' : sameContent(before, after) ? 'unchanged' : 'update';
      return { action, reference, id, before, after };
    } catch (error) {
      return refused(failureText(error));
    }
  }

  #removals(plan: ReconcilePlan): readonly PlannedChange[] {
    if (this.#children.length === 0) return [];
    const children = this.#children.flatMap((object) => {
      const mark = readBookkeeping(object);
      return mark === undefined || labelOf(object, INSTANCE_LABEL) !== uidOf(this.#instance) ? [] : [{ object, mark, level: mark.level }];
    });
    return straysOf(plan, children)
      .toSorted((a, b) => b.level - a.level)
      .map(({ object, mark }) => ({
        action: mark.deletion === 'Orphan' ? 'release' : 'delete',
        reference: { ...typeOf(object), ...placeOf(object) },
        id: mark.key === '' ? mark.id : `${mark.id}/${mark.key}`,
        before: withoutBooks(object),
        after: mark.deletion === 'Orphan' ? withoutBooks(object) : null,
      }));
  }
}

function withoutBooks(object: JsonObject): JsonObject {
  const { managedFields: _, ...metadata } = metadataOf(object);
  return { ...object, metadata };
}

/** Whether two states of an object differ in nothing but what the server counts. */
function sameContent(a: JsonObject, b: JsonObject): boolean {
  const bare = (object: JsonObject): JsonObject => {
    const { resourceVersion: _version, generation: _generation, ...metadata } = metadataOf(object) as { readonly [key: string]: Json };
    return { ...object, metadata };
  };
  return jsonEqual(bare(a), bare(b));
}
