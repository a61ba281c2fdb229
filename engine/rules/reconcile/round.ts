import type { CelValue } from '../../cel/values.ts';
import { isJsonObject, type JsonObject, ownValue } from '../../object/json.ts';
import type { CompiledRule } from './compiled-rule.ts';
import type { Verdict } from './conditions.ts';
import type { Entry, RuleTemplate } from './entry.ts';
import { type EntryState, Evaluation, Unresolved } from './evaluation.ts';
import type { Item } from './items.ts';
import type {
  CallRequest,
  DesiredObject,
  GenerateRequest,
  ObjectQuery,
  ObjectReference,
  ReconcileFacts,
  ReconcileFailure,
  UndoCall,
  WaitingObject,
} from './program.ts';

/** How one entry or item is judged. */
export interface Judgement {
  readonly ready: boolean;
  /** Why it is not. */
  readonly reason: string;
  /** It will not become ready without somebody's doing. */
  readonly failed: boolean;
}

/** Nothing more can be asked of it. */
export const READY: Judgement = { ready: true, reason: '', failed: false };

/** One look at one instance: the facts, what is known of its entries so far, and the plan as it comes together. */
export class Round {
  readonly rule: CompiledRule;
  readonly instance: JsonObject;
  readonly facts: ReconcileFacts;
  readonly evaluation: Evaluation;
  readonly objects: DesiredObject[] = [];
  readonly owners = new Map<string, string>();
  readonly waiting: WaitingObject[] = [];
  readonly retain = new Set<string>();
  readonly generate: GenerateRequest[] = [];
  readonly kept: GenerateRequest[] = [];
  readonly calls: CallRequest[] = [];
  readonly undo: UndoCall[] = [];
  readonly revoked: string[] = [];
  readonly failures: ReconcileFailure[] = [];
  readonly verdicts: Verdict[] = [];
  readonly needs = {
    objects: [] as ObjectReference[],
    queries: [] as ObjectQuery[],
    scopes: [] as { readonly apiVersion: string; readonly kind: string }[],
  };
  readonly reads = { objects: [] as ObjectReference[], queries: [] as ObjectQuery[] };
  requeueAfter: number | undefined;
  /** Characters of JSON that objects of repeated entries have so far. */
  size = 0;

  constructor(rule: CompiledRule, instance: JsonObject, facts: ReconcileFacts) {
    this.rule = rule;
    this.instance = instance;
    this.facts = facts;
    this.evaluation = new Evaluation(rule, instance, facts.now);
  }

  settle(entry: Entry, state: EntryState, value: CelValue | undefined): void {
    this.evaluation.settle(entry.id, state, value);
  }

  exclude(entry: Entry): void {
    const isList = entry.loops.length > 0 || (entry.kind === 'external' && entry.selector !== undefined);
    if (entry.kind === 'call') this.revoked.push(entry.id);
    this.settle(entry, { kind: 'excluded' }, isList ? [] : {});
  }

  /** Notes why an entry or one of its items can't be had yet. */
  explain(entry: Entry, error: Unresolved): void {
    this.retain.add(entry.id);
    if (error.kind === 'failed') this.failures.push({ path: error.path, message: error.reason });
    else this.wait(entry, error.reason);
  }

  wait(entry: Entry, reason: string): void {
    this.retain.add(entry.id);
    if (!this.waiting.some((each) => each.id === entry.id && each.reason === reason)) this.waiting.push({ id: entry.id, reason });
  }

  /** What keeps an entry from going on, though everything that it reads may be known. */
  gate(entry: Entry): string | undefined {
    for (const id of entry.dependencies) {
      const state = this.evaluation.states.get(id);
      if (state === undefined || state.kind === 'excluded') continue;
      if (state.kind !== 'present') return state.reason;
      if (entry.waitFor === 'Ready' && !state.ready) return `${id} is not ready${state.reason === '' ? '' : `: ${state.reason}`}`;
    }
    return undefined;
  }

  /** Runs `work` for each item; what can't be had is noted, and the others go on. Undefined stands for an item without a value. */
  each<T>(entry: Entry, items: readonly Item[], work: (item: Item) => T | undefined): (T | undefined)[] {
    return items.map((item) => {
      try {
        return work(item);
      } catch (error) {
        if (!(error instanceof Unresolved)) throw error;
        if (error.kind === 'excluded' && entry.loops.length === 0) throw error;
        if (error.kind !== 'excluded') this.explain(entry, error);
        return undefined;
      }
    });
  }

  /** Settles an entry by the values of its items, and judges it. */
  settleItems(
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
    this.settle(entry, complete ? { kind: 'present', ready: false, reason: '' } : { kind: 'partial', reason: absent }, value);
    const verdicts = values.flatMap((each, index) => (each === undefined ? [] : [judge(each, items[index]!)]));
    const worst = verdicts.find(({ failed }) => failed) ?? verdicts.find(({ ready }) => !ready);
    for (const each of verdicts) this.verdicts.push({ id: entry.id, ...each });
    const missing = items.length - found.length;
    if (missing > 0) {
      const reason = repeats && found.length > 0 ? `${missing} of ${items.length} objects of ${entry.id} are missing: ${absent}` : absent;
      this.settle(entry, repeats ? { kind: 'partial', reason } : { kind: 'unknown', reason }, value);
    } else this.settle(entry, { kind: 'present', ready: worst === undefined, reason: worst?.reason ?? '' }, value);
  }

  instanceNamespace(): string | undefined {
    const metadata = ownValue(this.instance, 'metadata');
    const namespace = isJsonObject(metadata) ? ownValue(metadata, 'namespace') : undefined;
    return typeof namespace === 'string' && namespace !== '' ? namespace : undefined;
  }

  /** Whether objects of a kind are in namespaces; throws where that is not known, or the kind is not served. */
  scope(entry: Entry, apiVersion: string, kind: string): boolean {
    const { instance } = this.rule.source;
    if (apiVersion === instance.apiVersion && kind === instance.kind && instance.namespaced !== undefined) return instance.namespaced;
    const scope = this.facts.scope(apiVersion, kind);
    if (scope === undefined) {
      this.needs.scopes.push({ apiVersion, kind });
      throw new Unresolved('waiting', `it is not known yet whether objects of the kind ${kind} are in namespaces`, entry.path);
    }
    if (scope === null) throw new Unresolved('waiting', `the cluster does not serve ${kind} of ${apiVersion}`, entry.path);
    return scope === 'Namespaced';
  }

  /** The object as it was observed, null where there is none; undefined where that has to be asked for. */
  observe(reference: ObjectReference): JsonObject | null | undefined {
    this.reads.objects.push(reference);
    const found = this.facts.object(reference);
    if (found === undefined) this.needs.objects.push(reference);
    return found;
  }

  text(template: RuleTemplate, item: Item): string {
    const rendered = this.evaluation.render(template, item.locals);
    if (typeof rendered === 'string' && rendered !== '') return rendered;
    throw new Unresolved(
      'failed',
      `expected text, found ${rendered === undefined || rendered === '' ? 'nothing' : typeof rendered}`,
      template.path,
    );
  }

  requeue(milliseconds: number): void {
    const wanted = Math.max(1, milliseconds);
    this.requeueAfter = this.requeueAfter === undefined ? wanted : Math.min(this.requeueAfter, wanted);
  }
}
