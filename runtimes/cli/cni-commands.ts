import type { CommandSpec, OptionSpec } from './command.ts';
import { CLUSTER_OPTIONS, LOG_OPTION, OUTPUT } from './shared-options.ts';

const SOCKET: OptionSpec = {
  name: 'socket',
  value: 'path',
  default: '/run/fairlead/cni.sock',
  summary: 'Socket on which the daemon listens to the executables.',
};
const STATE: OptionSpec = {
  name: 'state',
  value: 'folder',
  default: '/var/lib/fairlead/cni',
  summary: 'Folder for what must not be forgotten: the journal of what was done, and DELs that wait for a daemon.',
};
const BIN: OptionSpec = {
  name: 'bin-dir',
  value: 'folder',
  default: '/opt/cni/bin',
  summary: 'Folder in which the runtime looks for plugins.',
};
const CONF: OptionSpec = {
  name: 'conf-dir',
  value: 'folder',
  default: '/etc/cni/net.d',
  summary: 'Folder in which the runtime looks for network configurations.',
};
const HOST_ROOT: OptionSpec = {
  name: 'host-root',
  value: 'folder',
  default: '/',
  summary: "Where the host's files are mounted, in a container. Other paths are the host's own.",
};

/** Commands about networks, in the order of the help. */
export const CNI_COMMANDS: readonly CommandSpec[] = [
  {
    name: 'cni serve',
    summary: 'Host network rules: the daemon behind the CNI plugins of this node.',
    description:
      'Attaches containers to networks by rules: answers ADD, DEL, CHECK, GC and STATUS of the executables that fairlead cni install puts in place. What it does to the kernel it writes down before, so that the next start after a crash undoes what was half done.\n' +
      'The bundle is read again when its files change; one that does not compile never replaces one that does. Needs root. Ends on SIGTERM or SIGINT when what was begun is done; the networks of containers stay as they are.',
    arguments: [{ name: 'path', summary: 'Bundle folders or rule files to serve.', required: true, multiple: true }],
    options: [
      SOCKET,
      STATE,
      {
        name: 'node-name',
        value: 'name',
        summary: 'Name of this node in the cluster. Default: NODE_NAME of the environment, then the name of the host.',
      },
      ...CLUSTER_OPTIONS,
      {
        name: 'health-port',
        value: 'number',
        summary: 'Serve /healthz, /readyz and /metrics as plain HTTP on this port; 0 takes a free one.',
      },
      { name: 'host', value: 'address', default: '127.0.0.1', summary: 'Address for --health-port.' },
      {
        name: 'allow-program',
        value: 'path',
        multiple: true,
        summary: 'Program that steps (exec) may run, by its absolute path. Default: none.',
      },
      {
        name: 'allow-call',
        value: 'host',
        multiple: true,
        summary: 'Host that steps (http) may call: api.example.com, *.example.com, 127.0.0.1:8080. Default: none.',
      },
      {
        name: 'no-rehearsal',
        summary:
          'Spares a second of a processor after the start, in which it practises what it will do; the first pods take twice the time.',
      },
      {
        name: 'grace',
        value: 'seconds',
        default: '30',
        summary: 'How long to wait for what was begun, after a stop signal. What is longer is undone by the next start.',
      },
      LOG_OPTION,
    ],
    examples: [
      { command: 'fairlead cni serve rules/network/bridge', explains: 'the daemon of a node' },
      {
        command: 'fairlead cni serve rules/network/overlay --health-port 9808',
        explains: 'in a pod of a DaemonSet: rules that look at nodes find the cluster by its service account',
      },
    ],
    exits: {
      0: 'stopped by a signal',
      1: 'the rules do not compile',
      2: 'another daemon runs, a path cannot be had, or the command was called wrongly',
    },
    load: async () => (await import('./cni-serve.ts')).runCniServe,
  },
  {
    name: 'cni install',
    summary: 'Put the CNI plugins of network rules, and a network, where the runtime finds them.',
    description:
      'Installs one executable for each network rule, under the name of the rule: it hands invocations to the daemon. With --network or --conflist also the network configuration, after it was checked against the rules.\n' +
      'Each file appears as a whole and the configuration last. May be repeated: what is as it should be is left alone. Never replaces what is not its own, unless told to.\n' +
      'The executable is compiled where this package was built with a C compiler; else, and where that does not run, it is a perl or a Node script.',
    arguments: [{ name: 'path', summary: 'Bundle folders or rule files whose rules are to be plugins.', required: true, multiple: true }],
    options: [
      BIN,
      CONF,
      { name: 'network', value: 'name', summary: 'Also write a network configuration of this name that uses the rule.' },
      { name: 'rule', value: 'name', summary: 'The rule of --network. Default: the only one there is.' },
      {
        name: 'config',
        value: 'key=value',
        multiple: true,
        summary: "A field of the rule's configuration for --network: a value in JSON, or text.",
      },
      {
        name: 'cni-version',
        value: 'version',
        summary: 'Version of the specification for --network. Default: 1.0.0 for old runtimes, and 1.1.0 for those that know it.',
      },
      {
        name: 'conflist',
        value: 'file',
        summary: 'Install this network configuration in the place of one made of --network: for chains with other plugins.',
      },
      {
        name: 'conf-name',
        value: 'file',
        summary: 'Name of the file in --conf-dir. A runtime takes the first by alphabet. Default: 10-<network>.conflist.',
      },
      SOCKET,
      STATE,
      {
        name: 'executable',
        value: 'form',
        values: ['c', 'perl', 'node'],
        summary: 'Form of the executables. Default: the fastest that works on the host, in this order.',
      },
      HOST_ROOT,
      { name: 'force', summary: 'Replace files of other origin.' },
    ],
    examples: [
      {
        command: 'fairlead cni install rules/network/bridge --network pods --config subnet=10.22.0.0/16 --config ipMasq=true',
        explains: 'plugin and network',
      },
      { command: 'fairlead cni install rules/network/bridge --conflist pods.conflist', explains: 'a network of your own, checked first' },
      { command: 'fairlead cni install rules/network/bridge --host-root /host', explains: 'from the init container of a DaemonSet' },
    ],
    exits: {
      0: 'everything is in place',
      1: 'the rules do not compile, or the network configuration does not fit them',
      2: 'something is in the way, a path cannot be written, or the command was called wrongly',
    },
    load: async () => (await import('./cni-install.ts')).runCniInstall,
  },
  {
    name: 'cni uninstall',
    summary: 'Remove the CNI plugins and networks that were installed.',
    description:
      'Removes the network configurations that fairlead cni install wrote, then its executables. Containers keep their networks; the runtime can no longer detach them, so remove the pods first.\n' +
      'With --purge also what the daemon made on this node: bridges, tunnels, tables and chains of the packet filter, reservations, journal and folders. The daemon must have ended. Parameters of the kernel that others may rely on by now, such as net.ipv4.ip_forward, stay as they are.',
    arguments: [],
    options: [
      BIN,
      CONF,
      HOST_ROOT,
      { name: 'purge', summary: 'Remove what was made for networks, too, so that the node is as it was before.' },
      { name: 'detach', summary: 'With --purge: take the networks of containers away that are still attached.' },
      SOCKET,
      STATE,
    ],
    examples: [
      { command: 'fairlead cni uninstall', explains: 'all that was installed into the usual folders' },
      { command: 'fairlead cni uninstall --purge', explains: 'after the pods and the daemon are gone: leave nothing' },
    ],
    exits: {
      0: 'nothing is installed any more',
      1: 'containers are attached, or something could not be removed',
      2: 'a daemon runs, a path cannot be written, or the command was called wrongly',
    },
    load: async () => (await import('./cni-install.ts')).runCniUninstall,
  },
  {
    name: 'cni status',
    summary: 'Show what the daemon of this node has attached, and what it lacks.',
    description:
      'Asks the daemon about its rules, networks, attachments, addresses that are left, DELs that wait, and what the host has not that rules need.',
    arguments: [],
    options: [SOCKET, OUTPUT('text', 'json')],
    examples: [
      { command: 'fairlead cni status', explains: 'on a node' },
      { command: 'kubectl exec -n kube-system ds/fairlead-cni -- fairlead cni status', explains: 'from anywhere' },
    ],
    exits: { 0: 'the daemon is well', 1: 'something is missing or left', 2: 'no daemon answers, or the command was called wrongly' },
    load: async () => (await import('./cni-status.ts')).runCniStatus,
  },
  {
    name: 'cni gc',
    summary: 'Remove what the daemon made and nothing uses any more.',
    description:
      'Tries again what could not be removed before, and removes from the kernel what carries a tag of ours and belongs to no attachment: bridges that nobody uses, rules of a daemon whose journal was lost. Attachments stay; those that are no longer valid only the runtime knows, which says so by the verb GC.\n' +
      'Only what is of rules that are served is looked at, as another daemon may serve others on the same node. With --all also what rules made that are not there any more, and what the node has for networks to which nothing is attached, such as tunnels; that is made anew when it is needed.\n' +
      'What could not be undone is tried again by the daemon itself, too: after half a minute, then more and more seldom, up to every quarter of an hour. --forget ends that: what a plugin that is gone should undo stays as it is, and nobody knows of it any more.',
    arguments: [],
    options: [
      { name: 'all', summary: 'Of all rules that ever were. Not where another daemon of this program serves on the node.' },
      {
        name: 'forget',
        summary: 'Forget what still could not be undone, such as what a plugin that is gone should undo. It is not tried again.',
      },
      SOCKET,
      OUTPUT('text', 'json'),
    ],
    examples: [
      { command: 'fairlead cni gc', explains: 'after the state folder was lost, or by hand' },
      { command: 'fairlead cni gc --all', explains: 'after a rule was renamed or removed, and its pods are gone' },
      { command: 'fairlead cni gc --forget', explains: 'when cni status shows what nobody can remove any more' },
    ],
    exits: { 0: 'nothing is left', 1: 'something could not be removed', 2: 'no daemon answers, or the command was called wrongly' },
    load: async () => (await import('./cni-status.ts')).runCniGc,
  },
];
