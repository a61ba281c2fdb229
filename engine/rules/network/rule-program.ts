import type { Requirement } from '../../step/requirement.ts';
import type { CompiledRule } from './compiled-rule.ts';
import { attach, nodePlan, status } from './executor.ts';
import type { NetworkRule } from './program.ts';

/** What a runtime gets of a compiled rule. */
export function ruleProgram(rule: CompiledRule): NetworkRule {
  return {
    name: rule.name,
    revision: rule.revision,
    capabilities: rule.capabilities,
    config: { required: rule.config.required, defaults: rule.config.defaults, fields: rule.config.fields },
    reads: kindsRead(rule),
    needsCluster: rule.objects.some(({ when }) => when === undefined),
    annotatesPods: rule.podAnnotations !== undefined,
    delegates: rule.attach.steps.some(({ operation }) => operation.name === 'delegate'),
    requirements: knownRequirements(rule),
    attach: (request, facts) => attach(rule, request, facts),
    status: (request, facts) => status(rule, request, facts),
    node: rule.node === undefined ? undefined : (config, facts) => nodePlan(rule, config, facts),
  };
}

function kindsRead({ objects }: CompiledRule): NetworkRule['reads'] {
  const kinds = new Map(objects.map(({ apiVersion, kind }) => [`${apiVersion} ${kind}`, { apiVersion, kind }]));
  return [...kinds.values()];
}

/** Each once, though attachments and the node may need the same. */
function knownRequirements({ attach, node }: CompiledRule): readonly Requirement[] {
  const all = [...attach.requirements, ...(node?.requirements ?? [])];
  return [...new Map(all.map((requirement) => [JSON.stringify(requirement), requirement])).values()];
}
