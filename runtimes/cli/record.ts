import { resolve } from 'node:path';
import { writeRecording } from '../host/recording-folder.ts';
import { displayName } from '../host/text-files.ts';
import type { KubernetesClient, ResourceType } from '../kubernetes/client.ts';
import { withCluster } from './cluster-connection.ts';
import { type CommandRun, EXIT, type ParsedArguments, UsageError } from './command.ts';
import type { CommandContext } from './context.ts';
import { loadBundles } from './load-bundle.ts';
import { recordCluster, resourcesOfRules } from './record-cluster.ts';
import { paintFor, plural, renderDiagnostics } from './report.ts';
import { resourceNamed, resourceText } from './resource-argument.ts';

/** `fairlead record`: writes down what rules need to know of a cluster. */
export const runRecord: CommandRun = async (args, context) => {
  const [given] = args.arguments;
  const folder = resolve(context.cwd, given ?? '');
  const name = displayName(folder, context.cwd);
  const limit = limitOf(args);
  const secrets = args.on('secrets');
  return withCluster(args, context, async (client) => {
    const types = await selectedTypes(args, context, client);
    if (types === undefined) return EXIT.findings;
    const namespace = args.text('namespace');
    const labelSelector = args.text('selector');
    const recorded = await recordCluster(client, {
      types,
      ...(namespace === undefined ? {} : { namespace }),
      ...(labelSelector === undefined ? {} : { labelSelector }),
      secrets,
      managedFields: args.on('managed-fields'),
      limit,
      now: new Date().toISOString(),
    });
    const files = writeRecording(folder, name, recorded);
    const color = paintFor(args, context);
    for (const { resource, reason } of recorded.missing) context.err.write(`${color('yellow', 'left out')} ${resource}: ${reason}\n`);
    context.out.write(
      `recorded ${plural(recorded.objects.length, 'object')} of ${plural(types.length, 'resource')} from ${client.server} ` +
        `(Kubernetes ${recorded.info.kubernetes}) into ${plural(files.length, 'file')} in ${name}\n`,
    );
    if (secrets)
      context.err.write(`${color('yellow', 'note')}: ${name} holds the values of Secrets; its files are readable by you alone\n`);
    return recorded.missing.length > 0 ? EXIT.findings : EXIT.ok;
  });
};

/** Undefined where the rules that are to say it do not compile. */
async function selectedTypes(
  args: ParsedArguments,
  context: CommandContext,
  client: KubernetesClient,
): Promise<readonly ResourceType[] | undefined> {
  const served = await client.discovery.all();
  const wanted = new Map<string, ResourceType>();
  const add = (type: ResourceType): void => {
    wanted.set(resourceText(type), type);
  };
  for (const name of args.all('resource')) add(resourceNamed(name, served));
  if (args.on('all')) for (const type of served) if (!PASSING.has(resourceText(type))) add(type);
  const rules = args.all('rules');
  if (rules.length > 0) {
    const bundle = await loadBundles(rules, context);
    if (bundle.diagnostics.length > 0) context.err.write(renderDiagnostics(bundle.diagnostics, paintFor(args, context, context.err)));
    if (bundle.program === undefined) return undefined;
    for (const type of await resourcesOfRules(bundle.program, client)) add(type);
  }
  if (wanted.size === 0) throw new UsageError('say what to record: --rules <path>, --resource <name> or --all');
  const listable = [...wanted.values()].filter(({ verbs }) => verbs.includes('list'));
  const [first] = wanted.values();
  if (listable.length === 0 && first !== undefined) throw new UsageError(`${resourceText(first)} cannot be listed`);
  return listable;
}

/** What comes and goes by itself, and tells nothing about what should be. */
const PASSING = new Set(['events', 'events.events.k8s.io', 'leases.coordination.k8s.io', 'componentstatuses']);

function limitOf(args: ParsedArguments): number {
  const text = args.text('limit') ?? '';
  if (!/^[1-9][0-9]{0,6}$/.test(text))
    throw new UsageError(`--limit must be a number of objects up to 9999999, not ${JSON.stringify(text)}`);
  return Number(text);
}
