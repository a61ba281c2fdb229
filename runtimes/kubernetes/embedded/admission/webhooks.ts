import { isJsonObject, type JsonObject, jsonEqual } from '../../../../engine/object/json.ts';
import { applyPatch } from '../../../../engine/object/json-patch.ts';
import type { AdmissionFacts } from '../../../../engine/rules/admission/decision.ts';
import type { Clock } from '../../../host/clock.ts';
import type { AdmissionAttributes } from '../hooks.ts';
import type { ResolveService } from '../service-connection/service-resolver.ts';
import { badRequest, internalError, type StatusError } from '../status-error.ts';
import { admissionRequest } from './admission-request.ts';
import { type AdmissionPlugin, refusal } from './chain.ts';
import { callWebhook } from './webhook-client.ts';
import { denial, readAnswer, reviewOf, type WebhookAnswer } from './webhook-review.ts';
import type { Webhook, WebhookSet } from './webhook-set.ts';

export interface WebhookOptions {
  readonly webhooks: WebhookSet;
  readonly facts: AdmissionFacts;
  readonly resolve: ResolveService;
  readonly clock: Clock;
  readonly uuid: () => string;
  /** Told of calls that failed and were let pass, because their webhooks say so. */
  readonly onIgnored?: (webhook: string, why: string) => void;
}

/** What a webhook keeps in mind from its first call to the next. */
interface Memory {
  readonly again: Set<Webhook>;
  readonly called: Webhook[];
  last: JsonObject | null;
}

/**
 * Calls MutatingWebhookConfigurations, one after the other; those that ask for it once more after somebody has changed the object.
 * Kubernetes: apiserver pkg/admission/plugin/webhook/mutating/dispatcher.go.
 */
export function mutatingWebhooks(options: WebhookOptions): AdmissionPlugin {
  const plugin: AdmissionPlugin = {
    name: 'MutatingAdmissionWebhook',
    async mutate(attributes, { round, memory, reinvoke }) {
      const { webhooks } = options.webhooks;
      if (webhooks.length === 0) return attributes.object;
      const known = memory.get(plugin) as Memory | undefined;
      const mind: Memory = known ?? { again: new Set(), called: [], last: null };
      memory.set(plugin, mind);
      let { object } = attributes;
      if (round === 1 && !jsonEqual(mind.last, object)) for (const each of mind.called) mind.again.add(each);
      for (const webhook of webhooks) {
        if (round === 1 && !mind.again.has(webhook)) continue;
        const answer = await ask(webhook, { ...attributes, object }, options, true);
        if (answer === undefined) continue;
        const patched = patch(webhook, object, answer);
        const changed = patched !== object && !jsonEqual(patched, object);
        if (changed) {
          object = patched;
          for (const each of mind.called) if (each !== webhook) mind.again.add(each);
          reinvoke();
        }
        if (round === 0 && webhook.declaration.reinvocationPolicy === 'IfNeeded') mind.called.push(webhook);
      }
      mind.last = object;
      return object;
    },
  };
  return plugin;
}

/** Calls ValidatingWebhookConfigurations, all at the same time. Kubernetes: webhook/validating/dispatcher.go. */
export function validatingWebhooks(options: WebhookOptions): AdmissionPlugin {
  return {
    name: 'ValidatingAdmissionWebhook',
    async validate(attributes) {
      const { webhooks } = options.webhooks;
      if (webhooks.length === 0) return;
      const results = await Promise.allSettled(webhooks.map((webhook) => ask(webhook, attributes, options, false)));
      for (const result of results) if (result.status === 'rejected') throw result.reason;
    },
  };
}

/** Asks a webhook that wants to be asked. Throws its denial, or its failure where it counts. */
async function ask(
  { declaration, agent, matches }: Webhook,
  attributes: AdmissionAttributes,
  { facts, resolve, clock, uuid, onIgnored = () => {} }: WebhookOptions,
  mutating: boolean,
): Promise<WebhookAnswer | undefined> {
  const { name, failurePolicy = 'Fail', sideEffects = 'None', timeoutSeconds = 10, clientConfig, admissionReviewVersions } = declaration;
  const request = admissionRequest(attributes, uuid());
  const match = matches(request, facts);
  if (match === 'skip') return undefined;
  if (match !== 'call') {
    if (failurePolicy === 'Fail') throw refusal(attributes, match.error);
    onIgnored(name, match.error);
    return undefined;
  }
  if (attributes.dryRun && sideEffects !== 'None' && sideEffects !== 'NoneOnDryRun')
    throw badRequest(`admission webhook ${JSON.stringify(name)} does not support dry run`);
  let answer: WebhookAnswer;
  try {
    const review = reviewOf(request, admissionReviewVersions);
    const body = await callWebhook({ client: clientConfig, body: review, timeoutSeconds, resolve, clock, agent });
    answer = readAnswer(review, body, mutating);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    if (failurePolicy === 'Fail') throw failure(name, why);
    onIgnored(name, why);
    return undefined;
  }
  for (const warning of answer.warnings) attributes.warn(warning);
  if (!answer.allowed) throw denial(name, answer.status);
  return answer;
}

const failure = (name: string, why: string): StatusError =>
  internalError(`failed calling webhook ${JSON.stringify(name)}: failed to call webhook: ${why}`);

function patch({ declaration: { name } }: Webhook, object: JsonObject | null, answer: WebhookAnswer): JsonObject | null {
  if (answer.patch.length === 0) return object;
  if (object === null)
    throw internalError(
      `admission webhook ${JSON.stringify(name)} attempted to modify the object, which is not supported for this operation`,
    );
  const outcome = applyPatch(object, answer.patch, { dialect: 'apiserver' });
  if (!outcome.ok) throw internalError(outcome.message);
  if (!isJsonObject(outcome.value))
    throw internalError(`admission webhook ${JSON.stringify(name)} made something of the object that is none`);
  return outcome.value;
}
