import type { JsonObject } from '../../engine/object/json.ts';
import { maskSecret } from '../../engine/object/secret-mask.ts';
import type { StatusCondition } from '../../engine/rules/reconcile/program.ts';
import { visible } from '../../engine/text/display-width.ts';
import { formatPath } from '../../engine/text/document.ts';
import { printYaml } from '../../engine/text/print-yaml.ts';
import { formatPlace } from '../../engine/text/render.ts';
import { changeLines, indented, refusedLine } from './change-lines.ts';
import type { Paint } from './context.ts';
import { placeOf } from './decide-recorded.ts';
import { objectLabel, referenceLabel } from './object-label.ts';
import type { ReconciledInstance, RecordedChange } from './reconcile-recorded.ts';
import { plural } from './report.ts';

/** What a rule wants for an instance, as people read it; objects that are new only by name unless `whole`. */
export function describeInstance(
  { rule, recorded, instance, problems, plan, changes, generate }: ReconciledInstance,
  color: Paint,
  whole = false,
): string {
  const { source, span } = placeOf(recorded);
  const place = source !== undefined && span !== undefined ? color('faint', ` (${formatPlace(source, span)})`) : '';
  let text = `${color('bold', visible(objectLabel(instance)))}${place} ${color('faint', `[${rule.ruleKind} ${visible(rule.name)}]`)}\n`;
  for (const problem of problems) text += `  ${color('red', 'invalid')} ${visible(problem)}\n`;
  for (const change of changes) text += describeChange(change, color, whole);
  for (const { id, reason } of plan.waiting) text += `  ${color('yellow', 'waits  ')} ${visible(id)}: ${visible(reason)}\n`;
  for (const { secret } of generate) text += `  ${color('cyan', 'makes  ')} Secret ${visible(secret.namespace)}/${visible(secret.name)}\n`;
  for (const { request } of plan.calls) text += `  ${color('cyan', 'calls  ')} ${request.method} ${visible(withoutQuery(request.url))}\n`;
  for (const { path, message } of plan.failures)
    text += `  ${color('red', 'fails  ')} ${visible(message)} ${color('faint', `[${formatPath(path)}]`)}\n`;
  if (plan.status !== undefined && Object.keys(plan.status).length > 0) text += `  status\n${indented(printYaml(plan.status), '    ')}`;
  return text + plan.conditions.map((condition) => `  ${describeCondition(condition, color)}\n`).join('');
}

function describeChange({ desired, action, before, after, problem }: RecordedChange, color: Paint, whole: boolean): string {
  const label = referenceLabel(desired.reference);
  if (problem !== undefined) return refusedLine(label, problem, color);
  const note = action === 'none' && !desired.ready ? `, ${color('yellow', 'not ready')}` : '';
  return changeLines({ action, label, before, after, note }, color, whole);
}

/** `Ready False NotReady: ...`. */
export function describeCondition({ type, status, reason, message }: StatusCondition, color: Paint): string {
  const name = status === 'True' ? 'green' : status === 'False' ? 'yellow' : 'faint';
  return `${color(name, `${visible(type)} ${status}`)} ${visible(reason)}${message === '' ? '' : `: ${visible(message)}`}`;
}

/** How many instances there are, and what would become of their objects. */
export function summarizeInstances(instances: readonly ReconciledInstance[]): string {
  const changes = instances.flatMap((instance) => instance.changes);
  const count = (action: RecordedChange['action']): number =>
    changes.filter((change) => change.action === action && change.problem === undefined).length;
  const waiting = instances.reduce((sum, { plan }) => sum + plan.waiting.length, 0);
  const failed = instances.filter(isFailed).length;
  const parts = [
    plural(instances.length, 'instance'),
    `${count('create')} to create`,
    `${count('change')} to change`,
    `${count('none')} to keep`,
    `${waiting} waiting`,
    ...(failed === 0 ? [] : [`${failed} failed`]),
  ];
  return parts.join(', ');
}

export const isFailed = ({ problems, plan, changes }: ReconciledInstance): boolean =>
  problems.length > 0 || plan.failures.length > 0 || changes.some(({ problem }) => problem !== undefined);

/** The same for machines. Secrets are masked. */
export function instanceResult({ rule, recorded, instance, problems, plan, changes, generate }: ReconciledInstance) {
  const { source, span } = placeOf(recorded);
  return {
    file: source?.name,
    ...(source !== undefined && span !== undefined ? { position: formatPlace(source, span) } : {}),
    rule: rule.name,
    instance: objectLabel(instance),
    objects: changes.map(({ desired, action, problem }) => ({
      id: desired.id,
      ...(desired.key === '' ? {} : { key: desired.key }),
      ...desired.reference,
      action,
      ready: desired.ready,
      ...(problem === undefined ? {} : { problem }),
      object: maskSecret(desired.object),
    })),
    waiting: plan.waiting,
    generate: generate.map(({ id, secret, value }) => ({ id, secret, kind: value.kind })),
    calls: plan.calls.map(({ id, key, request }) => ({ id, key, method: request.method, url: withoutQuery(request.url) })),
    status: plan.status,
    conditions: plan.conditions,
    ...(plan.requeueAfter === undefined ? {} : { requeueAfterSeconds: plan.requeueAfter / 1000 }),
    failures: plan.failures,
    problems,
  };
}

/** The desired objects, in the order in which they are applied. Secrets are masked. */
export function desiredObjects(instances: readonly ReconciledInstance[]): readonly JsonObject[] {
  return instances.flatMap(({ changes }) => changes.map(({ desired }) => maskSecret(desired.object)));
}

/** A URL without its query, which may hold keys. */
function withoutQuery(url: string): string {
  const end = url.search(/[?#]/);
  return end < 0 ? url : `${url.slice(0, end)}?…`;
}
