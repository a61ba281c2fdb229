import { compileBundle } from '../../../engine/bundle/compile.ts';
import { isJsonObject, type JsonObject, ownValue } from '../../../engine/object/json.ts';
import { metadataOf } from '../../../engine/object/metadata.ts';
import type { ReconcileRule } from '../../../engine/rules/reconcile/program.ts';
import { type Diagnostic, isError } from '../../../engine/text/diagnostic.ts';
import type { Document } from '../../../engine/text/document.ts';
import type { ActiveBundle, BundleSource } from '../../host/bundle-watch.ts';
import type { Clock, Timer } from '../../host/clock.ts';
import type { Log } from '../../host/log.ts';
import { ApiError, failureText } from '../../kubernetes/api-error.ts';
import type { KubernetesClient } from '../../kubernetes/client.ts';
import type { StoreChange } from '../../kubernetes/informer.ts';
import type { RuleStatus } from '../controller-status.ts';
import { composeStatus, statusDiffers, statusOf } from '../instance-status.ts';
import { KindSource } from '../kind-source.ts';
import { generationOf, isDeleting, nameOf, uidOf } from '../ownership.ts';
import { isGone, type Writer, WritingStopped } from '../writer.ts';
import type { RuleKind, RuleVerdict } from './rule-kind.ts';
import { RULE_KINDS } from './rule-kinds.ts';

export interface ClusterRulesOptions {
  readonly client: KubernetesClient;
  readonly writer: Writer;
  /** Rules of files, which come first: an object of the name of one of them is refused. */
  readonly bundle: BundleSource;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** Whether status may be written. */
  readonly leads: () => boolean;
  /** What has become of the rules so far. */
  readonly statusOfRules: () => readonly RuleStatus[];
  /** There is another bundle to serve. */
  readonly onChange: () => void;
}

/** Bundle of all rules that are objects: what they make is claimed under its name. */
const BUNDLE = 'cluster';

/** Milliseconds to wait for more of the same before rules are compiled. */
const SETTLE = 20;
/** Milliseconds between looks at what has become of the rules. */
const REPORT = { period: 250, longestRetry: 60_000 } as const;
/** Milliseconds in which a rule that is on its way to be served is not told of as one that is not. */
const PATIENCE = 3000;
/** Errors of a rule that its status tells. */
const MOST_ERRORS = 5;

/** A rule that is an object. */
interface RuleObject {
  readonly kind: RuleKind;
  readonly object: JsonObject;
  /** What was compiled: an object is compiled again only when its spec has changed. */
  readonly version: string;
  /** The newest version of it that compiled. */
  readonly rule: ReconcileRule | undefined;
  /** Why its newest version does not serve. */
  readonly problem: string | undefined;
  /** When its newest version came, on {@link Clock.elapsed}. */
  readonly since: number;
}

/**
 * A bundle, and beside it the rules that are objects of the cluster: compiled as they come and change, with their status written. Of
 * each the newest version that compiles serves, and a broken one harms no other.
 */
export class ClusterRules implements BundleSource {
  readonly #options: ClusterRulesOptions;
  readonly #sources = new Map<KindSource, RuleKind>();
  readonly #rules = new Map<string, RuleObject>();
  #changes = 0;
  #active: { readonly base: ActiveBundle | undefined; readonly changes: number; readonly combined: ActiveBundle } | undefined;
  /** Names that are taken already, by key of the rule that cannot have them. */
  #clashes: ReadonlyMap<string, string> = new Map();
  #settling: Timer | undefined;
  #reporting: Timer | undefined;
  #retry: number = REPORT.period;
  #closed = false;

  constructor(options: ClusterRulesOptions) {
    this.#options = options;
    const { client, clock, random, log } = options;
    for (const kind of RULE_KINDS) {
      const key = { apiVersion: kind.apiVersion, kind: kind.kind, labelSelector: '' };
      const onChange = (_: KindSource, change: StoreChange): void => this.#onChange(kind, change);
      this.#sources.set(new KindSource(key, true, { client, clock, random, log, onChange, onKnown: () => {} }), kind);
    }
    this.#reportAfter(REPORT.period);
  }

  current(): ActiveBundle | undefined {
    const base = this.#options.bundle.current();
    const active = this.#active;
    if (active !== undefined && active.base === base && active.changes === this.#changes) return active.combined;
    const combined = this.#combine(base, (active?.combined.generation ?? 0) + 1);
    this.#active = { base, changes: this.#changes, combined };
    return combined;
  }

  /** Why rules of the cluster are not received. */
  failure(): string | undefined {
    for (const [source, { kind }] of this.#sources) {
      const why = source.failure();
      if (why !== undefined) return `${kind}: ${why}`;
    }
    return undefined;
  }

  close(): void {
    this.#closed = true;
    this.#settling?.cancel();
    this.#reporting?.cancel();
    for (const source of this.#sources.keys()) source.close();
  }

  #onChange(kind: RuleKind, { type, object }: StoreChange): void {
    const key = keyOf(kind, object);
    if (type === 'deleted' || isDeleting(object)) {
      if (this.#rules.delete(key)) this.#changed();
      return;
    }
    const before = this.#rules.get(key);
    const leftTo = kind.leftTo(object);
    const version = `${uidOf(object)}/${generationOf(object)}/${leftTo ?? ''}`;
    if (before?.version === version) {
      this.#rules.set(key, { ...before, object });
      return;
    }
    const since = this.#options.clock.elapsed();
    if (leftTo !== undefined) this.#rules.set(key, { kind, object, version, since, rule: undefined, problem: leftTo });
    else {
      const { rule, problem } = compile(object);
      const former = before !== undefined && uidOf(before.object) === uidOf(object) ? before.rule : undefined;
      this.#rules.set(key, { kind, object, version, since, rule: rule ?? former, problem });
      if (problem !== undefined)
        this.#options.log('error', 'rule of the cluster is refused', { kind: kind.kind, rule: nameOf(object), reason: problem });
    }
    this.#changed();
  }

  #changed(): void {
    this.#changes++;
    this.#settling ??= this.#options.clock.after(SETTLE, () => {
      this.#settling = undefined;
      if (!this.#closed) this.#options.onChange();
    });
  }

  #combine(base: ActiveBundle | undefined, generation: number): ActiveBundle {
    const rules: ReconcileRule[] = (base?.program.reconcile.rules ?? []).map((rule) => ({
      ...rule,
      bundle: rule.bundle ?? base!.bundle.name,
    }));
    const taken = new Map(rules.map(({ name }) => [name, 'a rule of a bundle']));
    const clashes = new Map<string, string>();
    // Who was first has the name, whichever order they are received in.
    for (const [key, { rule, kind }] of [...this.#rules].sort(([, a], [, b]) => compareAge(a.object, b.object))) {
      if (rule === undefined) continue;
      const other = taken.get(rule.name);
      if (other !== undefined) clashes.set(key, `${other} is called ${rule.name} already`);
      else {
        taken.set(rule.name, `a ${kind.kind}`);
        rules.push({ ...rule, bundle: BUNDLE });
      }
    }
    this.#clashes = clashes;
    const { admission, network } = base?.program ?? NOTHING;
    const bundle = base?.bundle ?? { name: BUNDLE, version: '', diagnostics: [] };
    return { bundle, program: { admission, reconcile: { rules }, network }, generation, since: this.#options.clock.now() };
  }

  #reportAfter(milliseconds: number): void {
    if (this.#closed) return;
    this.#reporting = this.#options.clock.after(milliseconds, () => {
      void this.#report().then((wait) => this.#reportAfter(wait));
    });
  }

  /** Tells each rule what has become of it. Answers the milliseconds after which to look again. */
  async #report(): Promise<number> {
    // While a change settles, what is known of rules is of those before.
    if (!this.#options.leads() || this.#settling !== undefined) return REPORT.period;
    try {
      for (const [source, kind] of this.#sources) if (source.state === 'absent') await this.#define(source, kind);
      const known = new Map(this.#options.statusOfRules().map((status) => [status.rule, status]));
      for (const [key, rule] of [...this.#rules]) if (!this.#closed) await this.#reportOn(key, rule, known);
      this.#retry = REPORT.period;
    } catch (error) {
      if (error instanceof WritingStopped) return REPORT.period;
      this.#retry = Math.min(this.#retry * 2, REPORT.longestRetry);
      this.#options.log('error', 'the status of a rule of the cluster is not written', { reason: failureText(error) });
    }
    return this.#retry;
  }

  /** Makes the kind of rules itself. One that is there, whoever made it, is left as it is. */
  async #define(source: KindSource, { definition }: RuleKind): Promise<void> {
    const { client, writer, log } = this.#options;
    try {
      await writer.create(definition);
      log('info', 'definition made', { definition: nameOf(definition) });
    } catch (error) {
      if (!(error instanceof ApiError) || error.reason !== 'AlreadyExists') throw error;
    }
    client.discovery.invalidate();
    source.retry();
  }

  async #reportOn(key: string, { kind, object, rule, problem, since }: RuleObject, known: ReadonlyMap<string, RuleStatus>): Promise<void> {
    const { writer, clock } = this.#options;
    // What somebody else serves is not ours to speak of.
    if (kind.leftTo(object) !== undefined) return;
    const clash = this.#clashes.get(key);
    const status = clash === undefined && rule !== undefined ? known.get(rule.name) : undefined;
    const verdict: RuleVerdict = {
      refused: problem ?? clash,
      order: clash === undefined ? rule?.order : undefined,
      kind: rule?.instance.kind ?? '',
      definitionProblem: status?.problem,
      serves: status?.serves === true,
    };
    const isOnItsWay = verdict.refused === undefined && verdict.definitionProblem === undefined && !verdict.serves;
    if (isOnItsWay && clock.elapsed() - since < PATIENCE) return;
    const { fields, conditions } = kind.statusOf(verdict);
    const observed = statusOf(object);
    const composed = composeStatus({ fields, conditions, generation: generationOf(object), now: clock.now() }, observed);
    const { observedGeneration: _, ...bare } = composed;
    const wanted = kind.hasObservedGeneration ? composed : bare;
    if (!statusDiffers(wanted, observed, undefined)) return;
    const { apiVersion } = kind;
    const metadata = { name: nameOf(object), uid: uidOf(object) };
    try {
      const answer = await writer.apply(
        { apiVersion, kind: kind.kind, metadata, status: wanted },
        { fieldManager: 'fairlead', subresource: 'status', force: true },
      );
      // The watch may lag behind: without this, the same would be written again.
      const now = this.#rules.get(key);
      if (now !== undefined && uidOf(now.object) === uidOf(answer))
        this.#rules.set(key, { ...now, object: { ...now.object, status: ownValue(answer, 'status') ?? {} } });
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }
}

const NOTHING = compileBundle([]).program!;

const keyOf = ({ kind }: RuleKind, object: JsonObject): string => `${kind}/${nameOf(object)}`;

/** Older objects first. */
function compareAge(a: JsonObject, b: JsonObject): number {
  const age = (object: JsonObject): string => `${String(metadataOf(object)['creationTimestamp'] ?? '')} ${uidOf(object)}`;
  return age(a) < age(b) ? -1 : 1;
}

function compile(object: JsonObject): { readonly rule: ReconcileRule | undefined; readonly problem: string | undefined } {
  const { diagnostics, program } = compileBundle([documentOf(object)]);
  const rule = program?.reconcile.rules[0];
  if (rule !== undefined) return { rule, problem: undefined };
  const errors = diagnostics.filter(isError);
  const more = errors.length > MOST_ERRORS ? [`and ${errors.length - MOST_ERRORS} more errors`] : [];
  return { rule, problem: [...errors.slice(0, MOST_ERRORS).map(errorText), ...more].join('; ') };
}

const errorText = ({ path, message, hint }: Diagnostic): string =>
  `${path === undefined ? '' : `${path}: `}${message}${hint === undefined ? '' : ` (${hint})`}`;

/** An object of the cluster as a document. It has no text to point into. */
function documentOf(object: JsonObject): Document {
  const { status: _, ...rest } = object;
  const { labels, annotations } = metadataOf(object);
  const metadata = {
    name: nameOf(object),
    ...(isJsonObject(labels) ? { labels } : {}),
    ...(isJsonObject(annotations) ? { annotations } : {}),
  };
  const source = { name: `${String(object['kind'])}/${nameOf(object)}`, text: '' };
  return { source, index: 0, value: { ...rest, metadata }, locate: () => undefined, locateWithin: () => undefined };
}
