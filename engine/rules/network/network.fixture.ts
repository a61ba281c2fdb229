import type { CompiledBundle } from '../../bundle/bundle.ts';
import { compileBundle } from '../../bundle/compile.ts';
import type { JsonObject } from '../../object/json.ts';
import { dryWalk } from '../../step/dry-walk.ts';
import { renderDiagnostic } from '../../text/render.ts';
import { parseYaml } from '../../text/yaml.ts';
import { recordedObjects } from '../recorded-objects.ts';
import { firstAddresses } from './first-addresses.ts';
import { NETWORK_OPERATIONS } from './operations.ts';
import type { AddressRequest, NetworkAnswer, NetworkFacts, NetworkPlan, NetworkRequest, NetworkRule } from './program.ts';

/** The text of a NetworkRule called `net` with this spec. */
export function ruleText(spec: string): string {
  return `apiVersion: fairlead.dev/v1alpha1\nkind: NetworkRule\nmetadata: { name: net }\nspec:\n${spec.trim().replace(/^(?=.)/gm, '  ')}\n`;
}

export function compileText(spec: string): CompiledBundle {
  return compileBundle(parseYaml({ name: 'rule.yaml', text: ruleText(spec) }).documents);
}

/** What is wrong with a spec, as people see it. */
export const picturesOf = (spec: string): string =>
  compileText(spec)
    .diagnostics.map((diagnostic) => renderDiagnostic(diagnostic))
    .join('\n');

/** The rule of a spec; throws where it does not compile. */
export function ruleOf(spec: string): NetworkRule {
  const rule = compileText(spec).program?.network.rules[0];
  if (rule === undefined) throw new Error(picturesOf(spec));
  return rule;
}

/** An ADD of eth0, with this in its configuration. */
export function addRequest(config: JsonObject = {}, details: Partial<NetworkRequest> = {}): NetworkRequest {
  return {
    command: 'ADD',
    containerId: 'c1',
    netns: '/run/netns/c1',
    ifName: 'eth0',
    cniVersion: '1.1.0',
    network: 'pods',
    args: {},
    path: ['/opt/cni/bin'],
    config: { cniVersion: '1.1.0', name: 'pods', type: 'net', ...config },
    ...details,
  };
}

/** A node called n1 of a cluster with these objects. */
export const factsOf = (...objects: readonly JsonObject[]): NetworkFacts => ({ nodeName: 'n1', ...recordedObjects(objects) });

export function planOf(answer: NetworkAnswer): NetworkPlan {
  if (answer.kind !== 'plan') throw new Error(JSON.stringify(answer));
  return answer.plan;
}

/** Goes through a plan on a host where all addresses are free. */
export function walkedOf(plan: NetworkPlan, outputs: Readonly<Record<string, JsonObject>> = {}) {
  const { steps, failure } = dryWalk(plan, NETWORK_OPERATIONS, {
    custom: ({ name, request }) => (name === 'addresses' ? { ips: firstAddresses(request as unknown as AddressRequest) } : {}),
    outputsOf: ({ key }) => outputs[key],
  });
  const performed = steps.map(({ step, outputs: ended }) => ({ ...step, outputs: ended }));
  return { steps: performed, failure, result: () => plan.result(performed) };
}

/** Arguments of the steps of an ADD, by key. */
export function argumentsOf(rule: NetworkRule, request = addRequest(), facts = factsOf()): Readonly<Record<string, JsonObject>> {
  const { steps, failure } = walkedOf(planOf(rule.attach(request, facts)));
  if (failure !== undefined) throw failure;
  return Object.fromEntries(steps.map((step) => [step.key, step.arguments]));
}
