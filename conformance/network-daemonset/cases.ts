import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { readExecutable } from '../../runtimes/cni/executable/forms.ts';
import type { AuditEvent, Cluster } from '../cluster/cluster.ts';
import { readKernelState } from '../cni/kernel-state.ts';
import { RULES } from '../cni/network-library.ts';
import type { NetworkNode } from '../cni/node.ts';
import { differentStates, type NormalState, normaliseState } from '../cni/normalise.ts';
import type { Probe } from '../cni/probe.ts';
import { claim, expectEqual } from '../cnitool/case.ts';
import type { KubeletNode } from '../node/kubelet.ts';
import type { Pods } from '../node/pods.ts';
import { allowed, applyManifest, DAEMON_SET, kubectl, manifestForConflist, NAMESPACE, podSpec, putRules } from './manifest.ts';

/** A node whose network is made by the manifest. */
export interface Installation {
  readonly cluster: Cluster;
  readonly node: NetworkNode;
  readonly probe: Probe;
  readonly kubelet: KubeletNode;
  readonly pods: Pods;
  /** What kubectl said of the manifest. */
  readonly applied: string;
  /** The node before it had a network. */
  readonly before: NormalState;
}

export interface InstallationCase {
  readonly name: string;
  play(installation: Installation): Promise<void>;
}

const ACCOUNT = `system:serviceaccount:${NAMESPACE}:${DAEMON_SET}`;
const PORT = 8080;
const DEADLINE_MS = 60_000;
const FOLDERS = ['/opt/cni', '/etc/cni', '/var/lib/cni', '/var/lib/fairlead', '/run/fairlead'];
/** What stays, as docs/networks.md says: parameters of the kernel, and the last address of a network that was not installed. */
const STAYING =
  /networks\/second\/last_reserved_ip|net\/(ipv4\/ip_forward|ipv6\/conf\/[^ ]*\/forwarding|ipv4\/conf\/[^ ]*\/forwarding|bridge\/bridge-nf-call-)/;

/** What there is of networks on a node, and of what makes them. */
export async function stateOf(node: NetworkNode): Promise<NormalState> {
  return normaliseState(await readKernelState(node, { pods: [], folders: FOLDERS }), {});
}

/** Waits until every pod of the DaemonSet that there should be is of its newest form, and ready. */
async function rolledOut({ cluster, node }: Installation): Promise<void> {
  const args = ['rollout', 'status', `daemonset/${DAEMON_SET}`, '-n', NAMESPACE, `--timeout=${DEADLINE_MS / 1000 - 5}s`];
  await kubectl(cluster, args).catch(async (error: Error) => {
    const { stdout: events } = await kubectl(cluster, ['get', 'events', '-n', NAMESPACE]);
    const logs = await node.run('sh', ['-c', `tail -n 20 ${node.folder}/pod-logs/${NAMESPACE}_*/*/*.log`]);
    throw new Error(`${error.message}\n${events}\n${logs.stdout}`);
  });
}

async function daemonPod(cluster: Cluster): Promise<string> {
  const { stdout } = await kubectl(cluster, ['get', 'pods', '-n', NAMESPACE, '-l', `app.kubernetes.io/name=${DAEMON_SET}`, '-o', 'name']);
  return stdout.trim();
}

async function expectReached({ node, probe }: Installation, address: string, name: string): Promise<void> {
  expectEqual(`who answers at ${address}`, (await probe.ask({ node }, 'tcp', `${address}:${PORT}`))?.name, name);
}

/** As a role names it, with its group: `pods/status`, `networkpolicies.networking.k8s.io`. */
function resourceOf({ resource, subresource, apiGroup }: NonNullable<AuditEvent['objectRef']>): string {
  return [[resource, subresource].filter(Boolean).join('/'), apiGroup].filter(Boolean).join('.');
}

export const installationCases: readonly InstallationCase[] = [
  {
    name: 'a server that checks every field has nothing to say of the manifest',
    async play({ applied }) {
      const kinds = ['namespace', 'serviceaccount', 'clusterrole.rbac', 'clusterrolebinding.rbac', 'daemonset.apps'];
      for (const kind of kinds) claim(applied.includes(`${kind}`), `no ${kind}: ${applied}`);
      expectEqual(
        'other words',
        applied.split('\n').filter((line) => line !== '' && !line.endsWith(' serverside-applied')),
        [],
      );
    },
  },
  {
    name: 'the DaemonSet makes the node ready: plugin, network and daemon are there',
    async play(installation) {
      const { node } = installation;
      await rolledOut(installation);
      const files = await node.expect('find', ['/opt/cni/bin', '/etc/cni/net.d', '/run/fairlead', '-type', 'f', '-o', '-type', 's']);
      for (const file of ['/opt/cni/bin/fairlead-bridge', '/etc/cni/net.d/10-pods.conflist', '/run/fairlead/cni.sock'])
        claim(files.split('\n').includes(file), `no ${file}:\n${files}`);
      // The image has no compiler, and needs none where the package was built with one.
      const isScript = (await node.expect('head', ['-c', '2', '/opt/cni/bin/fairlead-bridge'])) === '#!';
      expectEqual('whether the executable is a script', isScript, readExecutable('c') === undefined);
    },
  },
  {
    name: 'pods reach each other and the world outside',
    async play(installation) {
      const { pods, node, probe } = installation;
      await Promise.all(['left', 'right'].map((name) => pods.create(name)));
      const [left, right] = await pods.untilRunning(['left', 'right']);
      for (const { name, address } of [left!, right!]) {
        claim(address.startsWith('10.22.0.'), `${name} has the address ${address}`);
        await expectReached(installation, address, name);
      }
      const inRight = (await node.expect('ls', ['/run/netns'])).split('\n')[0]!;
      for (const { name, address } of [left!, right!])
        expectEqual('who answers in a pod', (await probe.ask({ node, pod: inRight }, 'tcp', `${address}:${PORT}`))?.name, name);
    },
  },
  {
    name: 'the daemon is deleted: pods go on, those deleted and made meanwhile are served by the next one',
    async play(installation) {
      const { cluster, pods } = installation;
      const [left] = await pods.untilRunning(['left']);
      await kubectl(cluster, ['delete', await daemonPod(cluster), '-n', NAMESPACE, '--wait=false']);
      await pods.create('later');
      await pods.delete(['right']);
      await expectReached(installation, left!.address, 'left');
      const [later] = await pods.untilRunning(['later']);
      await expectReached(installation, later!.address, 'later');
      await expectReached(installation, left!.address, 'left');
      await rolledOut(installation);
      await pods.delete(['left', 'later']);
    },
  },
  {
    name: 'its role allows what the rules of the library read, and nothing else',
    async play(installation) {
      const { cluster, node, pods } = installation;
      await kubectl(cluster, ['apply', '--filename', join(RULES, 'multi-network/definition.yaml')]);
      const delegate = { cniVersion: '1.0.0', name: 'pods', plugins: [{ type: 'fairlead-overlay' }, { type: 'fairlead-network-policy' }] };
      const list = { cniVersion: '1.0.0', name: 'pods', plugins: [{ type: 'fairlead-multi-network', delegate }] };
      const conflist = join(node.folder, 'pods.conflist');
      writeFileSync(conflist, JSON.stringify(list));
      const rules = [
        'overlay/overlay.yaml',
        'network-policy/network-policy.yaml',
        'multi-network/multi-network.yaml',
        'pod-network/pod-network.yaml',
      ];
      await putRules(cluster, rules, [conflist]);
      await applyManifest(cluster, manifestForConflist(node.folder, 'pods.conflist'));
      await rolledOut(installation);
      const config = JSON.stringify({ cniVersion: '1.0.0', type: 'fairlead-pod-network', bridge: 'second0', subnets: ['10.24.0.0/24'] });
      const [more, policy] = [
        { apiVersion: 'k8s.cni.cncf.io/v1', kind: 'NetworkAttachmentDefinition', metadata: { name: 'second' }, spec: { config } },
        { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: 'all' }, spec: { podSelector: {}, ingress: [{}] } },
      ];
      await kubectl(cluster, ['create', '--filename', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [more, policy] }));
      await pods.create('several', { annotations: { 'k8s.v1.cni.cncf.io/networks': 'second' } });
      const [several] = await pods.untilRunning(['several']);
      await expectReached(installation, several!.address, 'several');
      await pods.delete(['several']);
      const asked = cluster.auditEvents().filter(({ user, objectRef }) => user?.username === ACCOUNT && objectRef?.resource !== undefined);
      const said = asked.map(({ verb, objectRef, annotations }) => ({
        what: `${verb} ${resourceOf(objectRef!)}`,
        decision: annotations?.['authorization.k8s.io/decision'],
      }));
      expectEqual('what was forbidden', [...new Set(said.filter(({ decision }) => decision !== 'allow').map(({ what }) => what))], []);
      const used = new Set(said.map(({ what }) => what));
      // A list comes by its watch, where the server can do so.
      const needed = allowed().filter((what) => !(what.startsWith('list ') && used.has(what.replace('list ', 'watch '))));
      expectEqual('what is allowed and was asked for', needed, [...used].filter((what) => !what.startsWith('list ')).sort());
    },
  },
  {
    name: 'fairlead cni uninstall --purge, as a job, leaves the node as it was',
    async play({ cluster, node, before }) {
      await kubectl(cluster, ['delete', 'daemonset', DAEMON_SET, '-n', NAMESPACE, '--cascade=foreground', '--timeout=55s']);
      const { initContainers, containers, ...spec } = podSpec();
      const [daemon] = containers;
      const host = initContainers[0].volumeMounts.find(({ name }) => name === 'host')!;
      const { readinessProbe: _, livenessProbe: __, ...container } = daemon;
      const job = {
        apiVersion: 'batch/v1',
        kind: 'Job',
        metadata: { name: 'purge', namespace: NAMESPACE },
        spec: {
          backoffLimit: 0,
          template: {
            spec: {
              ...spec,
              restartPolicy: 'Never',
              containers: [
                {
                  ...container,
                  args: ['cni', 'uninstall', '--purge', '--host-root', host.mountPath],
                  volumeMounts: [...daemon.volumeMounts, host],
                },
              ],
            },
          },
        },
      };
      await kubectl(cluster, ['create', '--filename', '-'], JSON.stringify(job));
      const finished = await kubectl(cluster, ['wait', 'job/purge', '-n', NAMESPACE, '--for=condition=Complete', '--timeout=50s']).catch(
        String,
      );
      const logs = await node.run('sh', ['-c', `tail -n 30 ${node.folder}/pod-logs/${NAMESPACE}_purge*/*/*.log`]);
      claim(typeof finished !== 'string', `${String(finished)}\n${logs.stdout}`);
      const deadline = Date.now() + 10_000;
      for (;;) {
        const differences = differentStates(before, await stateOf(node)).filter((line) => !STAYING.test(line));
        if (differences.length === 0) return;
        claim(Date.now() < deadline, `not as before:\n${differences.slice(0, 30).join('\n')}\n${logs.stdout}`);
        await delay(500);
      }
    },
  },
];
