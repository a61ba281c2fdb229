import type { Activation, Meter } from '../../cel/program.ts';
import { CelError, type CelValue } from '../../cel/values.ts';
import { diffJson } from '../../object/json-diff.ts';
import type { RequestActivation } from './activation.ts';
import { EXPRESSION_LIMIT } from './budgets.ts';
import { type Candidate, matchRequest, type PolicyIndex, policyIndex } from './candidates.ts';
import type {
  AdmissionAnswer,
  AdmissionFacts,
  AdmissionProgram,
  AdmissionRequest,
  AdmitOptions,
  GroupVersionKind,
  JsonObject,
  RuleOutcome,
} from './decision.ts';
import { DecisionBuilder, ruleOf } from './decision-builder.ts';
import { builtInEquivalents } from './equivalent-resources.ts';
import { FactReader } from './fact-reader.ts';
import { mutationContext } from './mutation.ts';
import { collectParams } from './params.ts';
import type { Policy, PolicyBinding } from './policy.ts';
import { reachOf } from './reach.ts';
import { type MatchedAs, RequestView, type ViewParts } from './request-view.ts';
import type { EquivalentResources } from './resource-match.ts';
import { admitted, holdsFast, judge, judgeMatchConditions, matchesFast, type Verdict } from './validate.ts';

/** What an executor needs of the rooms around it. */
export interface ExecutorParts extends ViewParts {
  /** Further kinds that exist in several versions, of custom resources. */
  readonly equivalents?: EquivalentResources;
}

/** Makes the executor of policies that are already lowered and checked. */
export function admissionProgram(policies: readonly Policy[], parts: ExecutorParts): AdmissionProgram {
  const equivalents: EquivalentResources = (resource, subresource) => [
    ...builtInEquivalents(resource, subresource),
    ...(parts.equivalents?.(resource, subresource) ?? []),
  ];
  const enforced = policies.filter((policy) => policy.bindings.length > 0);
  const mutating = policyIndex(
    enforced.filter((policy) => policy.mutations.length > 0),
    equivalents,
  );
  const validating = policyIndex(
    enforced.filter((policy) => policy.validations.length > 0 || policy.auditAnnotations.length > 0),
    equivalents,
  );
  const meter: Meter = { remaining: 0 };
  return {
    rules: distinctRules(policies),
    reach: reachOf(policies),
    admit: (request, facts, options) => new Admission(request, facts, options, parts, meter, mutating, validating).answer(),
  };
}

function distinctRules(policies: readonly Policy[]): readonly { readonly kind: string; readonly name: string }[] {
  const rules = new Map<string, { readonly kind: string; readonly name: string }>();
  for (const { kind, name } of policies) rules.set(`${kind}/${name}`, { kind, name });
  return [...rules.values()];
}

/** Groups whose policy objects no policy may see, so that a cluster can't lock itself out. */
const EXEMPT_KINDS = new Set([
  'ValidatingWebhookConfiguration',
  'MutatingWebhookConfiguration',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
  'MutatingAdmissionPolicy',
  'MutatingAdmissionPolicyBinding',
]);

function isExempt(kind: GroupVersionKind): boolean {
  return kind.group === 'admissionregistration.k8s.io' && EXEMPT_KINDS.has(kind.kind);
}

/** The way of one request through the policies. */
class Admission {
  readonly #request: AdmissionRequest;
  readonly #options: AdmitOptions;
  readonly #meter: Meter;
  readonly #mutating: PolicyIndex;
  readonly #validating: PolicyIndex;
  readonly #facts: FactReader;
  readonly #view: RequestView;
  readonly #activation: RequestActivation;
  readonly #decision = new DecisionBuilder();
  #object: JsonObject | null;
  #needsFacts = false;

  constructor(
    request: AdmissionRequest,
    facts: AdmissionFacts,
    options: AdmitOptions,
    parts: ExecutorParts,
    meter: Meter,
    mutating: PolicyIndex,
    validating: PolicyIndex,
  ) {
    this.#request = request;
    this.#options = options;
    this.#meter = meter;
    this.#mutating = mutating;
    this.#validating = validating;
    this.#facts = new FactReader(facts);
    this.#object = request.object ?? null;
    this.#view = new RequestView(request, this.#facts, parts);
    this.#activation = this.#view.activation;
  }

  answer(): AdmissionAnswer {
    const { phase } = this.#options;
    if (!isExempt(this.#request.kind)) {
      if (phase !== 'validate') this.#mutate();
      if (phase !== 'mutate' && !this.#decision.denied && !this.#needsFacts) this.#validate();
    }
    if (this.#needsFacts) return { kind: 'needs', needs: this.#facts.needs };
    const decision = this.#decision;
    const status = decision.status();
    const before = this.#request.object ?? null;
    const patch = status !== undefined || this.#object === before || before === null ? [] : diffJson(before, this.#object);
    return {
      kind: 'decision',
      decision: {
        allowed: status === undefined,
        ...(status === undefined ? {} : { status }),
        patch,
        object: patch.length === 0 ? before : this.#object,
        warnings: decision.warnings(),
        auditAnnotations: decision.auditAnnotations(),
        outcomes: decision.outcomes,
      },
    };
  }

  #record(policy: Policy, binding: PolicyBinding | undefined, result: 'allow' | 'skip', skipped?: string): void {
    if (!this.#options.explain) return;
    const outcome: RuleOutcome = { ...ruleOf(policy, binding?.name), result, ...(skipped === undefined ? {} : { skipped }) };
    this.#decision.outcomes.push(outcome);
  }

  /** Runs `step`; a missing fact is noted, and the others are still asked so that all that is missing comes to light at once. */
  #attempt(step: () => void): boolean {
    try {
      step();
      return true;
    } catch (error) {
      if (!(error instanceof CelError && error.code === 'needs-fact')) throw error;
      this.#needsFacts = true;
      return false;
    }
  }

  // Validation

  #validate(): void {
    const candidates = this.#validating.candidates(this.#request);
    let next = 0;
    while (next < candidates.length) {
      next = this.#options.explain ? next : this.#pass(candidates, next);
      const candidate = candidates[next++];
      if (candidate !== undefined) this.#attempt(() => this.#validateOne(candidate));
    }
  }

  /**
   * Goes over the candidates that obviously have nothing against the request, from `first` on. Answers the index of the next
   * one that has to be looked at more closely.
   */
  #pass(candidates: readonly Candidate[], first: number): number {
    const activation = this.#activation;
    const values = activation as unknown as Activation;
    const meter = this.#meter;
    this.#view.showObjects(this.#object);
    let i = first;
    try {
      for (; i < candidates.length; i++) {
        const { quick, policy, variables } = candidates[i]!;
        if (quick === undefined) return i;
        if (quick.usesRequest) this.#view.showRequest(this.#request);
        if (quick.usesMore) {
          this.#view.showMore(policy.uses);
          if (policy.uses.namespaceObject && activation.namespaceObject === undefined) return i;
        }
        activation.params = quick.params;
        if (quick.hasVariables) {
          variables.bind(values, meter);
          activation.variables = variables;
        }
        if (quick.hasConditions) {
          const matched = matchesFast(policy, activation, meter);
          if (matched === undefined) return i;
          if (matched !== true) {
            variables.reset();
            continue;
          }
        }
        meter.remaining = EXPRESSION_LIMIT;
        const { programs } = quick;
        for (let j = 0; j < programs.length; j++) if (programs[j]!.run(values, meter) !== true) return i;
        if (meter.remaining < 0) return i;
        if (quick.hasVariables) variables.reset();
      }
      return i;
    } catch (error) {
      // A run-time error, or a missing fact: the long way words it.
      if (error instanceof CelError) return i;
      throw error;
    } finally {
      candidates[i]?.variables.reset();
    }
  }

  #validateOne(candidate: Candidate): void {
    const { policy, bindings } = candidate;
    const match = this.#matchPolicy(candidate);
    if (match === undefined) return;
    for (const { binding, verdict } of bindings) {
      if (!this.#matchBinding(policy, binding, verdict)) continue;
      const params = collectParams(policy, binding, this.#request, this.#facts);
      if (!params.ok) {
        this.#configurationError(policy, params.ofPolicy ? undefined : binding, params.error);
        if (params.ofPolicy) return;
        continue;
      }
      if (params.values.length === 0) {
        this.#record(policy, binding, 'skip', 'params');
        continue;
      }
      if (!this.#seen(policy, binding, match)) return;
      for (const value of params.values) {
        this.#activation.params = value;
        this.#report(policy, binding, this.#verdict(candidate));
      }
    }
  }

  /** A policy with one parameter object, the fast back end first. */
  #verdict({ policy, variables }: Candidate): Verdict {
    const activation = this.#activation;
    if (!policy.needsExactEvaluation) {
      variables.bind(activation as unknown as Activation, this.#meter);
      try {
        const matched = matchesFast(policy, activation, this.#meter);
        if (typeof matched === 'string') return { skipped: matched, decisions: [], annotations: [] };
        if (matched === true && holdsFast(policy, activation, variables, this.#meter)) return admitted(policy, activation);
      } finally {
        variables.reset();
      }
    }
    return judge(policy, activation);
  }

  #report(policy: Policy, binding: PolicyBinding, verdict: Verdict): void {
    const decision = this.#decision;
    if (verdict.skipped !== undefined) {
      const why =
        verdict.skipped === '' ? 'matchConditions failed, failurePolicy Ignore' : `matchCondition ${JSON.stringify(verdict.skipped)}`;
      this.#record(policy, binding, 'skip', why);
      return;
    }
    let silent = true;
    for (const [position, said] of verdict.decisions.entries()) {
      if (said.kind === 'admit') continue;
      silent = false;
      if (said.kind === 'deny') decision.fail(policy, binding, said.message, said.reason, position, said.index, false);
      else if (policy.failurePolicy === 'Fail') decision.fail(policy, binding, said.message, 'Invalid', position, said.index, true);
      else {
        const index = said.index === undefined ? {} : { index: said.index };
        decision.outcomes.push({ ...ruleOf(policy, binding.name), result: 'error', message: said.message, ...index });
      }
    }
    for (const annotation of verdict.annotations) {
      if (annotation.kind === 'publish') decision.annotate(policy, annotation);
      else if (annotation.kind === 'error') {
        silent = false;
        // Whatever the binding's actions are.
        decision.deny(policy, binding.name, annotation.message, 422, 'Invalid');
        decision.outcomes.push({ ...ruleOf(policy, binding.name), result: 'error', message: annotation.message });
      }
    }
    if (silent) this.#record(policy, binding, 'allow');
  }

  // Mutation

  #mutate(): void {
    if (this.#object === null || this.#request.operation === 'DELETE') return;
    const candidates = this.#mutating.candidates(this.#request);
    const again: Candidate[] = [];
    for (const candidate of candidates) {
      // What comes after a missing fact would see an object that is not there yet.
      if (!this.#attempt(() => this.#mutateOne(candidate) && candidate.policy.reinvoke && again.push(candidate))) return;
    }
    // A denied request is not mutated further: the same errors would come again.
    if (this.#decision.denied) return;
    for (const candidate of again) {
      if (!this.#attempt(() => this.#mutateOne(candidate))) return;
    }
  }

  /** True when mutations were run (whether they changed anything or not). */
  #mutateOne(candidate: Candidate): boolean {
    const { policy, bindings } = candidate;
    const match = this.#matchPolicy(candidate);
    if (match === undefined) return false;
    let ran = false;
    for (const { binding, verdict } of bindings) {
      if (!this.#matchBinding(policy, binding, verdict)) continue;
      const params = collectParams(policy, binding, this.#request, this.#facts);
      if (!params.ok) {
        this.#configurationError(policy, params.ofPolicy ? undefined : binding, params.error);
        continue;
      }
      for (const value of params.values) {
        if (!this.#seen(policy, undefined, match)) return ran;
        this.#activation.params = value;
        ran = this.#applyMutations(candidate, binding, match.kind) || ran;
      }
    }
    return ran;
  }

  #applyMutations({ policy, variables }: Candidate, binding: PolicyBinding, kind: GroupVersionKind): boolean {
    const activation = this.#activation;
    const decision = this.#decision;
    variables.bind(activation as unknown as Activation, this.#meter);
    const quick = policy.needsExactEvaluation ? undefined : matchesFast(policy, activation, this.#meter);
    variables.reset();
    const matched =
      quick === true
        ? { kind: 'match' as const }
        : quick !== undefined
          ? { kind: 'skip' as const, condition: quick }
          : judgeMatchConditions(policy, activation);
    if (matched.kind === 'error') {
      decision.deny(policy, binding.name, matched.message, 403, 'Invalid');
      decision.outcomes.push({ ...ruleOf(policy, binding.name), result: 'error', message: matched.message });
      return false;
    }
    if (matched.kind === 'skip') {
      this.#record(policy, binding, 'skip', `matchCondition ${JSON.stringify(matched.condition)}`);
      return false;
    }
    let changed = false;
    for (const step of policy.mutations) {
      const context = mutationContext(policy, activation, kind, variables, this.#meter);
      try {
        const before = activation.object as JsonObject;
        const result = step.run(before, context);
        if (result.ok) {
          if (result.object === before) continue;
          changed = true;
          this.#object = this.#view.asRequested(result.object, kind);
          activation.object = result.object as CelValue;
        } else if ('status' in result) {
          decision.denyWithStatus(policy, result.status);
          decision.outcomes.push({ ...ruleOf(policy, binding.name), result: 'error', message: result.status.message, index: step.index });
          return true;
        } else {
          if (policy.failurePolicy === 'Fail') decision.deny(policy, binding.name, result.error, 403, 'Invalid');
          decision.outcomes.push({ ...ruleOf(policy, binding.name), result: 'error', message: result.error, index: step.index });
        }
      } finally {
        variables.reset();
      }
    }
    if (changed) decision.outcomes.push({ ...ruleOf(policy, binding.name), result: 'mutate' });
    else this.#record(policy, binding, 'allow');
    return true;
  }

  // Matching

  #matchPolicy(candidate: Candidate): MatchedAs | undefined {
    const { policy, verdict } = candidate;
    if (policy.namespace !== undefined && policy.namespace !== this.#request.namespace) {
      this.#record(policy, undefined, 'skip', 'namespace');
      return undefined;
    }
    if (candidate.always !== undefined && policy.configurationError === undefined) return candidate.always;
    const found = matchRequest(policy.match, verdict, this.#request, this.#facts);
    if (found.kind === 'skip') this.#record(policy, undefined, 'skip', found.why);
    else if (found.kind === 'error') this.#configurationError(policy, undefined, found.message);
    else if (policy.configurationError !== undefined) this.#configurationError(policy, undefined, policy.configurationError);
    else return found.match;
    return undefined;
  }

  #matchBinding(policy: Policy, binding: PolicyBinding, verdict: Candidate['bindings'][number]['verdict']): boolean {
    if (binding.match === undefined || verdict === undefined) return true;
    const found = matchRequest(binding.match, verdict, this.#request, this.#facts);
    if (found.kind === 'match') return true;
    if (found.kind === 'skip') this.#record(policy, binding, 'skip', found.why);
    else this.#configurationError(policy, binding, found.message);
    return false;
  }

  #configurationError(policy: Policy, binding: PolicyBinding | undefined, error: string): void {
    const message = `failed to configure ${binding === undefined ? 'policy' : 'binding'}: ${error}`;
    this.#decision.outcomes.push({ ...ruleOf(policy, binding?.name), result: 'error', message });
    if (policy.failurePolicy === 'Ignore') return;
    const mutates = policy.mutations.length > 0;
    this.#decision.deny(policy, binding?.name, message, mutates ? 403 : 422, mutates ? 'Forbidden' : 'Invalid');
  }

  /** Shows the request to the policy's expressions; false where that can't be, which has been said then. */
  #seen(policy: Policy, binding: PolicyBinding | undefined, match: MatchedAs): boolean {
    const seen = this.#view.show(policy.uses, match, this.#object);
    if (seen === 'conversion') this.#configurationError(policy, binding, this.#conversionError(match.kind));
    else if (seen === 'no-namespace') {
      const message = `namespaces ${JSON.stringify(this.#request.namespace)} not found`;
      this.#decision.denyWithStatus(policy, { message, reason: 'NotFound', code: 404 });
      this.#decision.outcomes.push({ ...ruleOf(policy, binding?.name), result: 'error', message });
    }
    return seen === 'seen';
  }

  #conversionError(kind: GroupVersionKind): string {
    const { group, version, kind: name } = this.#request.kind;
    const from = `${group}/${version}, Kind=${name}`;
    return `failed to convert object version: ${from} can't be read as ${kind.group}/${kind.version}, Kind=${kind.kind}`;
  }
}
