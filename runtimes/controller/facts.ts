import { isJsonObject, type JsonObject, ownValue } from '../../engine/object/json.ts';
import { labelsOf } from '../../engine/object/metadata.ts';
import { mergeDemand } from '../../engine/rules/reads.ts';
import type {
  CallRequest,
  CallResult,
  FieldDemand,
  GenerateRequest,
  ObjectQuery,
  ObjectReference,
  ReconcileFacts,
  ReconcileRule,
} from '../../engine/rules/reconcile/program.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { kindText, referenceText } from './inventory.ts';
import type { JournalEntry } from './journal.ts';
import { keptAnswer } from './journal.ts';
import { type KindSource, sourceText } from './kind-source.ts';
import { INSTANCE_LABEL, labelOf, nameOf, namespaceOf, RULE_LABEL } from './ownership.ts';
import { type ForeignReads, queryText, selectorOf } from './readers.ts';
import type { Sources } from './sources.ts';

/** Selects what rules have made. */
export const CHILDREN = RULE_LABEL;

/** How a rule uses a kind beside that of its instances. */
export interface KindUse {
  readonly apiVersion: string;
  readonly kind: string;
  readonly reads: boolean;
  readonly writes: boolean;
  readonly fields: FieldDemand;
}

function kindUses(rule: ReconcileRule): ReadonlyMap<string, KindUse> {
  const uses = new Map<string, KindUse>();
  for (const { apiVersion, kind, use, fields } of rule.touches) {
    const key = kindText(apiVersion, kind);
    const before = uses.get(key);
    uses.set(key, {
      apiVersion,
      kind,
      reads: use === 'read' || before?.reads === true,
      writes: use === 'write' || before?.writes === true,
      fields: mergeDemand(before?.fields, fields),
    });
  }
  return uses;
}

const SECRET_KIND = { apiVersion: 'v1', kind: 'Secret' } as const;
/** What is kept of Secrets that rules have generated. */
const GENERATED_FIELDS: FieldDemand = { data: true, type: true };

/** Where a rule's objects are found, shared by all its instances. */
export class RuleSources {
  readonly holder: string;
  readonly #sources: Sources;
  readonly #uses: ReadonlyMap<string, KindUse>;
  /** Held already, by query: asked for at every look at an instance. */
  readonly #held = new Map<string, KindSource>();

  constructor(rule: ReconcileRule, sources: Sources) {
    this.holder = `rule ${rule.name}`;
    this.#sources = sources;
    this.#uses = kindUses(rule);
  }

  /** Begins to watch what is known to be needed. */
  warm(): void {
    for (const { apiVersion, kind, reads, writes } of this.#uses.values()) {
      if (writes) this.children(apiVersion, kind);
      if (reads) this.foreign(apiVersion, kind);
    }
  }

  use(apiVersion: string, kind: string): KindUse {
    // A kind that only an expression knows may be anything.
    return this.#uses.get(kindText(apiVersion, kind)) ?? { apiVersion, kind, reads: true, writes: true, fields: true };
  }

  /** Objects of a kind that rules have made. */
  children(apiVersion: string, kind: string): KindSource {
    return this.#hold(apiVersion, kind, CHILDREN);
  }

  /** All objects of a kind. */
  foreign(apiVersion: string, kind: string): KindSource {
    return this.#hold(apiVersion, kind, '');
  }

  #hold(apiVersion: string, kind: string, labelSelector: string): KindSource {
    const key = { apiVersion, kind, labelSelector };
    const text = sourceText(key);
    let source = this.#held.get(text);
    if (source === undefined) {
      source = this.#sources.hold(this.holder, key, this.use(apiVersion, kind).fields);
      this.#held.set(text, source);
    }
    return source;
  }

  /** Secrets with generated values. */
  generated(): KindSource {
    const { apiVersion, kind } = SECRET_KIND;
    return this.#sources.hold(this.holder, { apiVersion, kind, labelSelector: CHILDREN }, GENERATED_FIELDS);
  }
}

export interface InstanceFactsOptions {
  readonly client: KubernetesClient;
  readonly sources: RuleSources;
  readonly instanceUid: string;
  readonly now: number;
  readonly journal: ReadonlyMap<string, JournalEntry>;
  /** Answers of calls that are not kept, because they were not what was expected. */
  readonly failedCalls: ReadonlyMap<string, { readonly key: string; readonly result: CallResult }>;
}

/** The facts of one look at one instance, and what was asked. */
export class InstanceFacts implements ReconcileFacts {
  readonly now: number;
  readonly #options: InstanceFactsOptions;
  readonly #objects = new Map<string, ObjectReference>();
  readonly #queries = new Map<string, ObjectQuery>();
  /** Sources that do not know everything yet. */
  readonly pending = new Set<KindSource>();
  /** Kinds whose scope was asked for and is not known yet. */
  readonly unknownScopes = new Map<string, { readonly apiVersion: string; readonly kind: string }>();
  /** Kinds that the server does not serve. */
  readonly absentKinds = new Set<string>();

  constructor(options: InstanceFactsOptions) {
    this.#options = options;
    this.now = options.now;
  }

  get reads(): ForeignReads {
    return { objects: this.#objects, queries: this.#queries };
  }

  object(reference: ObjectReference): JsonObject | null | undefined {
    const { apiVersion, kind, namespace, name } = reference;
    const { sources, instanceUid } = this.#options;
    const { reads, writes } = sources.use(apiVersion, kind);
    if (writes) {
      const children = this.#known(sources.children(apiVersion, kind));
      if (children === undefined) return undefined;
      const found = children?.get(namespace, name);
      if (found !== undefined && labelOf(found, INSTANCE_LABEL) === instanceUid) return found;
    }
    if (!reads) return null;
    this.#objects.set(referenceText(reference), reference);
    const foreign = this.#known(sources.foreign(apiVersion, kind));
    return foreign === undefined ? undefined : (foreign?.get(namespace, name) ?? null);
  }

  objects(query: ObjectQuery): readonly JsonObject[] | undefined {
    this.#queries.set(queryText(query), query);
    const foreign = this.#known(this.#options.sources.foreign(query.apiVersion, query.kind));
    if (foreign === undefined) return undefined;
    const selector = selectorOf(query);
    if (foreign === null || selector === undefined) return [];
    const { namespace } = query;
    const found: JsonObject[] = [];
    for (const object of foreign.list()) {
      if (namespace !== undefined && namespaceOf(object) !== namespace) continue;
      if (selector.matches(labelsOf(object))) found.push(object);
    }
    // Stores have no order that lasts; a template over a list must not change because an object did.
    return found.sort((a, b) => compare(namespaceOf(a), namespaceOf(b)) || compare(nameOf(a), nameOf(b)));
  }

  scope(apiVersion: string, kind: string): 'Namespaced' | 'Cluster' | null | undefined {
    const type = this.#options.client.discovery.known(apiVersion, kind);
    const key = kindText(apiVersion, kind);
    if (type === undefined) {
      this.unknownScopes.set(key, { apiVersion, kind });
      return undefined;
    }
    if (type === null) {
      this.absentKinds.add(key);
      return null;
    }
    return type.namespaced ? 'Namespaced' : 'Cluster';
  }

  generated(request: GenerateRequest): Readonly<Record<string, string>> | undefined {
    const source = this.#known(this.#options.sources.generated());
    const secret = source?.get(request.secret.namespace, request.secret.name);
    if (secret === undefined || labelOf(secret, INSTANCE_LABEL) !== this.#options.instanceUid) return undefined;
    return readGenerated(secret, request);
  }

  call(request: CallRequest): CallResult | undefined {
    const { journal, failedCalls } = this.#options;
    const failed = failedCalls.get(request.id);
    return failed?.key === request.key ? failed.result : keptAnswer(journal, request);
  }

  /** The source once it knows everything; null where the kind is not served, undefined while it is not known. */
  #known(source: KindSource): KindSource | null | undefined {
    switch (source.state) {
      case 'synced':
        return source;
      case 'absent':
        this.absentKinds.add(kindText(source.key.apiVersion, source.key.kind));
        return null;
      case 'starting':
        this.pending.add(source);
        return undefined;
    }
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The values that a request names, from the Secret that keeps them; undefined unless all are there. */
export function readGenerated(secret: JsonObject, request: GenerateRequest): Readonly<Record<string, string>> | undefined {
  const data = ownValue(secret, 'data');
  if (!isJsonObject(data)) return undefined;
  const keys = generatedKeys(request);
  const values: [string, string][] = [];
  for (const key of keys) {
    const encoded = ownValue(data, key);
    if (typeof encoded !== 'string') return undefined;
    values.push([key, Buffer.from(encoded, 'base64').toString('utf8')]);
  }
  return Object.fromEntries(values);
}

const generatedKeys = ({ value }: GenerateRequest): readonly string[] =>
  value.kind === 'random' ? [value.key] : ['tls.key', 'tls.crt', 'ca.crt'];
