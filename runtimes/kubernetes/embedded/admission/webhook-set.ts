import { Agent } from 'node:https';
import { compileBundle } from '../../../../engine/bundle/compile.ts';
import type { Json, JsonObject } from '../../../../engine/object/json.ts';
import type { TypeTable } from '../../../../engine/object/type-table.ts';
import type { AdmissionFacts, AdmissionProgram, AdmissionRequest } from '../../../../engine/rules/admission/decision.ts';
import type { Document } from '../../../../engine/text/document.ts';
import { groupResource, type Kind, type KubernetesObject, kind, servedKind, typed } from '../control-loop/kind.ts';
import type { Registry } from '../registry.ts';
import type { WebhookClientConfig } from './webhook-client.ts';

/** Kubernetes: staging/src/k8s.io/api/admissionregistration/v1/types.go. */
export interface WebhookDeclaration {
  readonly name: string;
  readonly clientConfig: WebhookClientConfig;
  readonly rules?: readonly JsonObject[];
  readonly failurePolicy?: string;
  readonly matchPolicy?: string;
  readonly namespaceSelector?: Json;
  readonly objectSelector?: Json;
  readonly matchConditions?: readonly Json[];
  readonly sideEffects?: string;
  readonly timeoutSeconds?: number;
  readonly admissionReviewVersions?: readonly string[];
  readonly reinvocationPolicy?: string;
}

interface WebhookConfiguration extends KubernetesObject {
  readonly webhooks?: readonly WebhookDeclaration[];
}

const GROUP = 'admissionregistration.k8s.io';
export const MUTATING = kind<WebhookConfiguration>(GROUP, 'v1', 'mutatingwebhookconfigurations', 'MutatingWebhookConfiguration');
export const VALIDATING = kind<WebhookConfiguration>(GROUP, 'v1', 'validatingwebhookconfigurations', 'ValidatingWebhookConfiguration');

/** A webhook, ready to be asked whether it wants to be called. */
export interface Webhook {
  readonly declaration: WebhookDeclaration;
  /** `call`, `skip`, or why that can't be said and what its failure policy makes of it. */
  matches(request: AdmissionRequest, facts: AdmissionFacts): 'call' | 'skip' | { readonly error: string };
  readonly agent: Agent;
}

/** The webhooks of one kind of configuration, by the names of these and in their order, read anew when they change. */
export class WebhookSet {
  readonly #registry: Registry;
  readonly #kind: Kind<WebhookConfiguration>;
  readonly #types: () => TypeTable;
  #webhooks: readonly Webhook[] | undefined;

  /** @param types of the kinds of the cluster: they say which are the same in several versions. */
  constructor(registry: Registry, configurations: Kind<WebhookConfiguration>, types: () => TypeTable) {
    this.#registry = registry;
    this.#kind = configurations;
    this.#types = types;
    const own = groupResource(configurations);
    registry.subscribe(({ resource }) => {
      if (resource === own || resource === 'apiextensions.k8s.io/customresourcedefinitions') this.close();
    });
  }

  get webhooks(): readonly Webhook[] {
    if (this.#webhooks === undefined) {
      const resource = servedKind(this.#registry, this.#kind);
      const configurations =
        resource === undefined ? [] : this.#registry.list(resource).map((object) => typed<WebhookConfiguration>(object));
      this.#webhooks = configurations.flatMap(({ webhooks = [] }) => webhooks.map((each) => webhookOf(each, this.#types())));
    }
    return this.#webhooks;
  }

  /** Ends kept connections. It opens others when it is asked again. */
  close(): void {
    for (const { agent } of this.#webhooks ?? []) agent.destroy();
    this.#webhooks = undefined;
  }
}

function webhookOf(declaration: WebhookDeclaration, types: TypeTable): Webhook {
  const program = matcherOf(declaration, types);
  return {
    declaration,
    agent: new Agent({ keepAlive: true, maxSockets: 32, timeout: 60_000 }),
    matches(request, facts) {
      if (program === undefined) return 'skip';
      if (typeof program === 'string') return { error: program };
      const answer = program.admit(request, facts, { phase: 'validate' });
      if (answer.kind === 'needs') return { error: 'its conditions need facts that are not there' };
      const [outcome] = answer.decision.outcomes;
      if (outcome === undefined) return 'skip';
      return outcome.result === 'deny' ? 'call' : { error: outcome.message ?? '' };
    },
  };
}

/**
 * A webhook's rules, selectors and conditions are those of an admission policy, to the letter: so they are compiled as one that
 * denies everything it matches. Text where that does not compile.
 */
function matcherOf(webhook: WebhookDeclaration, types: TypeTable): AdmissionProgram | string | undefined {
  const {
    rules = [],
    failurePolicy = 'Fail',
    matchPolicy = 'Equivalent',
    namespaceSelector = {},
    objectSelector = {},
    matchConditions,
  } = webhook;
  if (rules.length === 0) return undefined;
  const resourceRules = rules.map(({ scope = '*', ...rule }) => ({ ...rule, scope }));
  const policy = {
    apiVersion: `${GROUP}/v1`,
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name: 'webhook' },
    spec: {
      failurePolicy,
      matchConstraints: { resourceRules, matchPolicy, namespaceSelector, objectSelector },
      ...(matchConditions === undefined || matchConditions.length === 0 ? {} : { matchConditions }),
      validations: [{ expression: 'false' }],
    },
  };
  const binding = {
    apiVersion: `${GROUP}/v1`,
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name: 'webhook' },
    spec: { policyName: 'webhook', validationActions: ['Deny'] },
  };
  const compiled = compileBundle([documentOf(policy, 0), documentOf(binding, 1)], { types });
  return compiled.program?.admission ?? compiled.diagnostics.find(({ severity }) => severity === 'error')?.message ?? 'it does not compile';
}

const documentOf = (value: object, index: number): Document => ({
  source: { name: 'webhook', text: '' },
  index,
  value,
  locate: () => undefined,
  locateWithin: () => undefined,
});
