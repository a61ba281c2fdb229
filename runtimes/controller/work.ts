import type { JsonObject } from '../../engine/object/json.ts';
import { parseApiVersion } from '../../engine/object/type-table.ts';
import type { ReconcileRule } from '../../engine/rules/reconcile/program.ts';
import type { BundleSource } from '../host/bundle-watch.ts';
import type { Clock } from '../host/clock.ts';
import type { Log } from '../host/log.ts';
import { failureText } from '../kubernetes/api-error.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import type { StoreChange } from '../kubernetes/informer.ts';
import { createWorkQueue, type WorkPriority, type WorkQueue } from '../kubernetes/work-queue.ts';
import type { ControllerMetrics } from './controller-metrics.ts';
import { type ControllerStatus, definitionProblem, type RuleStatus, servesInstances } from './controller-status.ts';
import { DEFINITION_FIELDS, DEFINITION_KIND, ensureDefinition, groupOf } from './definitions.ts';
import { type Applied, createMemory, type Environment, type InstanceMemory } from './environment.ts';
import { CHILDREN } from './facts.ts';
import { finalize } from './finalize.ts';
import { createGate } from './gate.ts';
import { parseKind } from './inventory.ts';
import { KeySets } from './key-sets.ts';
import { type KindSource, sourceText } from './kind-source.ts';
import {
  finalizerOf,
  finalizersOf,
  generationOf,
  INSTANCE_LABEL,
  isDeleting,
  isPaused,
  labelOf,
  nameOf,
  namespaceOf,
  RULE_LABEL,
  ruleLabel,
  uidOf,
} from './ownership.ts';
import { type Problem, worstOf } from './problem.ts';
import { type ForeignReads, Readers } from './readers.ts';
import { reconcileInstance } from './reconcile.ts';
import type { RuleRegistry } from './rule-registry.ts';
import {
  type ActiveRule,
  type KnownRule,
  parseWorkKey,
  placeOfKey,
  type RetiredRule,
  RuleSet,
  registeredRule,
  workKey,
} from './rule-set.ts';
import { Sources } from './sources.ts';
import { isGone, isPreconditionFailure, typeOf, WritingStopped } from './writer.ts';
import { keyOf } from './written-objects.ts';

/** What an {@link Environment} needs to know of the work. */
export type WorkParts = Pick<Environment, 'sources' | 'isLivingManager' | 'instanceLives'>;

export interface WorkOptions {
  readonly client: KubernetesClient;
  readonly bundle: BundleSource;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly metrics: ControllerMetrics;
  readonly concurrency: number;
  readonly environment: (parts: WorkParts) => Environment;
}

/** Milliseconds after which something that waits for a person is looked at without an event. */
const STALLED_RETRY = 10 * 60_000;
/** Milliseconds after which kinds that are not served are asked for again, where nobody tells that they have come. */
const ABSENT_RETRY = 30_000;
/** Who holds what the controller itself watches. */
const OWN_HOLDER = 'controller';

/** Decides what is to be looked at, and looks at it: from news to {@link reconcileInstance}. */
export class Work {
  readonly #options: WorkOptions;
  readonly #env: Environment;
  readonly #sources: Sources;
  readonly #rules: RuleSet;
  readonly #queue: WorkQueue;
  readonly #definitions: KindSource;
  readonly #memories = new Map<string, InstanceMemory>();
  readonly #failing = new Set<string>();
  readonly #readers = new Readers();
  /** Keys of instances by their uid. */
  readonly #owners = new KeySets();
  /** Keys that wait for a source to know everything. */
  readonly #waiting = new KeySets();
  /** Keys that wait for a kind to be served. */
  readonly #absent = new KeySets();
  readonly #appliedDefinitions = new Map<string, Applied>();
  #generation = 0;
  #bundleName = '';
  #registry: RuleRegistry | undefined;
  /** The rule that was found registered last. */
  #registered: ReconcileRule | undefined;
  #busy = 0;
  #closed = false;
  readonly #workers: Promise<void>[];
  /** Resolved while work may be done. */
  #gate = createGate();

  constructor(options: WorkOptions) {
    this.#options = options;
    const { client, clock, random, log } = options;
    this.#queue = createWorkQueue({ groupOf: (key) => parseWorkKey(key).rule, clock, random });
    this.#sources = new Sources({
      client,
      clock,
      random,
      log,
      onChange: (source, change, echo) => this.#onChange(source, change, echo),
      onKnown: (source) => this.#onKnown(source),
    });
    this.#rules = new RuleSet(this.#sources);
    this.#definitions = this.#sources.hold(OWN_HOLDER, { ...DEFINITION_KIND, labelSelector: '' }, DEFINITION_FIELDS);
    this.#env = options.environment({
      sources: this.#sources,
      isLivingManager: (manager) =>
        [...this.#rules.active()].some(({ fieldManager }) => manager === fieldManager || manager.startsWith(`${fieldManager}:`)),
      instanceLives: (uid) => this.#owners.has(uid),
    });
    this.#workers = Array.from({ length: options.concurrency }, () => this.#worker());
  }

  get queued(): number {
    return this.#queue.length;
  }

  /** Takes over the newest good bundle. */
  refresh(): void {
    const active = this.#options.bundle.current();
    if (active === undefined || active.generation === this.#generation || this.#closed) return;
    this.#generation = active.generation;
    this.#bundleName = active.bundle.name;
    const { changed, gone } = this.#rules.replace(active.program.reconcile, this.#registry?.rules ?? new Map());
    for (const name of gone)
      this.#options.log('info', 'rule has gone; its instances are left as they are, and cleaned up when they go', { rule: name });
    for (const rule of changed) {
      this.#queue.add(workKey(rule.name, ''), 'changed');
      this.#addInstances(rule);
    }
    for (const known of this.#rules.all()) if (known.kind === 'retired') this.#addInstances(known);
  }

  /** Works until the signal aborts, then resolves when nothing is being done any more. */
  async run(registry: RuleRegistry, signal: AbortSignal): Promise<void> {
    this.#registry = registry;
    this.#registered = undefined;
    // Another may have led meanwhile: what we remember of journals and applied objects is from before.
    this.#memories.clear();
    this.#appliedDefinitions.clear();
    for (const registered of registry.rules.values()) if (this.#rules.get(registered.name) === undefined) this.#rules.retire(registered);
    for (const known of this.#rules.all()) {
      if (known.kind === 'active') this.#queue.add(workKey(known.name, ''), 'changed');
      this.#addInstances(known);
    }
    if (signal.aborted) return;
    this.#gate.open();
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    this.#gate = createGate();
    while (this.#busy > 0) await new Promise<void>((resolve) => void setImmediate(resolve));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#gate.open();
    await this.#queue.shutdown();
    await Promise.all(this.#workers);
    this.#sources.close();
  }

  /** Whether there is nothing to do but to wait. */
  isIdle(): boolean {
    if (!this.#gate.isOpen || this.#queue.length > 0 || this.#queue.processing > 0) return false;
    if ((this.#options.bundle.current()?.generation ?? this.#generation) !== this.#generation) return false;
    for (const source of this.#sources.all()) if (source.state === 'starting' || !source.caughtUp) return false;
    return true;
  }

  failure(): string | undefined {
    const [first] = this.#unreachable();
    return first;
  }

  status(): Omit<ControllerStatus, 'leading' | 'missingAccess'> {
    const rules: RuleStatus[] = [];
    const retired: string[] = [];
    for (const known of this.#rules.all()) {
      if (known.kind === 'retired') retired.push(known.name);
      else {
        const failing = [...this.#failing].filter((key) => parseWorkKey(key).rule === known.name).length;
        const problem = definitionProblem(known.definition);
        rules.push({ rule: known.name, problem, serves: servesInstances(known), instances: known.instances.size, failing });
      }
    }
    return { rules, retired, unreachable: this.#unreachable() };
  }

  #unreachable(): string[] {
    const found: string[] = [];
    for (const source of this.#sources.all()) {
      const why = source.failure();
      if (why !== undefined) found.push(`${source.key.kind}: ${why}`);
    }
    return found;
  }

  #addInstances({ name, instances }: KnownRule): void {
    for (const object of instances.list()) this.#queue.add(workKey(name, keyOf(object)), 'initial');
  }

  // News.

  #onChange(source: KindSource, change: StoreChange, echo: boolean): void {
    const priority: WorkPriority = change.initial ? 'initial' : 'changed';
    const { labelSelector } = source.key;
    if (source === this.#definitions && !change.initial && !echo) this.#onDefinition(change.object);
    if (labelSelector === CHILDREN && !echo) this.#onChild(change, priority);
    else if (labelSelector === '') {
      const reference = { ...typeOf(change.object), namespace: namespaceOf(change.object), name: nameOf(change.object) };
      const states = change.previous === undefined ? [change.object] : [change.object, change.previous];
      for (const key of this.#readers.of(reference, states)) this.#queue.add(key, priority);
    }
    // Whoever wrote the status of an instance has seen it; the rules that read the instance have not. One that is gone is forgotten.
    if (echo && change.type !== 'deleted') return;
    for (const rule of this.#rules.ofInstances(source)) {
      const key = workKey(rule.name, change.key);
      if (change.type !== 'deleted') this.#owners.add(uidOf(change.object), key);
      this.#queue.add(key, priority);
    }
  }

  #onChild({ object, previous }: StoreChange, priority: WorkPriority): void {
    const uid = labelOf(object, INSTANCE_LABEL) ?? (previous === undefined ? undefined : labelOf(previous, INSTANCE_LABEL));
    if (uid === undefined) return;
    const label = labelOf(object, RULE_LABEL);
    for (const key of this.#owners.of(uid)) {
      if (label === undefined || label === ruleLabel(parseWorkKey(key).rule)) this.#queue.add(key, priority);
    }
  }

  #onDefinition(definition: JsonObject): void {
    const group = groupOf(definition);
    this.#options.client.discovery.invalidate(group);
    this.#sources.retryAbsent();
    for (const { rule, name } of this.#rules.active()) {
      if (rule.definition !== undefined && nameOf(rule.definition) === nameOf(definition)) this.#queue.add(workKey(name, ''));
    }
    this.#wakeAbsent(group);
  }

  #onKnown(source: KindSource): void {
    for (const key of this.#waiting.take(sourceText(source.key))) this.#queue.add(key);
    if (source.state === 'synced') this.#wakeAbsent(parseApiVersion(source.key.apiVersion).group);
    if (source === this.#definitions) {
      for (const { rule, name } of this.#rules.active()) if (rule.definition !== undefined) this.#queue.add(workKey(name, ''));
    }
    for (const rule of this.#rules.ofInstances(source)) if (rule.kind === 'retired') this.#queue.add(workKey(rule.name, ''));
  }

  #wakeAbsent(group: string): void {
    for (const kind of this.#absent.names()) {
      if (parseApiVersion(parseKind(kind).apiVersion).group !== group) continue;
      for (const key of this.#absent.take(kind)) this.#queue.add(key);
    }
  }

  // Work.

  async #worker(): Promise<void> {
    for (;;) {
      const key = await this.#queue.take();
      if (key === undefined) return;
      try {
        while (!this.#gate.isOpen) await this.#gate.opened;
        if (this.#closed) continue;
        this.#busy++;
        try {
          await this.#process(key);
        } finally {
          this.#busy--;
        }
      } finally {
        this.#queue.done(key);
      }
    }
  }

  async #process(key: string): Promise<void> {
    const { clock, metrics, log } = this.#options;
    const { rule: name, instance: place } = parseWorkKey(key);
    const rule = this.#rules.get(name);
    if (rule === undefined) return this.#forget(key);
    const started = clock.elapsed();
    try {
      if (place === '') {
        if (rule.kind === 'active') await this.#define(rule);
        else await this.#forgetRetired(rule);
        return;
      }
      const { namespace, name: instanceName } = placeOfKey(place);
      const instance = rule.instances.get(namespace, instanceName);
      if (instance === undefined) {
        if (rule.instances.state === 'synced') this.#forget(key);
        if (rule.kind === 'retired') await this.#forgetRetired(rule);
        return;
      }
      const result = await this.#look(key, rule, instance);
      metrics.reconciled(name, result, (clock.elapsed() - started) / 1000);
    } catch (error) {
      if (error instanceof WritingStopped) return;
      metrics.reconciled(name, 'error', (clock.elapsed() - started) / 1000);
      // Another version than the one that was seen: it is on its way here.
      const expected = isPreconditionFailure(error) || isGone(error);
      log(expected ? 'debug' : 'warn', 'look at an instance failed', { rule: name, instance: place, reason: failureText(error) });
      this.#queue.retry(key);
    }
  }

  async #define(active: ActiveRule): Promise<void> {
    const { rule, name } = active;
    const key = workKey(name, '');
    if (rule.definition === undefined) return;
    if (this.#definitions.state === 'starting') return;
    const before = active.definition;
    const state = await ensureDefinition(
      {
        env: this.#env,
        rule,
        definitions: this.#definitions,
        bundle: this.#bundleName,
        isLivingRule: (label) => [...this.#rules.active()].some((each) => ruleLabel(each.name) === label),
        applied: this.#appliedDefinitions,
      },
      rule.definition,
    );
    // The rule may have been replaced meanwhile.
    const now = this.#rules.get(name);
    if (now?.kind !== 'active') return;
    now.definition = state;
    switch (state.kind) {
      case 'established':
        this.#queue.forget(key);
        break;
      case 'waiting':
        this.#queue.retry(key);
        return;
      case 'kept':
      case 'refused':
        if (definitionProblem(before) !== state.problem.message) {
          this.#options.log('error', 'definition refused', { rule: name, reason: state.problem.message });
          this.#env.report(rule.definition, 'Warning', state.problem.reason, state.problem.message);
        }
        this.#queue.addAfter(key, STALLED_RETRY);
        if (state.kind === 'refused') return;
    }
    if (before === undefined || before.kind !== state.kind) {
      this.#sources.retryAbsent();
      this.#addInstances(now);
    }
  }

  async #look(key: string, rule: KnownRule, instance: JsonObject): Promise<'ok' | 'waiting' | 'problem'> {
    const memory = this.#memoryOf(key, instance);
    if (isPaused(instance)) return 'ok';
    if (isDeleting(instance)) {
      return finalizersOf(instance).includes(finalizerOf(rule.name)) ? this.#finalize(key, rule, instance, memory) : 'ok';
    }
    if (rule.kind === 'retired') return 'ok';
    if (!servesInstances(rule)) return 'waiting';
    if (this.#registered !== rule.rule) await this.#registry?.register(registeredRule(rule.rule));
    this.#registered = rule.rule;
    const { sources, instances } = rule;
    const onReads = (reads: ForeignReads): void => this.#readers.set(key, reads);
    const outcome = await reconcileInstance({ env: this.#env, rule: rule.rule, sources, instances, memory, onReads }, instance);
    this.#await(key, outcome.pending);
    for (const kind of outcome.absentKinds) this.#absent.add(kind, key);
    if (outcome.absentKinds.size > 0) this.#queue.addAfter(key, ABSENT_RETRY);
    this.#settle(key, instance, memory, outcome.problems, outcome.again);
    return outcome.problems.length > 0 ? 'problem' : outcome.pending.length > 0 ? 'waiting' : 'ok';
  }

  async #finalize(key: string, rule: KnownRule, instance: JsonObject, memory: InstanceMemory): Promise<'ok' | 'waiting' | 'problem'> {
    const { holder, instances } = rule;
    const outcome = await finalize({ env: this.#env, rule, holder, instance, instances, memory });
    this.#await(key, outcome.pending);
    this.#settle(key, instance, memory, outcome.problems, outcome.again);
    if (outcome.done) {
      this.#options.log('info', 'instance cleaned up', { rule: rule.name, instance: keyOf(instance) });
      if (rule.kind === 'retired') await this.#forgetRetired(rule);
    }
    return outcome.problems.length > 0 ? 'problem' : outcome.done ? 'ok' : 'waiting';
  }

  #await(key: string, pending: readonly KindSource[]): void {
    for (const source of pending) {
      if (source.state === 'starting') this.#waiting.add(sourceText(source.key), key);
      // It has come to know everything since.
      else this.#queue.add(key);
    }
  }

  /** When to look again, and what to tell people. */
  #settle(key: string, instance: JsonObject, memory: InstanceMemory, problems: readonly Problem[], again: number | undefined): void {
    const worst = worstOf(problems);
    if (again !== undefined) this.#queue.addAfter(key, again);
    if (worst === undefined) {
      this.#queue.forget(key);
      this.#failing.delete(key);
      memory.reported = '';
      return;
    }
    this.#failing.add(key);
    const text = `${worst.reason}: ${worst.message}`;
    if (memory.reported !== text) {
      memory.reported = text;
      this.#env.report(instance, 'Warning', worst.reason, worst.message);
      this.#options.log('warn', 'instance is not what it is to be', { instance: key, reason: worst.reason, message: worst.message });
    }
    if (problems.every(({ stalled }) => stalled)) {
      this.#queue.addAfter(key, STALLED_RETRY);
      return;
    }
    const wait = Math.max(0, ...problems.map(({ retryAfter }) => retryAfter ?? 0));
    if (wait > 0) this.#queue.addAfter(key, wait);
    else this.#queue.retry(key);
  }

  #memoryOf(key: string, instance: JsonObject): InstanceMemory {
    const uid = uidOf(instance);
    let memory = this.#memories.get(key);
    if (memory === undefined || memory.uid !== uid) {
      if (memory !== undefined) this.#owners.delete(memory.uid, key);
      memory = createMemory(uid);
      this.#memories.set(key, memory);
      this.#owners.add(uid, key);
    }
    memory.generation = generationOf(instance);
    return memory;
  }

  #forget(key: string): void {
    const memory = this.#memories.get(key);
    if (memory !== undefined) this.#owners.delete(memory.uid, key);
    this.#memories.delete(key);
    this.#readers.forget(key);
    this.#waiting.deleteKey(key);
    this.#absent.deleteKey(key);
    this.#failing.delete(key);
    this.#queue.forget(key);
  }

  /** A rule that has gone is forgotten with its last instance. A kind that is not served may be so for a moment only. */
  async #forgetRetired(rule: RetiredRule): Promise<void> {
    if (this.#registry === undefined || rule.instances.state !== 'synced' || [...rule.instances.list()].length > 0) return;
    await this.#registry.unregister(rule.name);
    // It may have come back meanwhile.
    if (this.#rules.get(rule.name) === rule) this.#rules.forget(rule);
  }
}
