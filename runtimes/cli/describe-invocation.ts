import type { CniFault, NetworkRequest } from '../../engine/rules/network/program.ts';
import { describeFault } from '../../engine/rules/network/protocol/fault.ts';
import { describeEffect } from '../../engine/step/describe-effect.ts';
import type { DryStep } from '../../engine/step/dry-walk.ts';
import { visible } from '../../engine/text/display-width.ts';
import { formatPlace } from '../../engine/text/render.ts';
import type { Paint } from './context.ts';
import { placeOf } from './decide-recorded.ts';
import type { PlannedInvocation } from './plan-recorded.ts';
import { plural, toJson } from './report.ts';

/** What the steps do is only printed where it does something. */
const VERBS: Readonly<Record<NetworkRequest['command'], string>> = {
  ADD: 'performs',
  CHECK: 'checks',
  DEL: 'undoes, in reverse',
  GC: 'undoes what belongs to no attachment that is valid',
  STATUS: '',
};

/** What is asked of a network as a whole, whatever variables say of a container. */
const OF_NETWORKS: ReadonlySet<string> = new Set(['GC', 'STATUS']);

/** What a call of a plugin would do, as people read it: its steps with what each would ask of the kernel, and the result. */
export function describeInvocation(planned: PlannedInvocation, color: Paint): string {
  const { request, steps, nodeSteps, result, podAnnotations, fault } = planned;
  let text = `${labelOfInvocation(planned, color)}\n`;
  const isAdd = request?.command === 'ADD';
  if (nodeSteps.length > 0) text += `  for the node\n${nodeSteps.map((step) => describeStep(step, color, isAdd)).join('')}`;
  if (steps.length > 0) text += `  ${VERBS[request?.command ?? 'ADD']}\n`;
  text += (request?.command === 'DEL' ? steps.toReversed() : steps)
    .map((step) => describeStep(step, color, isAdd, request?.command))
    .join('');
  if (fault !== undefined) text += faultLine(fault, color);
  else if (request?.command === 'GC' && steps.length === 0) text += `  ${VERBS.GC}; only a daemon knows what there is\n`;
  else if (request?.command === 'STATUS') text += `  ${color('green', 'ready')}, as far as the rule says\n`;
  if (result !== undefined) text += `  result\n${toJson(result).replace(/^(?=.)/gm, '    ')}`;
  const annotations = Object.entries(podAnnotations).map(([key, value]) => `    ${visible(key)}: ${visible(value)}\n`);
  if (annotations.length > 0) text += `  annotations of the pod\n${annotations.join('')}`;
  return text;
}

/** Which call it is, where it was recorded, and whose. */
export function labelOfInvocation({ recorded, rule, request }: PlannedInvocation, color: Paint): string {
  const { source, span } = placeOf(recorded);
  const where = source !== undefined && span !== undefined ? color('faint', ` (${formatPlace(source, span)})`) : '';
  const by = rule === undefined ? '' : ` ${color('faint', `[NetworkRule ${visible(rule.name)}]`)}`;
  return `${color('bold', visible(labelOf(request)))}${where}${by}`;
}

/** The line for an error as the plugin would answer it. */
export const faultLine = (fault: CniFault, color: Paint): string =>
  `  ${color('red', `error ${fault.code}`)} ${visible(describeFault(fault))}\n`;

function labelOf(request: NetworkRequest | undefined): string {
  if (request === undefined) return 'a call that can not be read';
  const { command, ifName, containerId, network } = request;
  return ifName === '' || OF_NETWORKS.has(command) ? `${command} ${network}` : `${command} ${network}: ${ifName} of ${containerId}`;
}

function describeStep(
  { step, operation, changes, problem }: DryStep,
  color: Paint,
  withChanges: boolean,
  command?: NetworkRequest['command'],
): string {
  const line = step.line === undefined ? '' : color('faint', ` (line ${step.line})`);
  const stays = command === 'DEL' && operation.lifetime === 'shared' ? ', which stays for others until garbage is collected' : '';
  let text = `    ${color('cyan', visible(step.key))} ${visible(operation.describe(step.arguments))}${stays}${line}\n`;
  if (!withChanges) return text;
  for (const change of changes.flatMap((effect) => describeEffect(effect))) text += `      ${visible(change)}\n`;
  if (problem !== undefined) text += `      ${color('yellow', 'and what depends on the host:')} ${visible(problem)}\n`;
  return text;
}

/** How many calls there were, and how many would fail. */
export function summarizeInvocations(planned: readonly PlannedInvocation[]): string {
  const failed = planned.filter(({ fault }) => fault !== undefined).length;
  return `${plural(planned.length, 'call')}${failed === 0 ? '' : `, ${failed} failed`}`;
}

/** The same for machines. */
export function invocationResult({ recorded, rule, request, steps, nodeSteps, result, podAnnotations, fault }: PlannedInvocation) {
  const { source, span } = placeOf(recorded);
  const stepResults = (all: readonly DryStep[]) =>
    all.map(({ step, operation, changes, problem }) => ({
      key: step.key,
      operation: step.operation,
      ...(step.line === undefined ? {} : { line: step.line }),
      description: operation.describe(step.arguments),
      arguments: step.arguments,
      changes: changes.flatMap((effect) => describeEffect(effect)),
      ...(problem === undefined ? {} : { problem }),
    }));
  return {
    file: source?.name,
    ...(source !== undefined && span !== undefined ? { position: formatPlace(source, span) } : {}),
    rule: rule?.name,
    command: request?.command,
    ...(nodeSteps.length === 0 ? {} : { nodeSteps: stepResults(nodeSteps) }),
    steps: stepResults(steps),
    result,
    ...(Object.keys(podAnnotations).length === 0 ? {} : { podAnnotations }),
    error: fault,
  };
}
