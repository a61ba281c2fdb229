import { isJsonObject, type JsonObject } from '../../engine/object/json.ts';
import { maskSecretPair } from '../../engine/object/secret-mask.ts';
import type { ReconcileProgram } from '../../engine/rules/reconcile/program.ts';
import { isError } from '../../engine/text/diagnostic.ts';
import { visible } from '../../engine/text/display-width.ts';
import { formatPath } from '../../engine/text/document.ts';
import type { PlannedChange } from '../controller/plan.ts';
import { readRecording } from '../host/recording.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { embeddedConnection } from '../kubernetes/embedded/connection.ts';
import { createKubernetesClient } from '../kubernetes/kubernetes-client.ts';
import { type Change, changeLines, refusedLine } from './change-lines.ts';
import { withCluster } from './cluster-connection.ts';
import { type CommandRun, EXIT, type ParsedArguments, UsageError } from './command.ts';
import type { CommandContext, Paint } from './context.ts';
import { describeCondition } from './describe-instance.ts';
import { cueBackend, loadBundles } from './load-bundle.ts';
import { loadObjects } from './load-objects.ts';
import { startLocalServer } from './local-server.ts';
import { objectLabel, referenceLabel } from './object-label.ts';
import { passingValues } from './passing-values.ts';
import { type PlannedDefinition, type PlannedInstance, planRules, type RulesPlan } from './plan-rules.ts';
import { paintFor, plural, renderDiagnostics, toJson, toRecords } from './report.ts';

/** `fairlead plan`: what the controller would change in a cluster, by the cluster's own dry run. */
export const runPlan: CommandRun = async (args, context) => {
  if (args.all('rules').length === 0) throw new UsageError('--rules is missing: a bundle folder or rule file to plan by');
  const bundle = await loadBundles(args.all('rules'), context);
  const given = args.arguments.length === 0 ? undefined : await readObjects(args.arguments, args, context);
  const diagnostics = bundle.diagnostics;
  const json = args.text('output') === 'json';
  if (diagnostics.length > 0 && !json) context.err.write(renderDiagnostics(diagnostics, paintFor(args, context, context.err)));
  const program = bundle.program?.reconcile;
  if (program === undefined) {
    if (json) context.out.write(toJson({ ok: false, definitions: [], instances: [], diagnostics: toRecords(diagnostics) }));
    return EXIT.findings;
  }
  if (program.rules.length === 0)
    throw new UsageError('there are no reconcile rules to plan by', 'fairlead dry-run decides by admission rules');
  const now = Date.now();
  const plan = await withPlanned(program, args, context, (client) =>
    planRules({ client, program, given, namespace: args.text('namespace'), now, generate: passingValues(now) }),
  );
  if (given !== undefined && plan.instances.length === 0) {
    const kinds = program.rules.map(({ instance }) => `${instance.kind} (${instance.apiVersion})`).join(', ');
    throw new UsageError(`none of the objects is one that the rules are about: ${kinds}`, `looked in ${args.arguments.join(', ')}`);
  }
  const changes = changesOf(plan);
  if (json) context.out.write(toJson({ ok: changes === 0, ...planResult(plan), diagnostics: toRecords(diagnostics) }));
  else context.out.write(describePlan(plan, paintFor(args, context), args.on('all')));
  return changes === 0 && !diagnostics.some(isError) ? EXIT.ok : EXIT.findings;
};

async function readObjects(paths: readonly string[], args: ParsedArguments, context: CommandContext): Promise<readonly JsonObject[]> {
  const recording = await readRecording(paths, { cwd: context.cwd, stdin: context.readStdin, cue: cueBackend });
  if (recording.diagnostics.length > 0) context.err.write(renderDiagnostics(recording.diagnostics, paintFor(args, context, context.err)));
  if (recording.isEmpty) throw new UsageError(`there is nothing in ${paths.join(', ')}`);
  return recording.objects.map(({ object }) => object);
}

/** Works with the cluster that is meant: a live one, or a server that holds a recording. */
async function withPlanned(
  program: ReconcileProgram,
  args: ParsedArguments,
  context: CommandContext,
  work: (client: KubernetesClient) => Promise<RulesPlan>,
): Promise<RulesPlan> {
  const recorded = args.all('recorded');
  if (recorded.length === 0) return withCluster(args, context, work);
  if (['kubeconfig', 'context', 'kube-api'].some((option) => args.text(option) !== undefined)) {
    throw new UsageError('--recorded stands for the cluster: leave out --kubeconfig, --context and --kube-api');
  }
  const objects = await readObjects(recorded, args, context);
  const server = await startLocalServer();
  const client = createKubernetesClient({ connection: embeddedConnection(server, 'the recording') });
  try {
    const definitions = program.rules.flatMap(({ definition }) => (definition === undefined ? [] : [definition]));
    const { problems, madeNamespaces } = await loadObjects(server.registry, [
      ...objects,
      ...definitions.filter((each) => !isRecorded(each, objects)),
    ]);
    const color = paintFor(args, context, context.err);
    for (const { object, reason } of problems)
      context.err.write(`${color('yellow', 'not loaded')} ${visible(object)}: ${visible(reason)}\n`);
    for (const namespace of madeNamespaces)
      context.err.write(`note: assumed namespace ${visible(namespace)}, as nothing is recorded of it\n`);
    return await work(client);
  } finally {
    client.close();
    await server.close();
  }
}

const isRecorded = (definition: JsonObject, objects: readonly JsonObject[]): boolean =>
  objects.some((object) => object['kind'] === 'CustomResourceDefinition' && objectLabel(object) === objectLabel(definition));

/** How many objects would not stay as they are, or would be refused. */
function changesOf({ definitions, instances }: RulesPlan): number {
  const changed = instances.map((each) =>
    each.kind === 'refused' ? 1 : each.planned.changes.filter(({ action }) => action !== 'unchanged').length,
  );
  return definitions.filter(({ action }) => action !== 'none').length + changed.reduce((sum, count) => sum + count, 0);
}

function describePlan(plan: RulesPlan, color: Paint, whole: boolean): string {
  let text = plan.definitions.map((definition) => describeDefinition(definition, color, whole)).join('');
  if (text !== '') text += '\n';
  for (const instance of plan.instances) {
    const lines = describeInstance(instance, color, whole);
    if (lines !== '') text += `${lines}\n`;
  }
  return `${text}${summary(plan)}\n`;
}

function describeDefinition(definition: PlannedDefinition, color: Paint, whole: boolean): string {
  if (definition.action === 'none' && !whole) return '';
  return (
    changeLines(definition, color, whole) +
    definition.breaking.map((each) => `    ${color('red', 'breaks')} objects that exist: ${visible(each)}\n`).join('')
  );
}

function describeInstance(item: PlannedInstance, color: Paint, whole: boolean): string {
  const head = `${color('bold', visible(objectLabel(item.instance)))} ${color('faint', `[${item.rule.ruleKind} ${visible(item.rule.name)}]`)}\n`;
  if (item.kind === 'refused') return head + refusedLine(objectLabel(item.instance), item.problem, color);
  const { plan, changes, generate, calls } = item.planned;
  let text = '';
  for (const change of changes) {
    if (change.action === 'refused') text += refusedLine(referenceLabel(change.reference), change.problem ?? 'it is refused', color);
    else if (change.action !== 'unchanged' || whole) text += changeLines(asChange(change), color, whole);
  }
  for (const { id, reason } of plan.waiting) text += `  ${color('yellow', 'waits  ')} ${visible(id)}: ${visible(reason)}\n`;
  for (const { secret } of generate) text += `  ${color('cyan', 'makes  ')} Secret ${visible(secret.namespace)}/${visible(secret.name)}\n`;
  for (const id of calls) text += `  ${color('cyan', 'calls  ')} ${visible(id)}\n`;
  for (const { path, message } of plan.failures)
    text += `  ${color('red', 'fails  ')} ${visible(message)} ${color('faint', `[${formatPath(path)}]`)}\n`;
  if (text === '') return '';
  const notTrue = plan.conditions.filter(({ type, status }) =>
    type === 'Ready' ? status !== 'True' : type === 'Stalled' && status === 'True',
  );
  return head + text + notTrue.map((condition) => `  ${describeCondition(condition, color)}\n`).join('');
}

const ACTIONS = { create: 'create', update: 'change', unchanged: 'none', delete: 'delete', release: 'release' } as const;

function asChange({ action, reference, before, after }: PlannedChange): Change {
  return {
    action: ACTIONS[action as keyof typeof ACTIONS],
    label: referenceLabel(reference),
    before: before === null ? null : withoutCounters(before),
    after: after === null ? null : withoutCounters(after),
  };
}

/** Without what a server counts and makes up. */
function withoutCounters(object: JsonObject): JsonObject {
  if (!isJsonObject(object['metadata'] ?? null)) return object;
  const { resourceVersion: _r, generation: _g, uid: _u, creationTimestamp: _c, ...metadata } = object['metadata'] as JsonObject;
  return { ...object, metadata };
}

function summary({ definitions, instances }: RulesPlan): string {
  const changes = instances.flatMap((each) => (each.kind === 'refused' ? [] : each.planned.changes));
  const count = (action: PlannedChange['action']): number => changes.filter((change) => change.action === action).length;
  const refused = count('refused') + instances.filter(({ kind }) => kind === 'refused').length;
  const defined = definitions.filter(({ action }) => action !== 'none').length;
  return [
    plural(instances.length, 'instance'),
    ...(defined === 0 ? [] : [plural(defined, 'definition')]),
    `${count('create')} to create`,
    `${count('update')} to change`,
    `${count('delete')} to delete`,
    ...(count('release') === 0 ? [] : [`${count('release')} to leave`]),
    `${count('unchanged')} to keep`,
    ...(refused === 0 ? [] : [`${refused} refused`]),
  ].join(', ');
}

function planResult({ definitions, instances }: RulesPlan) {
  return {
    definitions: definitions.map(({ label, action, breaking }) => ({ definition: label, action, breaking })),
    instances: instances.map((item) => {
      const head = { rule: item.rule.name, instance: objectLabel(item.instance) };
      if (item.kind === 'refused') return { ...head, problem: item.problem };
      const { plan, changes, generate, calls } = item.planned;
      return {
        ...head,
        objects: changes.map(({ action, reference, id, before, after, problem }) => {
          const [shownBefore, shownAfter] = maskSecretPair(before, after);
          return {
            id,
            action,
            ...reference,
            ...(problem === undefined ? {} : { problem }),
            ...(action === 'unchanged' ? {} : { before: shownBefore, after: shownAfter }),
          };
        }),
        waiting: plan.waiting,
        generate: generate.map(({ id, secret, value }) => ({ id, secret, kind: value.kind })),
        calls,
        conditions: plan.conditions,
        failures: plan.failures,
      };
    }),
  };
}
