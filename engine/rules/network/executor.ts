import { type CelValue, NONE, some } from '../../cel/values.ts';
import { isJsonObject, type Json, type JsonObject } from '../../object/json.ts';
import type { OwnerTag } from '../../step/operation.ts';
import { ownerTag } from '../../step/owner-tag.ts';
import { BindError, type BoundStep, type Plan, type PlanWalk } from '../../step/plan.ts';
import { replayWalks } from '../../step/replay-walk.ts';
import { walkSteps } from '../../step/walk.ts';
import { addressesOf, NO_ADDRESSES } from './addresses.ts';
import { attachedPod, attachmentOwner, attachmentSubject } from './attachment.ts';
import { attachmentResult } from './attachment-result.ts';
import { lookUpObject, type NeededFacts } from './cluster-objects.ts';
import type { AddressSource, CompiledRule, Condition } from './compiled-rule.ts';
import { networkOf, readRuntimeConfig } from './config.ts';
import { Evaluation, RuleFault } from './evaluation.ts';
import { imaginedForNetwork } from './imagined-request.ts';
import { IPAM_KEY, ipamStep } from './ipam-step.ts';
import { podAnnotations } from './pod-annotations.ts';
import type {
  CniFault,
  NeededForStatus,
  NetworkAnswer,
  NetworkFacts,
  NetworkNeeds,
  NetworkPlan,
  NetworkRequest,
  NodeAnswer,
} from './program.ts';
import { FAULT_CODES, fault } from './protocol/fault.ts';
import { requestFacts } from './request-facts.ts';

/** Who owns what a network needs of the node as a whole. */
function nodeOwner(rule: string, network: string): OwnerTag {
  return ownerTag(rule, 'node', network);
}

/** What expressions see of a request, ready to be evaluated; or why the configuration does not fit. */
function evaluationOf(
  rule: CompiledRule,
  request: NetworkRequest,
  facts: NetworkFacts,
): { readonly evaluation: Evaluation; readonly runtimeConfig: JsonObject } | { readonly fault: CniFault } {
  const config = rule.config.read(request.config);
  if ('fault' in config) return config;
  const runtime = readRuntimeConfig(request.config);
  if ('fault' in runtime) return runtime;
  const { prevResult } = request;
  const values: Record<string, CelValue> = {
    config: config.value,
    request: requestFacts(request, runtime.value),
    args: request.args,
    runtimeConfig: runtime.value,
    prevResult: prevResult === undefined ? NONE : some(prevResult as unknown as JsonObject),
    node: nodeFacts(facts, request.network),
    params: rule.params,
  };
  return { evaluation: new Evaluation(rule.variables, values, secretIds(rule)), runtimeConfig: runtime.value };
}

/** What expressions see as `node`. Attachments are asked for when they are read: whoever gives them knows by that who is to be told of changes. */
function nodeFacts(facts: NetworkFacts, network: string): JsonObject {
  return {
    name: facts.nodeName,
    get attachments() {
      return (facts.attachments?.(network) ?? []) as unknown as Json;
    },
  };
}

const secretIds = ({ objects }: CompiledRule): ReadonlySet<string> =>
  new Set(objects.filter(({ isSecret }) => isSecret).map(({ id }) => id));

/** Looks up the objects that are read. What is not known yet is in `needs`. */
function lookUp(rule: CompiledRule, ids: ReadonlySet<string>, facts: NetworkFacts, evaluation: Evaluation): NeededFacts {
  const needed: NeededFacts = { reads: { objects: [], queries: [] }, needs: { objects: [], queries: [] } };
  const unknown = new Set<string>();
  for (const object of rule.objects) {
    if (!ids.has(object.id)) continue;
    const isBlocked = [...object.reads].some((id) => unknown.has(id));
    const value = isBlocked ? undefined : lookUpObject(object, facts, needed, evaluation);
    if (value === undefined) unknown.add(object.id);
    else evaluation.settle(object.id, value);
  }
  return needed;
}

const isMissing = ({ objects, queries }: NetworkNeeds): boolean => objects.length > 0 || queries.length > 0;

function faultOf(rule: CompiledRule, error: RuleFault): CniFault {
  return fault(error.code, `rule ${rule.name}, ${rule.describePlace(error.path)}: ${error.message}`);
}

/** Runs what may fail by the rule's fault. */
function guarded<T>(rule: CompiledRule, run: () => T): T | { readonly kind: 'fault'; readonly fault: CniFault } {
  try {
    return run();
  } catch (error) {
    if (error instanceof RuleFault) return { kind: 'fault', fault: faultOf(rule, error) };
    throw error;
  }
}

/** The first condition that does not hold, as an error. */
function firstFailed(conditions: readonly Condition[], evaluation: Evaluation): CniFault | undefined {
  for (const { expression, message, messageExpression, code } of conditions) {
    if (evaluation.value(expression) === true) continue;
    const text = messageExpression === undefined ? message : evaluation.value(messageExpression);
    return fault(code, typeof text === 'string' && text.trim() !== '' ? text : message);
  }
  return undefined;
}

/** The plan of an attachment. */
export function attach(rule: CompiledRule, request: NetworkRequest, facts: NetworkFacts): NetworkAnswer {
  const read = evaluationOf(rule, request, facts);
  if ('fault' in read) return { kind: 'fault', fault: read.fault };
  const { evaluation, runtimeConfig } = read;
  return guarded(rule, (): NetworkAnswer => {
    const { needs } = lookUp(rule, rule.attach.objects, facts, evaluation);
    if (isMissing(needs)) return { kind: 'needs', needs };
    const failed = firstFailed(rule.validations, evaluation);
    if (failed !== undefined) return { kind: 'fault', fault: failed };
    return { kind: 'plan', plan: attachmentPlan(rule, request, runtimeConfig, evaluation) };
  });
}

function attachmentPlan(rule: CompiledRule, request: NetworkRequest, runtimeConfig: JsonObject, evaluation: Evaluation): NetworkPlan {
  const owner = attachmentOwner(rule.name, request);
  const { netns } = request;
  const { podAnnotations: annotations } = rule;
  return {
    id: owner.id,
    owner,
    netns: netns === '' ? undefined : netns,
    subject: { kind: 'attachment', ...attachmentSubject(request), netns, ...attachedPod(request) },
    requirements: rule.attach.requirements,
    walk: () => new AttachmentWalk(rule, request, runtimeConfig, evaluation),
    result: (performed) => attachmentResult(rule, request, runtimeConfig, evaluation, performed),
    podAnnotations: annotations && ((performed, result) => podAnnotations(rule, annotations, evaluation, performed, result)),
  };
}

/** Addresses first, then the steps of the rule. */
class AttachmentWalk implements PlanWalk {
  readonly #rule: CompiledRule;
  readonly #request: NetworkRequest;
  readonly #runtimeConfig: JsonObject;
  readonly #evaluation: Evaluation;
  readonly #steps: PlanWalk;
  #ipam: JsonObject = NO_ADDRESSES as unknown as JsonObject;
  #stage: 'start' | 'addresses' | 'steps' = 'start';
  #operation = '';

  constructor(rule: CompiledRule, request: NetworkRequest, runtimeConfig: JsonObject, evaluation: Evaluation) {
    this.#rule = rule;
    this.#request = request;
    this.#runtimeConfig = runtimeConfig;
    this.#evaluation = evaluation;
    this.#steps = walkSteps(rule.attach.steps, {
      evaluate: (expression, locals) => evaluation.run(expression, locals),
      locals: () => (rule.addresses === undefined ? {} : { ipam: this.#ipam }),
    });
  }

  next(): BoundStep | undefined {
    if (this.#stage === 'start') {
      const step = this.#rule.addresses && this.#addresses(this.#rule.addresses);
      this.#stage = step === undefined ? 'steps' : 'addresses';
      if (step !== undefined) {
        this.#operation = step.operation;
        return step;
      }
    }
    if (this.#stage === 'addresses') throw new Error(`the step ${IPAM_KEY} has not been answered`);
    return this.#steps.next();
  }

  done(outputs: JsonObject): void {
    if (this.#stage !== 'addresses') {
      this.#steps.done(outputs);
      return;
    }
    this.#ipam = addressesOf(this.#operation, outputs) as unknown as JsonObject;
    this.#stage = 'steps';
  }

  #addresses(source: AddressSource): BoundStep | undefined {
    return asBindError(source, () => {
      if (source.when !== undefined && this.#evaluation.value(source.when) !== true) return undefined;
      const rendered = this.#evaluation.render(source.template, source.path);
      return ipamStep(source, isJsonObject(rendered) ? rendered : {}, this.#request, this.#runtimeConfig);
    });
  }
}

function asBindError<T>({ line }: AddressSource, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof RuleFault) throw new BindError(error.message, IPAM_KEY, error.path, line);
    throw error;
  }
}

/** What stands against an attachment; undefined: nothing. */
export function status(rule: CompiledRule, request: NetworkRequest, facts: NetworkFacts): CniFault | NeededForStatus | undefined {
  const read = evaluationOf(rule, request, facts);
  if ('fault' in read) return { ...read.fault, code: FAULT_CODES.notAvailable };
  const { evaluation } = read;
  try {
    const { needs } = lookUp(rule, rule.status.objects, facts, evaluation);
    return isMissing(needs) ? { kind: 'needs', needs } : firstFailed(rule.status.conditions, evaluation);
  } catch (error) {
    if (error instanceof RuleFault) return { ...faultOf(rule, error), code: FAULT_CODES.notAvailable };
    throw error;
  }
}

/** The plan of what a network needs of the node. */
export function nodePlan(rule: CompiledRule, config: JsonObject, facts: NetworkFacts): NodeAnswer {
  const request = imaginedForNetwork(config);
  const { network } = request;
  const read = evaluationOf(rule, request, facts);
  if ('fault' in read) return { kind: 'fault', fault: read.fault };
  const { evaluation } = read;
  return guarded(rule, (): NodeAnswer => {
    const { needs, reads } = lookUp(rule, rule.node!.objects, facts, evaluation);
    if (isMissing(needs)) return { kind: 'needs', needs };
    const owner = nodeOwner(rule.name, network);
    const plan: Plan = {
      id: owner.id,
      owner,
      netns: undefined,
      subject: { kind: 'node', network, config: networkOf(config) },
      requirements: rule.node!.requirements,
      // Whoever keeps a node true looks at its plan several times.
      walk: replayWalks(() => walkSteps(rule.node!.steps, { evaluate: (expression, locals) => evaluation.run(expression, locals) })),
    };
    return { kind: 'plan', plan, reads };
  });
}
