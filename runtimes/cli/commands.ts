import { CNI_COMMANDS } from './cni-commands.ts';
import type { CommandSpec, OptionSpec } from './command.ts';
import { CLUSTER_OPTIONS, LOG_OPTION, OUTPUT } from './shared-options.ts';

const BUNDLE_OPTION: OptionSpec = {
  name: 'rules',
  short: 'r',
  value: 'path',
  multiple: true,
  summary: 'Bundle folder or rule file to decide by.',
};

const FACTS_OPTION: OptionSpec = {
  name: 'facts',
  short: 'f',
  value: 'path',
  multiple: true,
  summary: 'Recorded objects that rules may look up: namespaces, parameters. Objects that are decided on count as facts, too.',
};

const REQUEST_OPTIONS: readonly OptionSpec[] = [
  {
    name: 'operation',
    value: 'verb',
    values: ['CREATE', 'UPDATE', 'DELETE'],
    default: 'CREATE',
    summary: 'Request that is made of a plain object. AdmissionReviews bring their own.',
  },
  { name: 'old', value: 'path', multiple: true, summary: 'Objects as they were before an UPDATE, found by kind, namespace and name.' },
  { name: 'namespace', short: 'n', value: 'name', default: 'default', summary: 'Namespace of objects that name none.' },
  { name: 'user', value: 'name', default: 'kubernetes-admin', summary: 'User who makes the request.' },
  { name: 'group', value: 'name', multiple: true, summary: 'Group of the user.' },
];

/** All commands, in the order of the help. */
export const COMMANDS: readonly CommandSpec[] = [
  {
    name: 'check',
    summary: 'Find everything that is wrong with rules.',
    description:
      'Reads and compiles rules without running them: syntax, unknown and missing fields, types of expressions, cost limits, schemas. Reports everything at once, with positions and hints.\n' +
      'A folder with bundle.yaml is one bundle. A folder without is searched for bundles; other rule files in it are checked together.',
    arguments: [{ name: 'path', summary: 'Rule files, bundle folders, or - for standard input.', required: true, multiple: true }],
    options: [
      OUTPUT('text', 'json', 'junit'),
      {
        name: 'cluster',
        summary: 'Check against the types of what the cluster serves. Default: those of the newest supported Kubernetes.',
      },
      ...CLUSTER_OPTIONS,
      { name: 'recorded', value: 'folder', summary: 'Check against the types of a recording, in the place of a cluster.' },
      { name: 'strict', summary: 'Treat warnings as errors.' },
      { name: 'quiet', short: 'q', summary: 'Print problems only.' },
    ],
    examples: [
      { command: 'fairlead check rules/', explains: 'all bundles below a folder' },
      { command: 'kubectl get validatingadmissionpolicies -o yaml | fairlead check -', explains: 'what a cluster has' },
      { command: 'fairlead check policy.yaml --output json', explains: 'for an editor' },
      { command: 'fairlead check rules/ --cluster --context staging', explains: 'with the custom resources that the cluster has' },
    ],
    exits: {
      0: 'no errors (warnings are allowed unless --strict)',
      1: 'errors were found',
      2: 'a path cannot be read, the cluster cannot be reached, or the command was called wrongly',
    },
    load: async () => (await import('./check.ts')).runCheck,
  },
  {
    name: 'test',
    summary: 'Run the tests of rules.',
    description:
      'Runs RuleTest documents and Kyverno CLI test files (kyverno-test.yaml) against the rules they belong to, and shows what differs from what they expect.\n' +
      'A bundle folder runs everything in its tests/. Other folders are searched for both kinds of tests.',
    arguments: [{ name: 'path', summary: 'Bundle folders, test files, or folders to search.', required: true, multiple: true }],
    options: [
      OUTPUT('text', 'json', 'junit'),
      { name: 'only', value: 'text', summary: 'Run only cases whose name contains this.' },
      { name: 'verbose', short: 'v', summary: 'Print the cases that pass, too.' },
    ],
    examples: [
      { command: 'fairlead test rules/', explains: 'the tests of all bundles below a folder' },
      { command: 'fairlead test policies/ --output junit > report.xml', explains: 'for a pipeline; Kyverno tests run as they are' },
      { command: 'fairlead test rules/images --only latest -v', explains: 'some cases of one bundle' },
    ],
    exits: {
      0: 'all cases passed',
      1: 'a case failed, or rules or tests have errors',
      2: 'a path cannot be read, there are no tests, or the command was called wrongly',
    },
    load: async () => (await import('./test.ts')).runTest,
  },
  {
    name: 'dry-run',
    summary: 'Show what rules would do to recorded objects.',
    description:
      'Admission rules: decides on objects as an API server would ask, and prints for each whether it is allowed, by which rule it is denied or warned about, and what mutations would change.\n' +
      'Reconcile rules: looks for their instances among the objects, and prints for each which objects it stands for, what would change of those that are recorded, what waits and why, and the status. Calls are not made; values of Secrets and generated values are not shown.\n' +
      'Network rules: takes recorded calls (kind: CNIInvocation, with env and config), and prints for each the steps of its plan, what each would change on a host that has nothing, and the result.\n' +
      'Takes what kubectl get -o yaml and kubectl create --dry-run=client -o yaml print, AdmissionReviews, and folders of them.',
    arguments: [
      { name: 'path', summary: 'Objects or AdmissionReviews: files, folders, or - for standard input.', required: true, multiple: true },
    ],
    options: [
      { ...BUNDLE_OPTION, summary: `${BUNDLE_OPTION.summary} Required.` },
      FACTS_OPTION,
      ...REQUEST_OPTIONS,
      { name: 'now', value: 'time', summary: 'Time that reconcile rules see, as 2027-01-31T12:00:00Z. Default: the present.' },
      { name: 'node', value: 'name', summary: 'Name of the node that network rules see. Default: node.' },
      OUTPUT('text', 'json', 'yaml', 'junit'),
      { name: 'all', short: 'a', summary: 'Print objects that are allowed unchanged, too, and new objects as a whole.' },
    ],
    examples: [
      { command: 'kubectl get pods -A -o yaml | fairlead dry-run -r rules/pod-security -', explains: 'what would be denied in a cluster' },
      { command: 'fairlead dry-run -r rules/sidecar deployment.yaml -f namespaces.yaml', explains: 'the mutation as a diff' },
      { command: 'fairlead dry-run -r rules/sidecar deployment.yaml -o yaml', explains: 'the object after mutation' },
      {
        command: 'fairlead dry-run -r rules/reconcile/myapp myapp.yaml cluster/',
        explains: 'what a MyApp would change in a recorded cluster',
      },
      { command: 'fairlead dry-run -r rules/network/bridge call.yaml', explains: 'the steps of a recorded call of a CNI plugin' },
    ],
    exits: {
      0: 'everything is allowed, and every instance can be reconciled',
      1: 'something is denied, a template fails or makes an invalid object, or rules or objects have errors',
      2: 'a path cannot be read, there is nothing to decide on, or the command was called wrongly',
    },
    load: async () => (await import('./dry-run.ts')).runDryRun,
  },
  {
    name: 'explain',
    summary: 'Show why rules decide as they do.',
    description:
      'Decides on objects like dry-run and prints for every rule whether it matched, and for its expressions the value of every part. By default only rules that concern the object are shown. For recorded calls of network rules: what the rule needs and reads, and the arguments that each step gets.',
    arguments: [
      { name: 'path', summary: 'Objects or AdmissionReviews: files, folders, or - for standard input.', required: true, multiple: true },
    ],
    options: [
      { ...BUNDLE_OPTION, summary: `${BUNDLE_OPTION.summary} Required.` },
      FACTS_OPTION,
      ...REQUEST_OPTIONS,
      { name: 'rule', value: 'name', multiple: true, summary: 'Only rules of this name.' },
      { name: 'node', value: 'name', summary: 'Name of the node that network rules see. Default: node.' },
      { name: 'all', short: 'a', summary: 'Show rules that do not match, too.' },
      OUTPUT('text', 'json'),
    ],
    examples: [
      { command: 'fairlead explain -r rules/images pod.yaml', explains: 'every expression with its values' },
      { command: 'fairlead explain -r rules/ review.json --rule no-latest-tag --all', explains: 'why a rule did not match' },
    ],
    exits: {
      0: 'everything is allowed',
      1: 'something is denied, or rules or objects have errors',
      2: 'a path cannot be read, or the command was called wrongly',
    },
    load: async () => (await import('./explain.ts')).runExplain,
  },
  {
    name: 'serve',
    summary: 'Host rules: a webhook for admission rules, a controller for reconcile rules.',
    description:
      'Admission rules: serves AdmissionReviews over HTTPS at /mutate, /validate and /admit, with /healthz, /readyz and /metrics.\n' +
      'Reconcile rules, with --cluster: makes their custom resources and keeps true what the instances stand for. Beside the webhook where the bundle has admission rules and a certificate is given.\n' +
      'The bundle is read again when its files change; one that does not compile never replaces one that does. Ends on SIGTERM or SIGINT when the requests in flight are answered and nothing is being written.',
    arguments: [{ name: 'path', summary: 'Bundle folders or rule files to serve. Required without --watch-rules.', multiple: true }],
    options: [
      { name: 'port', value: 'number', default: '8443', summary: 'Port to listen on; 0 takes a free one.' },
      { name: 'host', value: 'address', summary: 'Address to listen on. Default: all.' },
      { name: 'cert', value: 'file', summary: 'Certificate chain, PEM. Read again when it changes.' },
      { name: 'key', value: 'file', summary: 'Private key of the certificate, PEM.' },
      { name: 'client-ca', value: 'file', summary: 'Only accept clients with a certificate of these authorities, PEM.' },
      {
        name: 'dev-tls',
        value: 'folder',
        summary: 'For development: keep a certificate authority and a certificate in this folder. Clients should believe its ca.crt.',
      },
      {
        name: 'dev-host',
        value: 'name',
        multiple: true,
        summary: 'DNS name or IP address that clients use with --dev-tls. Default: localhost, 127.0.0.1, ::1.',
      },
      { name: 'health-port', value: 'number', summary: 'Also serve /healthz, /readyz and /metrics as plain HTTP on this port.' },
      { ...FACTS_OPTION, summary: 'Recorded objects that rules may look up, in the place of a cluster.' },
      {
        name: 'kube-api',
        value: 'url',
        summary:
          'API server to look facts up in and to run the controller on, such as http://127.0.0.1:8001 of kubectl proxy. Default: for facts the one of the pod this runs in, for the controller as kubectl finds it.',
      },
      { name: 'cluster', summary: 'Run the controller of the reconcile rules on the cluster.' },
      {
        name: 'watch-rules',
        summary:
          'With --cluster: also serve ReconcileRules and ResourceGraphDefinitions that are objects of the cluster, and write their status. Their kinds are made where they are missing.',
      },
      ...CLUSTER_OPTIONS.slice(0, 2),
      {
        name: 'namespace',
        short: 'n',
        value: 'name',
        default: 'fairlead-system',
        summary: 'Namespace in which the controller keeps its lease and its register of rules; made where it is missing.',
      },
      {
        name: 'leader-elect',
        value: 'whether',
        values: ['true', 'false'],
        default: 'true',
        summary: 'Let one of several replicas work while the others stand by. Without, there must be one only.',
      },
      {
        name: 'allow-call',
        value: 'host',
        multiple: true,
        summary: 'Host that calls of rules may go to: api.example.com, *.example.com, 127.0.0.1:8080. Default: none.',
      },
      {
        name: 'drain-delay',
        value: 'seconds',
        default: '5',
        summary: 'How long to go on accepting after a stop signal, until endpoints are updated.',
      },
      LOG_OPTION,
      {
        name: 'print-webhook-config',
        value: 'address',
        summary:
          'Do not serve: print the webhook configurations that make an API server send what the rules concern to <namespace>/<service> or https://<host>:<port>.',
      },
      {
        name: 'print-rbac',
        value: 'account',
        summary: 'Do not serve: print the roles that the reconcile rules need, exactly, and bind them to <namespace>/<service account>.',
      },
      {
        name: 'webhook-ca',
        value: 'file',
        summary: 'For the printed configurations: the authorities of the certificate, PEM. Default: ca.crt of --dev-tls.',
      },
    ],
    examples: [
      { command: 'fairlead serve rules/images --cert tls.crt --key tls.key', explains: 'in a pod, with a mounted certificate' },
      { command: 'fairlead serve rules/images --dev-tls .fairlead-tls --port 9443', explains: 'on a workstation' },
      {
        command: 'fairlead serve rules/images --print-webhook-config policy/fairlead --webhook-ca ca.crt | kubectl apply -f -',
        explains: 'register the service fairlead of the namespace policy',
      },
      {
        command: 'fairlead serve rules/reconcile/myapp --cluster --leader-elect false',
        explains: 'a controller on a workstation, on the current context',
      },
      { command: 'fairlead serve --cluster --watch-rules', explains: 'the rules that kubectl apply brings to the cluster' },
      {
        command: 'fairlead serve rules/reconcile/myapp --print-rbac fairlead-system/fairlead | kubectl apply -f -',
        explains: 'what its service account must be allowed',
      },
    ],
    exits: {
      0: 'stopped by a signal, with all requests answered',
      1: 'the rules do not compile',
      2: 'it could not listen, there is no cluster to connect to, a file cannot be read, or the command was called wrongly',
    },
    load: async () => (await import('./serve.ts')).runServe,
  },
  {
    name: 'plan',
    summary: 'Show what reconcile rules would change in a cluster.',
    description:
      'Asks the rules about instances and the cluster about each object, by its own dry run: what would be made, changed, deleted and refused, as differences. Nothing is kept.\n' +
      'Takes the instances of the cluster, or those of files as they are to be. With --recorded, a recording stands for the cluster: it is loaded into an API server in this process.\n' +
      'Values of Secrets and generated values are not shown. Calls are not made, and what depends on their answers is not planned.',
    arguments: [
      {
        name: 'path',
        summary: 'Instances as they are to be: files, folders, or - for standard input. Default: those of the cluster.',
        multiple: true,
      },
    ],
    options: [
      { ...BUNDLE_OPTION, summary: `${BUNDLE_OPTION.summary} Required.` },
      {
        name: 'recorded',
        value: 'path',
        multiple: true,
        summary: 'Recording in the place of a cluster: a folder of fairlead record, or objects.',
      },
      {
        name: 'namespace',
        short: 'n',
        value: 'name',
        summary: 'Only instances of this namespace; of files, the namespace of those that name none. Default: all, and default.',
      },
      ...CLUSTER_OPTIONS,
      OUTPUT('text', 'json'),
      { name: 'all', short: 'a', summary: 'Print objects that stay as they are, too, and new objects as a whole.' },
    ],
    examples: [
      {
        command: 'fairlead plan -r rules/reconcile/database',
        explains: 'what a changed rule would do to the instances of the current context',
      },
      {
        command: 'fairlead plan -r rules/reconcile/myapp myapp.yaml --context staging',
        explains: 'what an instance would change once it is applied',
      },
      { command: 'fairlead plan -r rules/reconcile/myapp --recorded cluster/', explains: 'without a cluster' },
    ],
    exits: {
      0: 'nothing would change',
      1: 'something would change or would be refused, or the rules have errors',
      2: 'the cluster cannot be reached, a path cannot be read, or the command was called wrongly',
    },
    load: async () => (await import('./plan.ts')).runPlan,
  },
  {
    name: 'record',
    summary: 'Write down what rules need to know of a cluster.',
    description:
      'Reads objects, what the server serves and the schemas of it, and writes them into a folder that dry-run, explain, plan and check take in the place of a cluster.\n' +
      'With --rules, records the kinds that rules read and write; namespaces and the definitions of custom resources come along.\n' +
      'Values of Secrets are replaced by *** unless asked for; their certificates stay. What else an object holds is written as it is: look before you share a recording.',
    arguments: [{ name: 'folder', summary: 'Folder to write to: new, empty, or a former recording, which is replaced.', required: true }],
    options: [
      { ...BUNDLE_OPTION, summary: 'Bundle folder or rule file: records the kinds it reads and writes.' },
      {
        name: 'resource',
        value: 'name',
        multiple: true,
        summary: 'Resource to record, as kubectl names it: pods, deploy, deployments.apps, MyApp.',
      },
      { name: 'all', short: 'a', summary: 'Record every resource but events and leases.' },
      { name: 'namespace', short: 'n', value: 'name', summary: 'Only objects of this namespace, and what belongs to none.' },
      { name: 'selector', short: 'l', value: 'labels', summary: 'Only objects with these labels, as kubectl takes them.' },
      { name: 'limit', value: 'number', default: '10000', summary: 'Most objects to record; more are an error.' },
      { name: 'secrets', summary: 'Keep the values of Secrets. The files are then readable by their owner only.' },
      { name: 'managed-fields', summary: 'Keep metadata.managedFields: who set which field.' },
      ...CLUSTER_OPTIONS,
    ],
    examples: [
      { command: 'fairlead record cluster/ -r rules/reconcile/myapp', explains: 'what a bundle reads and writes, of the current context' },
      { command: 'fairlead record shop/ --all -n shop --context staging', explains: 'a namespace' },
      { command: 'fairlead record pods/ --resource pods -l app=web --limit 100000', explains: 'one kind, by label' },
    ],
    exits: {
      0: 'everything was recorded',
      1: 'some resources may not be read and were left out, or the rules do not compile',
      2: 'the cluster cannot be reached, the folder holds something else, or the command was called wrongly',
    },
    load: async () => (await import('./record.ts')).runRecord,
  },
  {
    name: 'api-server',
    summary: 'Run a Kubernetes API server on this machine, without a cluster.',
    description:
      'Serves the Kubernetes API from memory, over TLS and for one administrator: built-in kinds, custom resources, watches, server-side apply. kubectl works with it. A small simulation moves what a cluster would move: replicas, pods that start, endpoints. No container runs.\n' +
      'It is for development and tests, not for production. Ends on SIGTERM or SIGINT.',
    arguments: [],
    options: [
      { name: 'port', value: 'number', default: '6443', summary: 'Port to listen on; 0 takes a free one.' },
      { name: 'host', value: 'address', default: '127.0.0.1', summary: 'Address to listen on.' },
      {
        name: 'kubeconfig',
        value: 'file',
        summary: "File to write an administrator's kubeconfig to. It holds a token that is new at every start.",
      },
      {
        name: 'data',
        value: 'folder',
        summary: 'Keep the objects in this folder, for the next start. Default: they are gone when the server ends.',
      },
      {
        name: 'no-simulate',
        summary: 'Simulate no workloads and nodes: only namespaces, their accounts, and what lost its owner are looked after.',
      },
      { name: 'load', value: 'path', multiple: true, summary: 'Objects to begin with: files, folders and recordings.' },
      LOG_OPTION,
    ],
    examples: [
      { command: 'fairlead api-server --kubeconfig admin.kubeconfig', explains: 'then kubectl --kubeconfig admin.kubeconfig' },
      { command: 'fairlead api-server --load cluster/ --no-simulate', explains: 'a recorded cluster, as it was' },
    ],
    exits: {
      0: 'stopped by a signal',
      1: 'not used',
      2: 'it could not listen, a file cannot be read, or the command was called wrongly',
    },
    load: async () => (await import('./api-server.ts')).runApiServer,
  },
  ...CNI_COMMANDS,
];
