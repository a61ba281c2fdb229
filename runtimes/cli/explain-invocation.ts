import type { NetworkRule } from '../../engine/rules/network/program.ts';
import type { DryStep } from '../../engine/step/dry-walk.ts';
import type { Requirement } from '../../engine/step/requirement.ts';
import { visible } from '../../engine/text/display-width.ts';
import { printYaml } from '../../engine/text/print-yaml.ts';
import type { Paint } from './context.ts';
import { faultLine, labelOfInvocation } from './describe-invocation.ts';
import type { PlannedInvocation } from './plan-recorded.ts';

/** Why a call of a plugin does what it does: what its rule needs and reads, and the arguments that its expressions gave each step. */
export function explainInvocation(planned: PlannedInvocation, color: Paint): string {
  const { rule, steps, nodeSteps, fault } = planned;
  let text = `${labelOfInvocation(planned, color)}\n`;
  if (rule !== undefined) text += explainRule(rule, color);
  text += [...nodeSteps, ...steps].map((step) => explainStep(step, color)).join('');
  return fault === undefined ? text : text + faultLine(fault, color);
}

function explainRule({ config, capabilities, requirements, reads }: NetworkRule, color: Paint): string {
  const facts: readonly (readonly [string, readonly string[]])[] = [
    ['required', config.required],
    ['capabilities', capabilities],
    ['host needs', requirements.map(describeRequirement)],
    ['reads', reads.map(({ apiVersion, kind }) => `${kind} (${apiVersion})`)],
  ];
  return facts
    .filter(([, values]) => values.length > 0)
    .map(([name, values]) => `  ${color('faint', name.padEnd(12))} ${visible(values.join(', '))}\n`)
    .join('');
}

function describeRequirement(requirement: Requirement): string {
  switch (requirement.kind) {
    case 'program':
      return requirement.name;
    case 'link-type':
      return `${requirement.name} links${requirement.option === undefined ? '' : ` with ${requirement.option}`}`;
    case 'nft-family':
      return `nftables ${requirement.name}`;
    case 'qdisc':
      return `qdisc ${requirement.name}`;
    case 'sysctl':
      return requirement.name;
    case 'any-of':
      return requirement.requirements.map(describeRequirement).join(' or ');
  }
}

function explainStep({ step, operation, outputs }: DryStep, color: Paint): string {
  const line = step.line === undefined ? '' : color('faint', ` (line ${step.line})`);
  const yaml = (value: unknown) => printYaml(value).replace(/^(?=.)/gm, '      ');
  let text = `  ${color('cyan', visible(step.key))} ${visible(operation.describe(step.arguments))}${line}\n`;
  text += `    ${color('faint', 'arguments')}\n${yaml(step.arguments)}`;
  if (Object.keys(outputs).length > 0) text += `    ${color('faint', 'outputs')}\n${yaml(outputs)}`;
  return text;
}
