import type { CelValue } from '../../cel/values.ts';
import { isJsonObject, type Json, type JsonObject, ownValue } from '../../object/json.ts';
import { labelSelectorOf } from '../../object/label-selector.ts';
import type { CompiledRule } from './compile-rule.ts';
import { conditionsOf, type Verdict } from './conditions.ts';
import { durationOf } from './durations.ts';
import type { CallEntry, Entry, ExternalEntry, RandomEntry, RuleTemplate, TemplateEntry, X509Entry } from './entry.ts';
import { type EntryState, Evaluation, Unresolved } from './evaluation.ts';
import { generatedValues, randomRequest, renewalOf, x509Request } from './generated-values.ts';
import { callValue, httpRequestOf, isExpected } from './http-calls.ts';
import { type Item, itemsOf } from './items.ts';
import { kroConditions, withState } from './kro/conditions.ts';
import { objectStatus } from './kstatus.ts';
import type {
  CallRequest,
  DesiredObject,
  GenerateRequest,
  ObjectQuery,
  ObjectReference,
  ReconcileAnswer,
  ReconcileFacts,
  ReconcileFailure,
  UndoCall,
  WaitingObject,
} from './program.ts';
import { renderStatus } from './status.ts';

/**
 * What should be true for an instance, given the facts. Pure: the same instance and facts give the same answer. Facts that are not
 * known yet are asked for, all of them that can be told at once.
 */
export function reconcile(rule: CompiledRule, instance: JsonObject, facts: ReconcileFacts): ReconcileAnswer {
  return new Reconciliation(rule, instance, facts).answer();
}

/** How one entry or item is judged. */
interface Judgement {
  readonly ready: boolean;
  /** Why it is not. */
  readonly reason: string;
  /** It will not become ready without somebody's doing. */
  readonly failed: boolean;
}

const READY: Judgement = { ready: true, reason: '', failed: false };

class Reconciliation {
  readonly #rule: CompiledRule;
  readonly #instance: JsonObject;
  readonly #facts: ReconcileFacts;
  readonly #evaluation: Evaluation;
  readonly #objects: DesiredObject[] = [];
  readonly #owners = new Map<string, string>();
  readonly #waiting: WaitingObject[] = [];
  readonly #retain = new Set<string>();
  readonly #generate: GenerateRequest[] = [];
  readonly #kept: GenerateRequest[] = [];
  readonly #calls: CallRequest[] = [];
  readonly #undo: UndoCall[] = [];
  readonly #revoked: string[] = [];
  readonly #failures: ReconcileFailure[] = [];
  readonly #verdicts: Verdict[] = [];
  readonly #needs = {
    objects: [] as ObjectReference[],
    queries: [] as ObjectQuery[],
    scopes: [] as { readonly apiVersion: string; readonly kind: string }[],
  };
  readonly #reads = { objects: [] as ObjectReference[], queries: [] as ObjectQuery[] };
  #requeueAfter: number | undefined;

  constructor(rule: CompiledRule, instance: JsonObject, facts: ReconcileFacts) {
    this.#rule = rule;
    this.#instance = instance;
    this.#facts = facts;
    this.#evaluation = new Evaluation(rule, instance, facts.now);
  }

  answer(): ReconcileAnswer {
    for (const entry of this.#rule.entries) this.#resolve(entry);
    const { objects, queries, scopes } = this.#needs;
    if (objects.length + queries.length + scopes.length > 0) return { kind: 'needs', needs: this.#needs };
    const rendered = this.#status();
    const own = this.#rule.conditions.map((condition) => this.#condition(condition));
    this.#readRequeueAfter();
    const failed = this.#failures.length > 0;
    const conditions = [...own, ...conditionsOf(this.#verdicts, this.#waiting, this.#failures)];
    const kro = this.#rule.source.ruleKind === 'ResourceGraphDefinition';
    const plan = {
      objects: this.#objects,
      waiting: this.#waiting,
      retain: [...this.#retain],
      generate: this.#generate,
      kept: this.#kept,
      calls: this.#calls,
      undo: this.#undo,
      revoked: this.#revoked,
      status: kro ? withState(rendered, conditions, failed) : rendered,
      conditions: kro ? kroConditions(conditions, failed) : conditions,
      requeueAfter: this.#requeueAfter,
      failures: this.#failures,
    };
    return { kind: 'plan', plan, reads: this.#reads };
  }

  #resolve(entry: Entry): void {
    try {
      if (!entry.when.every((condition) => this.#evaluation.evaluate(condition) === true)) {
        this.#exclude(entry);
        return;
      }
      const items = itemsOf(entry, this.#evaluation);
      switch (entry.kind) {
        case 'template':
        case 'patch':
          this.#templates(entry, items);
          break;
        case 'external':
          this.#external(entry, items);
          break;
        case 'random':
        case 'x509':
          this.#generated(entry, items);
          break;
        case 'call':
          this.#callAll(entry, items);
          break;
      }
    } catch (error) {
      if (!(error instanceof Unresolved)) throw error;
      if (error.kind === 'excluded') this.#exclude(entry);
      else {
        this.#explain(entry, error);
        this.#settle(entry, { kind: 'unknown', reason: error.reason }, undefined);
      }
    }
  }

  #settle(entry: Entry, state: EntryState, value: CelValue | undefined): void {
    this.#evaluation.settle(entry.id, state, value);
  }

  #exclude(entry: Entry): void {
    const isList = entry.loops.length > 0 || (entry.kind === 'external' && entry.selector !== undefined);
    if (entry.kind === 'call') this.#revoked.push(entry.id);
    this.#settle(entry, { kind: 'excluded' }, isList ? [] : {});
  }

  /** Notes why an entry or one of its items can't be had yet. */
  #explain(entry: Entry, error: Unresolved): void {
    this.#retain.add(entry.id);
    if (error.kind === 'failed') this.#failures.push({ path: error.path, message: error.reason });
    else this.#wait(entry, error.reason);
  }

  #wait(entry: Entry, reason: string): void {
    this.#retain.add(entry.id);
    if (!this.#waiting.some((each) => each.id === entry.id && each.reason === reason)) this.#waiting.push({ id: entry.id, reason });
  }

  /** What keeps an entry from going on, though everything that it reads may be known. */
  #gate(entry: Entry): string | undefined {
    for (const id of entry.dependencies) {
      const state = this.#evaluation.states.get(id);
      if (state === undefined || state.kind === 'excluded') continue;
      if (state.kind !== 'present') return state.reason;
      if (entry.waitFor === 'Ready' && !state.ready) return `${id} is not ready${state.reason === '' ? '' : `: ${state.reason}`}`;
    }
    return undefined;
  }

  /** Runs `work` for each item; what can't be had is noted, and the others go on. Undefined stands for an item without a value. */
  #each<T>(entry: Entry, items: readonly Item[], work: (item: Item) => T | undefined): (T | undefined)[] {
    return items.map((item) => {
      try {
        return work(item);
      } catch (error) {
        if (!(error instanceof Unresolved)) throw error;
        if (error.kind === 'excluded' && entry.loops.length === 0) throw error;
        if (error.kind !== 'excluded') this.#explain(entry, error);
        return undefined;
      }
    });
  }

  /** Settles an entry by the values of its items, and judges it. */
  #settleItems(
    entry: Entry,
    items: readonly Item[],
    values: readonly (CelValue | undefined)[],
    judge: (value: CelValue, item: Item) => Judgement,
    absent: string,
  ): void {
    const repeats = entry.loops.length > 0;
    const found = values.filter((value) => value !== undefined);
    const value: CelValue | undefined = repeats ? found : found[0];
    const complete = found.length === items.length;
    // An expression of readiness may ask for the entry by a variable.
    this.#settle(entry, complete ? { kind: 'present', ready: false, reason: '' } : { kind: 'partial', reason: absent }, value);
    const verdicts = values.flatMap((each, index) => (each === undefined ? [] : [judge(each, items[index]!)]));
    const worst = verdicts.find(({ failed }) => failed) ?? verdicts.find(({ ready }) => !ready);
    for (const each of verdicts) this.#verdicts.push({ id: entry.id, ...each });
    const missing = items.length - found.length;
    if (missing > 0) {
      const reason = repeats && found.length > 0 ? `${missing} of ${items.length} objects of ${entry.id} are missing: ${absent}` : absent;
      this.#settle(entry, repeats ? { kind: 'partial', reason } : { kind: 'unknown', reason }, value);
    } else this.#settle(entry, { kind: 'present', ready: worst === undefined, reason: worst?.reason ?? '' }, value);
  }

  #templates(entry: TemplateEntry, items: readonly Item[]): void {
    const gate = this.#gate(entry);
    if (gate !== undefined) this.#wait(entry, gate);
    let absent = gate ?? `${entry.id} is not known yet`;
    const desired: { readonly item: Item; readonly object: DesiredObject }[] = [];
    const values = this.#each(entry, items, (item) => {
      const object = this.#render(entry, item);
      const { reference } = object;
      const observed = this.#observe(reference);
      if (observed === undefined) return undefined;
      if (observed === null) {
        absent = `${describe(reference)} ${entry.kind === 'patch' ? 'is not found' : 'does not exist yet'}`;
        if (entry.kind === 'patch') this.#wait(entry, absent);
        else if (gate === undefined) desired.push({ item, object });
        return undefined;
      }
      if (gate === undefined) desired.push({ item, object });
      return observed;
    });
    const readiness = new Map<string, boolean>();
    this.#settleItems(
      entry,
      items,
      values,
      (value, item) => {
        const judged = this.#judge(entry, value as JsonObject, item);
        readiness.set(item.key, judged.ready);
        return judged;
      },
      absent,
    );
    for (const { item, object } of desired) {
      const ready = readiness.get(item.key) ?? false;
      if (!readiness.has(item.key))
        this.#verdicts.push({ id: entry.id, ready: false, reason: `${describe(object.reference)} does not exist yet`, failed: false });
      this.#objects.push({ ...object, ready });
    }
  }

  #render(entry: TemplateEntry, item: Item): DesiredObject {
    const rendered = this.#evaluation.render(entry.template, item.locals);
    const fail = (message: string): never => {
      throw new Unresolved('failed', message, entry.template.path);
    };
    if (!isJsonObject(rendered)) return fail('the template does not make an object');
    const [apiVersion, kind, metadata] = [ownValue(rendered, 'apiVersion'), ownValue(rendered, 'kind'), ownValue(rendered, 'metadata')];
    if (typeof apiVersion !== 'string' || apiVersion === '' || typeof kind !== 'string' || kind === '') {
      return fail('the object has no apiVersion and kind');
    }
    const name = isJsonObject(metadata) ? ownValue(metadata, 'name') : undefined;
    if (typeof name !== 'string' || name === '') return fail(`the ${kind} has no metadata.name`);
    const namespace = this.#namespaceOf(entry, apiVersion, kind, ownValue(metadata as JsonObject, 'namespace'), fail);
    const reference: ObjectReference = namespace === undefined ? { apiVersion, kind, name } : { apiVersion, kind, namespace, name };
    const owner = this.#owners.get(referenceKey(reference));
    if (owner !== undefined) return fail(`${describe(reference)} is made by ${owner}, too`);
    this.#owners.set(referenceKey(reference), entry.id);
    const { namespace: _given, ...rest } = metadata as JsonObject;
    const object = { ...rendered, metadata: namespace === undefined ? rest : { ...rest, namespace } };
    const { id, level, force, adopt, deletion, onImmutable, ignore } = entry;
    const partial = entry.kind === 'patch';
    const key = entry.looseKeys && item.key !== '' ? (namespace === undefined ? name : `${namespace}/${name}`) : item.key;
    return { id, key, reference, object, level, partial, force, adopt, deletion, onImmutable, ignore, ready: false };
  }

  #namespaceOf(
    entry: TemplateEntry,
    apiVersion: string,
    kind: string,
    given: Json | undefined,
    fail: (message: string) => never,
  ): string | undefined {
    const namespaced = entry.namespaced ?? this.#scope(entry, apiVersion, kind);
    const wanted = typeof given === 'string' && given !== '' ? given : undefined;
    if (!namespaced) return wanted === undefined ? undefined : fail(`objects of the kind ${kind} are in no namespace`);
    return wanted ?? this.#instanceNamespace() ?? fail(`the ${kind} has no metadata.namespace, and the instance is in none`);
  }

  #instanceNamespace(): string | undefined {
    const metadata = ownValue(this.#instance, 'metadata');
    const namespace = isJsonObject(metadata) ? ownValue(metadata, 'namespace') : undefined;
    return typeof namespace === 'string' && namespace !== '' ? namespace : undefined;
  }

  /** Whether objects of a kind are in namespaces; throws where that is not known, or the kind is not served. */
  #scope(entry: Entry, apiVersion: string, kind: string): boolean {
    const { instance } = this.#rule.source;
    if (apiVersion === instance.apiVersion && kind === instance.kind && instance.namespaced !== undefined) return instance.namespaced;
    const scope = this.#facts.scope(apiVersion, kind);
    if (scope === undefined) {
      this.#needs.scopes.push({ apiVersion, kind });
      throw new Unresolved('waiting', `it is not known yet whether objects of the kind ${kind} are in namespaces`, entry.path);
    }
    if (scope === null) throw new Unresolved('waiting', `the cluster does not serve ${kind} of ${apiVersion}`, entry.path);
    return scope === 'Namespaced';
  }

  /** The object as it was observed, null where there is none; undefined where that has to be asked for. */
  #observe(reference: ObjectReference): JsonObject | null | undefined {
    this.#reads.objects.push(reference);
    const found = this.#facts.object(reference);
    if (found === undefined) this.#needs.objects.push(reference);
    return found;
  }

  #judge(entry: TemplateEntry | ExternalEntry, object: JsonObject, item: Item): Judgement {
    const metadata = ownValue(object, 'metadata');
    const name = `${String(object['kind'] ?? entry.id)} ${isJsonObject(metadata) ? String(metadata['name'] ?? '') : ''}`.trim();
    if (isJsonObject(metadata) && typeof metadata['deletionTimestamp'] === 'string') {
      return { ready: false, reason: `${name} is being deleted`, failed: false };
    }
    switch (entry.ready.kind) {
      case 'exists':
        return READY;
      case 'kstatus': {
        const { status, message } = objectStatus(object, this.#facts.now);
        return status === 'Current' ? READY : { ready: false, reason: `${name}: ${message}`, failed: status === 'Failed' };
      }
      case 'expressions':
        return this.#judgeByExpressions(entry.ready, object, item, name);
    }
  }

  #judgeByExpressions(
    { expressions, variable }: Extract<TemplateEntry['ready'], { readonly kind: 'expressions' }>,
    object: JsonObject,
    item: Item,
    name: string,
  ): Judgement {
    const locals = { ...item.locals, [variable]: object };
    for (const expression of expressions) {
      try {
        if (this.#evaluation.evaluate(expression, locals) !== true) {
          return { ready: false, reason: `${name} is not ready: ${expression.text.trim()}`, failed: false };
        }
      } catch (error) {
        if (!(error instanceof Unresolved)) throw error;
        // What the expression asks for is not there yet: no error, unless it never will be.
        if (error.kind === 'failed' && !/no such key|no such field|index out of/.test(error.reason)) {
          this.#failures.push({ path: error.path, message: error.reason });
        }
        return { ready: false, reason: `${name} is not ready: ${error.reason}`, failed: false };
      }
    }
    return READY;
  }

  #external(entry: ExternalEntry, items: readonly Item[]): void {
    if (entry.selector !== undefined) {
      this.#externalList(entry, items);
      return;
    }
    let absent = `${entry.id} is not known yet`;
    const values = this.#each(entry, items, (item) => {
      const reference = this.#externalReference(entry, item);
      const observed = this.#observe(reference);
      if (observed === undefined) return undefined;
      if (observed !== null) return observed;
      if (entry.optional) throw new Unresolved('excluded', '', entry.path);
      absent = `${describe(reference)} is not found`;
      this.#wait(entry, absent);
      return undefined;
    });
    this.#settleItems(entry, items, values, (value, item) => this.#judge(entry, value as JsonObject, item), absent);
  }

  #externalReference(entry: ExternalEntry, item: Item): ObjectReference {
    const { apiVersion, objectKind: kind } = entry;
    const name = this.#text(entry.name!, item);
    const given = entry.namespace === undefined ? undefined : this.#text(entry.namespace, item);
    const namespaced = entry.namespaced ?? this.#scope(entry, apiVersion, kind);
    if (!namespaced) return { apiVersion, kind, name };
    const namespace = given ?? this.#instanceNamespace();
    if (namespace === undefined) throw new Unresolved('failed', `the ${kind} needs a namespace: the instance is in none`, entry.path);
    return { apiVersion, kind, namespace, name };
  }

  #externalList(entry: ExternalEntry, items: readonly Item[]): void {
    const found: JsonObject[] = [];
    const verdicts: Judgement[] = [];
    let unknown = false;
    for (const item of items) {
      const query = this.#query(entry, item);
      this.#reads.queries.push(query);
      const objects = this.#facts.objects(query);
      if (objects === undefined) {
        this.#needs.queries.push(query);
        unknown = true;
        continue;
      }
      for (const object of objects) {
        found.push(object);
        verdicts.push(this.#judge(entry, object, item));
      }
    }
    if (unknown) {
      this.#settle(entry, { kind: 'unknown', reason: `${entry.id} is not known yet` }, undefined);
      return;
    }
    const worst = verdicts.find(({ ready }) => !ready);
    this.#settle(entry, { kind: 'present', ready: worst === undefined, reason: worst?.reason ?? '' }, found);
  }

  #query(entry: ExternalEntry, item: Item): ObjectQuery {
    const rendered = this.#evaluation.render(entry.selector!, item.locals) ?? {};
    const simple = isJsonObject(rendered) && !Object.hasOwn(rendered, 'matchLabels') && !Object.hasOwn(rendered, 'matchExpressions');
    const read = labelSelectorOf(simple ? { matchLabels: rendered } : rendered);
    if (!read.ok) throw new Unresolved('failed', read.message, entry.selector!.path);
    const { apiVersion, objectKind: kind } = entry;
    const labelSelector = read.selector.text;
    const given = entry.namespace === undefined ? undefined : this.#text(entry.namespace, item);
    const namespaced = entry.namespaced ?? this.#scope(entry, apiVersion, kind);
    const namespace = given ?? this.#instanceNamespace();
    return !namespaced || entry.allNamespaces || namespace === undefined
      ? { apiVersion, kind, labelSelector }
      : { apiVersion, kind, namespace, labelSelector };
  }

  #text(template: RuleTemplate, item: Item): string {
    const rendered = this.#evaluation.render(template, item.locals);
    if (typeof rendered === 'string' && rendered !== '') return rendered;
    throw new Unresolved(
      'failed',
      `expected text, found ${rendered === undefined || rendered === '' ? 'nothing' : typeof rendered}`,
      template.path,
    );
  }

  #generated(entry: RandomEntry | X509Entry, items: readonly Item[]): void {
    const gate = this.#gate(entry);
    let absent = gate ?? `${entry.id} is not generated yet`;
    const values = this.#each(entry, items, (item) => {
      const request = this.#generateRequest(entry, item);
      const made = this.#facts.generated(request);
      const value = made && generatedValues(request, made);
      if (value === undefined) {
        if (gate === undefined) this.#generate.push(request);
        return undefined;
      }
      this.#kept.push(request);
      const renewal = renewalOf(request, made!);
      if (renewal !== undefined) {
        if (renewal <= this.#facts.now) this.#generate.push(request);
        else this.#requeue(renewal - this.#facts.now);
      }
      return value;
    });
    if (values.includes(undefined)) {
      absent = gate ?? absent;
      this.#wait(entry, absent);
    }
    this.#settleItems(entry, items, values, () => READY, absent);
  }

  #generateRequest(entry: RandomEntry | X509Entry, item: Item): GenerateRequest {
    const metadata = ownValue(this.#instance, 'metadata');
    const own = isJsonObject(metadata) ? String(metadata['name'] ?? '') : '';
    const id = item.key === '' ? entry.id : `${entry.id}/${item.key}`;
    const given = entry.secret.namespace === undefined ? undefined : this.#text(entry.secret.namespace, item);
    const namespace = given ?? this.#instanceNamespace();
    if (namespace === undefined)
      throw new Unresolved('failed', 'the instance is in no namespace: say where the Secret is with secret.namespace', entry.path);
    const suffix = `${entry.id}${item.key === '' ? '' : `-${item.key}`}`.toLowerCase().replace(/[^a-z0-9-.]/g, '-');
    const name = entry.secret.name === undefined ? `${own}-${suffix}` : this.#text(entry.secret.name, item);
    const secret = { namespace, name };
    return entry.kind === 'random'
      ? randomRequest(entry, id, secret)
      : x509Request(entry, id, secret, this.#evaluation.render(entry.subject, item.locals), this.#instanceNamespace());
  }

  #callAll(entry: CallEntry, items: readonly Item[]): void {
    const gate = this.#gate(entry);
    let absent = gate ?? `${entry.id} has no answer yet`;
    const values = this.#each(entry, items, (item): CelValue | undefined => {
      const request = this.#callRequest(entry, item);
      const result = this.#facts.call(request);
      if (result === undefined || !isExpected(request.request, result.status)) {
        if (result !== undefined) absent = `${entry.id} answered ${result.status}`;
        if (gate === undefined) this.#calls.push(request);
        return undefined;
      }
      if (request.refreshAfter !== undefined) {
        const due = result.at + request.refreshAfter - this.#facts.now;
        if (due > 0) this.#requeue(due);
        else if (gate === undefined) this.#calls.push(request);
      }
      const value = callValue(result);
      if (entry.undo !== undefined) {
        const content = this.#evaluation.render(entry.undo.content, { ...item.locals, [entry.id]: value });
        this.#undo.push({ id: request.id, key: request.key, request: httpRequestOf(entry.undo, content) });
      }
      return value;
    });
    if (values.includes(undefined)) this.#wait(entry, absent);
    this.#settleItems(entry, items, values, () => READY, absent);
  }

  #callRequest(entry: CallEntry, item: Item): CallRequest {
    const metadata = ownValue(this.#instance, 'metadata');
    const uid = isJsonObject(metadata) ? String(ownValue(metadata, 'uid') ?? ownValue(metadata, 'name') ?? '') : '';
    const id = item.key === '' ? entry.id : `${entry.id}/${item.key}`;
    const key = entry.idempotencyKey === undefined ? `${uid}/${id}` : this.#text(entry.idempotencyKey, item);
    const request = httpRequestOf(entry.http, this.#evaluation.render(entry.http.content, item.locals));
    if (entry.refresh === undefined) return { id, key, request };
    const refreshAfter = durationOf(this.#evaluation.render(entry.refresh, item.locals) ?? '');
    if (refreshAfter === undefined) throw new Unresolved('failed', 'refresh must be a duration, as 1h', entry.refresh.path);
    return { id, key, request, refreshAfter };
  }

  #requeue(milliseconds: number): void {
    const wanted = Math.max(1, milliseconds);
    this.#requeueAfter = this.#requeueAfter === undefined ? wanted : Math.min(this.#requeueAfter, wanted);
  }

  #status(): JsonObject | undefined {
    const { status } = this.#rule;
    if (status === undefined) return undefined;
    const rendered = renderStatus(status, (leaf) => this.#renderOr(leaf, undefined));
    return isJsonObject(rendered) ? rendered : {};
  }

  /** A template for a reader: nothing where what it reads is not there. */
  #renderOr(template: RuleTemplate, otherwise: Json | undefined): Json | undefined {
    try {
      return this.#evaluation.render(template, undefined, true);
    } catch (error) {
      if (!(error instanceof Unresolved)) throw error;
      if (error.kind === 'failed') this.#failures.push({ path: error.path, message: error.reason });
      return otherwise;
    }
  }

  #condition({ type, expression, reason, message }: CompiledRule['conditions'][number]) {
    const words = (template: RuleTemplate | undefined, otherwise: string): string => {
      const rendered = template === undefined ? undefined : this.#renderOr(template, undefined);
      return typeof rendered === 'string' && rendered !== '' ? rendered : otherwise;
    };
    try {
      const holds = this.#evaluation.evaluate(expression, undefined, true) === true;
      const status = holds ? ('True' as const) : ('False' as const);
      return { type, status, reason: words(reason, holds ? type : `Not${type}`), message: words(message, '') };
    } catch (error) {
      if (!(error instanceof Unresolved)) throw error;
      if (error.kind === 'failed') this.#failures.push({ path: error.path, message: error.reason });
      return { type, status: 'Unknown' as const, reason: error.kind === 'failed' ? 'Failed' : 'Waiting', message: error.reason };
    }
  }

  #readRequeueAfter(): void {
    const { requeueAfter } = this.#rule;
    if (requeueAfter === undefined) return;
    const rendered = this.#renderOr(requeueAfter, undefined);
    if (rendered === undefined || rendered === null) return;
    const milliseconds = durationOf(rendered);
    if (milliseconds === undefined)
      this.#failures.push({ path: requeueAfter.path, message: `expected a duration, as 5m, found ${JSON.stringify(rendered)}` });
    else this.#requeue(milliseconds);
  }
}

const referenceKey = ({ apiVersion, kind, namespace, name }: ObjectReference): string => `${apiVersion}/${kind}/${namespace ?? ''}/${name}`;

/** `Deployment shop/web`. */
export function describe({ kind, namespace, name }: ObjectReference): string {
  return `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
}
