import type { CelValue } from '../../cel/values.ts';
import { type Json, type JsonObject, setOwn } from '../../object/json.ts';
import { BindError } from '../../step/plan.ts';
import { type Infer, integer, list, object, optional, string } from '../../text/shape.ts';
import { checkShapeValue } from '../../text/shape-check.ts';
import { addressesOf, NO_ADDRESSES } from './addresses.ts';
import type { CompiledRule } from './compiled-rule.ts';
import { type Evaluation, RuleFault } from './evaluation.ts';
import { IPAM_KEY } from './ipam-step.ts';
import type { AddressOutputs, NetworkPlan, NetworkRequest } from './program.ts';
import type { CniResult } from './protocol/result.ts';
import { configuredDns, resultOfSteps } from './step-result.ts';

export type Performed = Parameters<NetworkPlan['result']>[0];

const texts = list(string());

/** What `result` of a rule may say. */
const resultShape = object({
  interfaces: optional(
    list(
      object({
        name: string(),
        mac: optional(string()),
        mtu: optional(integer()),
        sandbox: optional(string()),
        socketPath: optional(string()),
        pciID: optional(string()),
      }),
    ),
  ),
  ips: optional(list(object({ address: string(), gateway: optional(string()), interface: optional(integer({ minimum: 0 })) }))),
  routes: optional(
    list(
      object({
        dst: string(),
        gw: optional(string()),
        mtu: optional(integer()),
        advmss: optional(integer()),
        priority: optional(integer()),
        table: optional(integer()),
        scope: optional(integer()),
      }),
    ),
  ),
  dns: optional(object({ nameservers: optional(texts), domain: optional(string()), search: optional(texts), options: optional(texts) })),
});
type ResultFields = Infer<typeof resultShape>;

/** The result of an attachment whose steps ended so. Throws a {@link BindError} where `result` of the rule fails. */
export function attachmentResult(
  rule: CompiledRule,
  request: NetworkRequest,
  runtimeConfig: JsonObject,
  evaluation: Evaluation,
  performed: Performed,
): CniResult {
  const addresses = givenAddresses(performed);
  const steps = performed.filter(({ key }) => key !== IPAM_KEY);
  const result = resultOfSteps({
    parts: steps.flatMap((step) => rule.operations.get(step.operation)?.result?.(step.arguments, step.outputs) ?? []),
    addresses,
    prevResult: request.prevResult,
    ifName: request.ifName,
    netns: request.netns,
    dns: configuredDns(request.config, runtimeConfig),
  });
  if (rule.result === undefined) return result;
  const { path, template } = rule.result;
  const fail = (message: string, at = path) => new BindError(message, 'result', at, undefined);
  const locals = endedLocals(rule, performed, result);
  let rendered: Json | undefined;
  try {
    rendered = evaluation.render(template, path, locals);
  } catch (error) {
    if (error instanceof RuleFault) throw fail(error.message, error.path);
    throw error;
  }
  const { value, problems } = checkShapeValue<ResultFields>(resultShape, rendered ?? {});
  const [problem] = problems;
  if (problem !== undefined) throw fail(`${problem.path.join('.')}: ${problem.message}`, [...path, ...problem.path]);
  return { ...result, ...(value as Partial<CniResult>) };
}

function givenAddresses(performed: Performed): AddressOutputs | undefined {
  const ipam = performed.find(({ key }) => key === IPAM_KEY);
  return ipam === undefined ? undefined : addressesOf(ipam.operation, ipam.outputs);
}

/** What expressions see of an attachment whose steps have ended so. */
export function endedLocals(rule: CompiledRule, performed: Performed, result: CniResult): Readonly<Record<string, CelValue>> {
  return {
    result: result as unknown as JsonObject,
    steps: stepOutputs(rule, performed),
    ...(rule.addresses === undefined ? {} : { ipam: (givenAddresses(performed) ?? NO_ADDRESSES) as unknown as JsonObject }),
  };
}

/** `steps` as they are at the end. */
function stepOutputs(rule: CompiledRule, performed: Performed): JsonObject {
  const outputs: { [id: string]: Json } = {};
  for (const { key, id, forEach } of rule.attach.steps) {
    if (id === undefined) continue;
    const value =
      forEach === undefined
        ? performed.find((step) => step.key === key)?.outputs
        : performed.filter((step) => step.key.startsWith(`${key}/`)).map((step) => step.outputs);
    if (value !== undefined) setOwn(outputs, id, value);
  }
  return outputs;
}
