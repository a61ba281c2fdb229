import { type JsonObject, jsonEqual, ownValue } from '../../engine/object/json.ts';
import { metadataOf } from '../../engine/object/metadata.ts';
import { parseApiVersion } from '../../engine/object/type-table.ts';
import type {
  CallResult,
  DesiredObject,
  ObjectReference,
  ReconcilePlan,
  ReconcileRule,
  StatusCondition,
  UndoCall,
} from '../../engine/rules/reconcile/program.ts';
import { type ApplyContext, type ApplyOutcome, applyObject } from './apply.ts';
import { type CallContext, journalOf, keepUndos, makeCall, undoCalls } from './calls.ts';
import { autoscaledBy } from './child.ts';
import type { Environment, InstanceMemory } from './environment.ts';
import { InstanceFacts, type RuleSources } from './facts.ts';
import { generateValue } from './generated-values.ts';
import { composeStatus, conditionsWith, FIRST_CONDITIONS, statusDiffers, statusFields, statusOf } from './instance-status.ts';
import { EMPTY_INVENTORY, parseKind, readInventory, referenceText } from './inventory.ts';
import { hasJournal, type KeeperContext, keepInventory, shrinkInventory } from './inventory-keeper.ts';
import type { JournalEntry } from './journal.ts';
import type { KindSource } from './kind-source.ts';
import { generationOf, isDeleting, nameOf, namespaceOf, uidOf } from './ownership.ts';
import { type Problem, problem, problemOf } from './problem.ts';
import type { ForeignReads } from './readers.ts';
import { type Child, childReference, childrenOf, releasePartials, removeChildren } from './removal.ts';
import { isGone, placeOf, typeOf, UnknownKind } from './writer.ts';

export interface ReconcileContext {
  readonly env: Environment;
  readonly rule: ReconcileRule;
  readonly sources: RuleSources;
  readonly instances: KindSource;
  readonly memory: InstanceMemory;
  /** Told of what was read before anything is awaited: what changes meanwhile must not be missed. */
  readonly onReads: (reads: ForeignReads) => void;
}

export interface ReconcileOutcome {
  /** What kept the plan from being performed, and what keeps the rule from making a better one. */
  readonly problems: readonly Problem[];
  /** Sources whose knowledge is waited for. */
  readonly pending: readonly KindSource[];
  /** Kinds that are not served and may come. */
  readonly absentKinds: ReadonlySet<string>;
  /** Milliseconds after which to look again without an event. */
  readonly again: number | undefined;
}

/** Looks at one instance in one go: each makes what the next depends on. A rule that wants another each time ends here. */
const MOST_ROUNDS = 50;

/**
 * Makes true what the rule says of an instance, as far as it goes now. Asks the rule again after everything it did, so that what the
 * cluster answered counts at once, and writes the status at the end.
 */
export async function reconcileInstance(context: ReconcileContext, seen: JsonObject): Promise<ReconcileOutcome> {
  const run = new Run(context, seen);
  return run.perform();
}

class Run {
  readonly #context: ReconcileContext;
  #instance: JsonObject;
  readonly #problems: Problem[] = [];
  /** Objects that failed in this run, with why: they are not tried again before the next. */
  readonly #failed = new Map<string, Problem>();
  /** Values that were made in this run. */
  readonly #made = new Set<string>();
  #again: number | undefined;
  #facts: InstanceFacts;

  constructor(context: ReconcileContext, seen: JsonObject) {
    this.#context = context;
    this.#instance = seen;
    this.#facts = this.#newFacts();
  }

  async perform(): Promise<ReconcileOutcome> {
    await this.#firstStatus();
    await this.#openJournal();
    for (let round = 0; ; round++) {
      const plan = await this.#ask();
      if (plan === undefined) return this.#outcome();
      if (round === MOST_ROUNDS) {
        this.#context.env.log('warn', 'an instance does not settle', { rule: this.#context.rule.name, instance: this.#name });
        this.#lookAgain(1000);
      } else {
        this.#instance = await keepInventory(this.#keeper, this.#instance, plan);
        if (await this.#generate(plan)) continue;
        if (await this.#call(plan)) continue;
        if (await this.#apply(plan)) continue;
        await this.#tidy(plan);
      }
      await this.#writeStatus(plan);
      if (plan.requeueAfter !== undefined) this.#lookAgain(plan.requeueAfter);
      this.#problems.push(...this.#planned(plan));
      return this.#outcome();
    }
  }

  /** What the plan itself says is wrong. Its conditions tell of it already, but those of decorated objects are not ours to write. */
  #planned({ conditions, waiting }: ReconcilePlan): readonly Problem[] {
    const stalled = conditions.find(({ type, status }) => type === 'Stalled' && status === 'True');
    if (stalled !== undefined) return [problem(stalled.reason, stalled.message, true)];
    // Whoever waits for a kind is told by its coming: trying again would not help.
    return waiting.length === 0
      ? []
      : [...this.#facts.absentKinds].map((text) => {
          const { apiVersion, kind } = parseKind(text);
          return problem('UnknownKind', new UnknownKind(apiVersion, kind).message, true);
        });
  }

  get #keeper(): KeeperContext {
    const { env, rule, instances } = this.#context;
    return { env, rule, instances };
  }

  get #name(): string {
    return `${namespaceOf(this.#instance)}/${nameOf(this.#instance)}`;
  }

  #lookAgain(after: number): void {
    this.#again = this.#again === undefined ? after : Math.min(this.#again, after);
  }

  #outcome(): ReconcileOutcome {
    const { pending, absentKinds } = this.#facts;
    return { problems: this.#problems, pending: [...pending], absentKinds, again: this.#again };
  }

  #newFacts(answer?: { readonly id: string; readonly entry: JournalEntry }): InstanceFacts {
    const { env, sources, memory } = this.#context;
    let journal: ReadonlyMap<string, JournalEntry> = memory.journal?.entries ?? new Map<string, JournalEntry>();
    if (answer !== undefined) journal = new Map(journal).set(answer.id, answer.entry);
    const failedCalls = new Map<string, { readonly key: string; readonly result: CallResult }>();
    for (const [id, { key, result }] of memory.failedCalls)
      if (result !== undefined && id !== answer?.id) failedCalls.set(id, { key, result });
    return new InstanceFacts({
      client: env.client,
      sources,
      instanceUid: uidOf(this.#instance),
      now: env.clock.now(),
      journal,
      failedCalls,
    });
  }

  /** The plan as things are; undefined where facts are not there yet, which others will tell of. */
  async #ask(): Promise<ReconcilePlan | undefined> {
    const { rule, env, onReads } = this.#context;
    for (;;) {
      this.#facts = this.#newFacts();
      const answer = rule.reconcile(this.#instance, this.#facts);
      onReads(this.#facts.reads);
      if (this.#facts.unknownScopes.size > 0) {
        try {
          await Promise.all(
            [...this.#facts.unknownScopes.values()].map(({ apiVersion, kind }) => env.client.discovery.resourceOf(apiVersion, kind)),
          );
        } catch (error) {
          this.#problems.push(problemOf(error, 'discover', 'kinds'));
          return undefined;
        }
        continue;
      }
      // What was not known went into the plan as if it were not there: nothing may be done by it.
      if (this.#facts.pending.size > 0) return undefined;
      if (answer.kind === 'plan') return answer.plan;
      // A source came to know everything between two questions.
      if (answer.needs.objects.length + answer.needs.queries.length + answer.needs.scopes.length === 0) return undefined;
      this.#lookAgain(100);
      return undefined;
    }
  }

  /** A new instance says at once that it is not ready: without conditions, kstatus would take it for current. */
  async #firstStatus(): Promise<void> {
    if (this.#context.rule.instance.decorated || ownValue(statusOf(this.#instance), 'conditions') !== undefined) return;
    await this.#putStatus(undefined, FIRST_CONDITIONS);
  }

  async #openJournal(): Promise<void> {
    const { env, rule, memory } = this.#context;
    if (memory.journal !== undefined || !hasJournal(this.#instance, rule.name)) return;
    await journalOf({ env, rule, instance: this.#instance, memory });
  }

  /** Answers whether the rule is to be asked again. */
  async #generate(plan: ReconcilePlan): Promise<boolean> {
    const { env, rule, sources } = this.#context;
    let made = false;
    for (const request of plan.generate) {
      const text = `generate ${request.id}`;
      if (this.#failed.has(text)) continue;
      if (this.#made.has(text)) {
        // Wanted once more at once: what was made ends before it is to be renewed.
        const message = `what was made for ${request.id} is due again already: its issuer ends too soon, renew that first`;
        this.#fail(text, problem('CannotRenew', message, true));
        continue;
      }
      const context = { env, rule, instance: this.#instance, secrets: sources.generated(), deletion: rule.deletion };
      const found = await generateValue(context, request);
      if (found === undefined) {
        made = true;
        this.#made.add(text);
      } else this.#fail(text, found);
    }
    return made;
  }

  async #call(plan: ReconcilePlan): Promise<boolean> {
    const context = this.#callContext;
    let answered = false;
    for (const request of plan.calls) {
      const text = `call ${request.id}`;
      if (this.#failed.has(text)) continue;
      const outcome = await makeCall(context, request);
      answered ||= outcome.answered;
      if (outcome.problem !== undefined) this.#fail(text, outcome.problem);
      if (outcome.again !== undefined) this.#lookAgain(outcome.again);
    }
    if (!answered) await keepUndos(context, plan.undo);
    return answered;
  }

  get #callContext(): CallContext {
    const { env, rule, memory } = this.#context;
    return { env, rule, instance: this.#instance, memory, undoOf: (id, key, result) => this.#undoOf(id, key, result) };
  }

  #undoOf(id: string, key: string, result: CallResult): UndoCall | undefined {
    const facts = this.#newFacts({ id, entry: { key, state: 'done', result } });
    const answer = this.#context.rule.reconcile(this.#instance, facts);
    return answer.kind === 'plan' ? answer.plan.undo.find((undo) => undo.id === id && undo.key === key) : undefined;
  }

  /** Level by level; answers whether something changed, so that the rule is to be asked before the next level. */
  async #apply(plan: ReconcilePlan): Promise<boolean> {
    const { env, rule, sources, memory } = this.#context;
    const context: ApplyContext = {
      env,
      rule,
      instance: this.#instance,
      memory,
      children: (apiVersion, kind) => sources.children(apiVersion, kind),
      foreign: (apiVersion, kind) => sources.foreign(apiVersion, kind),
      isAutoscaled: autoscaledBy(plan.objects),
    };
    for (const level of byLevel(plan.objects)) {
      const tried = level.filter((desired) => !this.#failed.has(referenceText(desired.reference)));
      const outcomes = await settleAll(tried.map((desired) => applyObject(context, desired)));
      let changed = false;
      outcomes.forEach((outcome, i) => {
        changed ||= outcome.changed;
        if (outcome.again !== undefined) this.#lookAgain(outcome.again);
        if (outcome.problem !== undefined) this.#fail(referenceText(tried[i]!.reference), outcome.problem);
      });
      if (changed) return true;
      if (level.some((desired) => this.#failed.has(referenceText(desired.reference)))) return false;
    }
    return false;
  }

  #fail(text: string, found: Problem): void {
    this.#failed.set(text, found);
    this.#problems.push(found);
  }

  /** Undoes and prunes what is not wanted any more. */
  async #tidy(plan: ReconcilePlan): Promise<void> {
    const { env, rule, sources, memory } = this.#context;
    const revoked = new Set(plan.revoked);
    let calls = hasJournal(this.#instance, rule.name);
    if (calls && revoked.size > 0) {
      const outcome = await undoCalls(this.#callContext, revoked);
      if (outcome.problem !== undefined) this.#problems.push(outcome.problem);
      if (outcome.again !== undefined) this.#lookAgain(outcome.again);
    }
    if (this.#problems.length > 0 || isDeleting(this.#instance)) return;
    const inventory = readInventory(this.#instance, rule.name) ?? EMPTY_INVENTORY;
    const { children, pending } = childrenOf(env, rule, sources.holder, uidOf(this.#instance), inventory);
    if (pending.length > 0) {
      for (const source of pending) this.#facts.pending.add(source);
      return;
    }
    // Everything wanted was applied, so that it is among them: as many as are wanted are the ones that are wanted.
    const secrets = new Set([...plan.generate, ...plan.kept].map(({ secret }) => `${secret.namespace}/${secret.name}`));
    const wantedCount = plan.objects.filter(({ partial }) => !partial).length + secrets.size;
    const strays = children.length === wantedCount ? [] : straysOf(plan, children);
    let left = 0;
    if (strays.length > 0) {
      const removal = await removeChildren(env, strays);
      this.#problems.push(...removal.problems);
      left = removal.left;
      for (const child of strays) memory.applied.delete(childReference(child));
      env.log('info', 'pruned', { rule: rule.name, instance: this.#name, objects: strays.length });
      // A level that is gone at once makes room for the next.
      if (left === 0 && removal.problems.length === 0)
        left = straysOf(plan, childrenOf(env, rule, sources.holder, uidOf(this.#instance), inventory).children).length;
      if (left > 0) this.#lookAgain(left === strays.length ? 5000 : 0);
    }
    const retained = new Set(plan.retain);
    const wanted = new Set(plan.objects.filter(({ partial }) => partial).map(({ reference }) => referenceText(reference)));
    // Fields on foreign objects carry no id: they are let go only when everything that is wanted is known.
    const released = retained.size + plan.waiting.length > 0 ? [] : inventory.partial.filter((each) => !wanted.has(referenceText(each)));
    this.#problems.push(...(await releasePartials(env, rule, this.#instance, released)));
    if (left > 0 || this.#problems.length > 0 || retained.size + plan.waiting.length > 0) return;
    if (calls && memory.journal !== undefined && memory.journal.entries.size === 0 && plan.calls.length === 0) {
      await memory.journal.remove();
      calls = false;
    }
    this.#instance = await shrinkInventory(this.#keeper, this.#instance, plan, calls);
  }

  async #writeStatus(plan: ReconcilePlan): Promise<void> {
    const { rule } = this.#context;
    if (rule.instance.decorated) {
      // Conditions of others' kinds are theirs, but for those that the rule adds.
      const own = plan.conditions.filter(({ type }) => type !== 'Ready' && type !== 'Reconciling' && type !== 'Stalled');
      if (plan.status !== undefined || own.length > 0) await this.#putStatus(plan.status, own);
      return;
    }
    await this.#putStatus(plan.status, conditionsWith(plan.conditions, this.#problems));
  }

  async #putStatus(fields: JsonObject | undefined, conditions: readonly StatusCondition[]): Promise<void> {
    const { env, rule, memory, instances } = this.#context;
    const { decorated } = rule.instance;
    const before = this.#instance;
    const observed = statusOf(before);
    const generation = decorated ? undefined : generationOf(before);
    const status = composeStatus({ fields, conditions, generation, now: env.clock.now() }, observed);
    const written = memory.statusFields ?? (decorated ? new Set<string>() : undefined);
    if (!statusDiffers(status, observed, written)) {
      memory.statusFields = statusFields(status);
      return;
    }
    const { apiVersion, kind } = typeOf(before);
    const namespace = namespaceOf(before);
    const metadata = { ...(namespace === '' ? {} : { namespace }), name: nameOf(before), uid: uidOf(before) };
    try {
      const answer = await env.writer.apply(
        { apiVersion, kind, metadata, status },
        { fieldManager: rule.fieldManager, subresource: 'status', force: true },
      );
      memory.statusFields = statusFields(status);
      this.#instance = instances.wrote(answer);
    } catch (error) {
      if (!isGone(error)) throw error;
      return;
    }
    // The echo of this write is not looked at; what somebody else wrote before it must be.
    if (!sameInput(before, this.#instance)) this.#lookAgain(0);
  }
}

/** Whether nothing but the status differs. */
function sameInput(a: JsonObject, b: JsonObject): boolean {
  const bare = (object: JsonObject): JsonObject => {
    const { resourceVersion: _, ...metadata } = metadataOf(object);
    return { ...object, metadata, status: null };
  };
  return jsonEqual(bare(a), bare(b));
}

function byLevel(objects: readonly DesiredObject[]): readonly (readonly DesiredObject[])[] {
  const levels = new Map<number, DesiredObject[]>();
  for (const desired of objects) {
    const level = levels.get(desired.level);
    if (level === undefined) levels.set(desired.level, [desired]);
    else level.push(desired);
  }
  return [...levels].sort(([a], [b]) => a - b).map(([, level]) => level);
}

/** Waits for all, so that nothing runs on behind a failure's back. */
async function settleAll(promises: readonly Promise<ApplyOutcome>[]): Promise<readonly ApplyOutcome[]> {
  const settled = await Promise.allSettled(promises);
  return settled.map((each) => {
    if (each.status === 'rejected') throw each.reason;
    return each.value;
  });
}

/** Objects that exist for the instance and are not wanted: except those of entries of which it is not known what they should be. */
export function straysOf<T extends Pick<Child, 'object' | 'mark'>>(plan: ReconcilePlan, children: readonly T[]): readonly T[] {
  const wanted = new Set(plan.objects.map(({ reference }) => objectIdentity(reference)));
  for (const { secret } of [...plan.generate, ...plan.kept]) wanted.add(objectIdentity({ apiVersion: 'v1', kind: 'Secret', ...secret }));
  const unknown = new Set([...plan.retain, ...plan.waiting.map(({ id }) => id)]);
  return children.filter(
    ({ object, mark }) => !wanted.has(objectIdentity({ ...typeOf(object), ...placeOf(object) })) && !unknown.has(mark.id),
  );
}

/** The same object in all versions in which it is served. */
function objectIdentity({ apiVersion, kind, namespace, name }: ObjectReference): string {
  return `${parseApiVersion(apiVersion).group}/${kind} ${namespace ?? ''}/${name}`;
}
