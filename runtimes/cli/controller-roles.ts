import { typesWith } from '../../engine/bundle/compile.ts';
import { parseApiVersion } from '../../engine/object/type-table.ts';
import { printYaml } from '../../engine/text/print-yaml.ts';
import { requiredAccess, rolesFor } from '../controller/access.ts';
import { type CommandRun, EXIT, UsageError } from './command.ts';
import { loadServed } from './load-bundle.ts';
import { paintFor, renderDiagnostics } from './report.ts';

/** `fairlead serve --print-rbac`: the roles that allow what the reconcile rules need and no more, bound to a service account. */
export const printControllerRoles: CommandRun = async (args, context) => {
  const account = accountOf(args.text('print-rbac') ?? '');
  const watchRules = args.on('watch-rules');
  const bundle = await loadServed(args, context);
  if (bundle.diagnostics.length > 0) context.err.write(renderDiagnostics(bundle.diagnostics, paintFor(args, context, context.err)));
  const program = bundle.program?.reconcile;
  if (program === undefined) return EXIT.findings;
  if (program.rules.length === 0 && !watchRules) throw new UsageError('--print-rbac is for reconcile rules, and there are none');
  for (const { name, choosesKinds } of program.rules)
    if (choosesKinds) context.err.write(`rule ${name} chooses kinds by expressions: what it needs for those is not among what follows\n`);
  const types = typesWith(program.rules.flatMap(({ definition }) => (definition === undefined ? [] : [definition])));
  const resourceOf = (apiVersion: string, kind: string): string | undefined => {
    const { group, version } = parseApiVersion(apiVersion);
    return types.resourceOf(group, version, kind)?.resource;
  };
  const access = requiredAccess(program, resourceOf, {
    namespace: args.text('namespace') ?? 'fairlead-system',
    leaderElection: args.text('leader-elect') !== 'false',
    watchRules,
  });
  const roles = rolesFor(access, account.name);
  const bindings = roles.map((role) => ({
    apiVersion: role['apiVersion'],
    kind: `${String(role['kind'])}Binding`,
    metadata: role['metadata'],
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: role['kind'], name: account.name },
    subjects: [{ kind: 'ServiceAccount', name: account.name, namespace: account.namespace }],
  }));
  const serviceAccount = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: account.name, namespace: account.namespace } };
  context.out.write([serviceAccount, ...roles, ...bindings].map((object) => printYaml(object)).join('---\n'));
  return EXIT.ok;
};

function accountOf(text: string): { readonly namespace: string; readonly name: string } {
  const [, namespace, name] = /^([a-z0-9-]{1,63})\/([a-z0-9.-]{1,253})$/.exec(text) ?? [];
  if (namespace === undefined || name === undefined) {
    throw new UsageError(`--print-rbac must be <namespace>/<service account>, not ${JSON.stringify(text)}`);
  }
  return { namespace, name };
}
