import { mergeDemand } from '../../engine/rules/reads.ts';
import type { FieldDemand, ReconcileProgram, ReconcileRule } from '../../engine/rules/reconcile/program.ts';
import type { DefinitionState } from './definitions.ts';
import type { RuleIdentity } from './environment.ts';
import { CHILDREN, RuleSources } from './facts.ts';
import { NO_FIELDS } from './field-demand.ts';
import { type KindSource, type SourceKey, sourceText } from './kind-source.ts';
import type { RegisteredRule } from './rule-registry.ts';
import type { Sources } from './sources.ts';

/** A rule of the bundle that serves. */
export interface ActiveRule extends RuleIdentity {
  readonly kind: 'active';
  readonly rule: ReconcileRule;
  /** Who holds sources. */
  readonly holder: string;
  readonly sources: RuleSources;
  readonly instances: KindSource;
  /** Undefined until it was looked at, and for rules without. */
  definition: DefinitionState | undefined;
}

/** A rule that is in no bundle any more, and had instances. They are cleaned up when they go, and left alone otherwise. */
export interface RetiredRule extends RuleIdentity {
  readonly kind: 'retired';
  readonly registered: RegisteredRule;
  readonly holder: string;
  readonly instances: KindSource;
}

export type KnownRule = ActiveRule | RetiredRule;

export const registeredRule = ({ name, fieldManager, instance }: ReconcileRule): RegisteredRule => ({
  name,
  fieldManager,
  apiVersion: instance.apiVersion,
  kind: instance.kind,
  labelSelector: instance.labelSelector,
});

/** The whole status: it is compared with what it is to be. */
const STATUS: FieldDemand = { status: true };

export interface RuleSetChanges {
  /** Rules whose instances are to be looked at. */
  readonly changed: readonly ActiveRule[];
  /** Rules that have gone. */
  readonly gone: readonly string[];
}

/** The rules that a controller works for. */
export class RuleSet {
  readonly #sources: Sources;
  readonly #rules = new Map<string, KnownRule>();

  constructor(sources: Sources) {
    this.#sources = sources;
  }

  get(name: string): KnownRule | undefined {
    return this.#rules.get(name);
  }

  all(): Iterable<KnownRule> {
    return this.#rules.values();
  }

  *active(): Iterable<ActiveRule> {
    for (const rule of this.#rules.values()) if (rule.kind === 'active') yield rule;
  }

  /** Rules whose instances come from a source. */
  *ofInstances(source: KindSource): Iterable<KnownRule> {
    for (const rule of this.#rules.values()) if (rule.instances === source) yield rule;
  }

  /** Takes over the rules of another bundle. Rules that go are kept as retired ones where they are registered. */
  replace(program: ReconcileProgram, registered: ReadonlyMap<string, RegisteredRule>): RuleSetChanges {
    const changed: ActiveRule[] = [];
    const gone: string[] = [];
    const names = new Set(program.rules.map(({ name }) => name));
    for (const [name, known] of [...this.#rules]) {
      if (known.kind === 'retired' || names.has(name)) continue;
      gone.push(name);
      // The instances are held under the new name before the old one lets go, so that they are not fetched again.
      const former = registered.get(name);
      if (former === undefined) this.#rules.delete(name);
      else this.retire(former);
      this.#sources.release(known.holder);
    }
    for (const rule of program.rules) {
      const known = this.#rules.get(rule.name);
      if (known?.kind === 'active' && known.rule.revision === rule.revision && sameKind(known.rule, rule)) {
        // The same in another compilation: what it decides is the same, but the functions of the old one need not be kept.
        this.#rules.set(rule.name, { ...known, rule });
        continue;
      }
      const active = this.#activate(rule);
      if (known?.kind === 'retired') this.#sources.release(known.holder);
      changed.push(active);
    }
    return { changed, gone };
  }

  /** Keeps a rule that has gone for the sake of its instances. */
  retire(registered: RegisteredRule): RetiredRule {
    const holder = `retired ${registered.name}`;
    const { name, fieldManager, apiVersion, kind, labelSelector } = registered;
    const instances = this.#sources.hold(holder, { apiVersion, kind, labelSelector }, NO_FIELDS);
    const retired: RetiredRule = { kind: 'retired', name, fieldManager, registered, holder, instances };
    this.#rules.set(name, retired);
    return retired;
  }

  forget(retired: RetiredRule): void {
    this.#rules.delete(retired.name);
    this.#sources.release(retired.holder);
  }

  #activate(rule: ReconcileRule): ActiveRule {
    const sources = new RuleSources(rule, this.#sources);
    const { apiVersion, kind, labelSelector, fields } = rule.instance;
    const key: SourceKey = { apiVersion, kind, labelSelector };
    const instances = this.#sources.hold(sources.holder, key, mergeDemand(fields, STATUS));
    sources.warm();
    const wanted = new Set([sourceText(key)]);
    for (const touched of rule.touches) {
      for (const selector of [CHILDREN, '']) {
        wanted.add(sourceText({ apiVersion: touched.apiVersion, kind: touched.kind, labelSelector: selector }));
      }
    }
    this.#sources.release(sources.holder, wanted);
    const { name, fieldManager } = rule;
    const active: ActiveRule = {
      kind: 'active',
      name,
      fieldManager,
      rule,
      holder: sources.holder,
      sources,
      instances,
      definition: undefined,
    };
    this.#rules.set(name, active);
    return active;
  }
}

const sameKind = (a: ReconcileRule, b: ReconcileRule): boolean =>
  a.instance.apiVersion === b.instance.apiVersion &&
  a.instance.kind === b.instance.kind &&
  a.instance.labelSelector === b.instance.labelSelector;

/** `rule` and the instance's key in its store; without the key, the rule's definition. */
export interface WorkKey {
  readonly rule: string;
  readonly instance: string;
}

export const workKey = (rule: string, instance: string): string => `${rule}|${instance}`;

export function parseWorkKey(key: string): WorkKey {
  const cut = key.indexOf('|');
  return { rule: key.slice(0, cut), instance: key.slice(cut + 1) };
}

export function placeOfKey(key: string): { readonly namespace: string | undefined; readonly name: string } {
  const cut = key.indexOf('/');
  return cut < 0 ? { namespace: undefined, name: key } : { namespace: key.slice(0, cut), name: key.slice(cut + 1) };
}
