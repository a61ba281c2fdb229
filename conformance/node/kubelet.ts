import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster } from '../cluster/cluster.ts';
import type { NetworkNode, NodeProcess } from '../cni/node.ts';
import type { Probe } from '../cni/probe.ts';
import { WIRE } from '../cni/topology.ts';
import { containerd } from '../tools/containerd.ts';
import { type BuildOptions, ensureGoTool } from '../tools/go-tool.ts';
import { kubernetes } from '../tools/kubernetes.ts';
import { makeCgroupRoot } from './cgroup.ts';
import { makeProgramImage } from './image.ts';

/** Image of pods: the probe, with its arguments as the command. */
export const POD_IMAGE = 'conformance.test/netprobe:1';
const SANDBOX_IMAGE = 'conformance.test/sandbox:1';

/** A machine that runs pods: containerd and kubelet in the namespaces of a node. */
export interface KubeletNode {
  /** Name of the Node object. */
  readonly name: string;
  readonly containerd: NodeProcess;
  readonly kubelet: NodeProcess;
  /** `ctr`, on the containers of Kubernetes. */
  ctr(...args: readonly string[]): Promise<string>;
  stop(): Promise<void>;
}

export interface KubeletOptions extends BuildOptions {
  /** The node reaches its API server at the URL that is this machine's. */
  readonly cluster: Cluster;
  readonly node: NetworkNode;
  readonly probe: Probe;
  /** Folders of CNI plugins. */
  readonly pluginPath: readonly string[];
  /** Folder of network configurations. */
  readonly confFolder: string;
  /** Archives of images that pods need beside {@link POD_IMAGE}, by their paths. */
  readonly images?: readonly string[];
  /** What has to be done before the node can be ready: it has no network yet. */
  beforeReady(): Promise<void>;
}

const READY_DEADLINE_MS = 60_000;

export async function startKubelet(options: KubeletOptions): Promise<KubeletNode> {
  const { cluster, node, probe } = options;
  const runtime = await ensureGoTool(containerd, ['containerd', 'containerd-shim-runc-v2', 'ctr'], options);
  const kubernetesFolder = await ensureGoTool(kubernetes, ['kubelet'], options);
  const cgroup = makeCgroupRoot(`fairlead-${node.pid}`);
  const running: NodeProcess[] = [];
  const stop = async (): Promise<void> => {
    for (const each of running.reverse()) await each.stop();
    // What containers were left dies with the node's first process.
    await node.stop();
    for (let tries = 0; tries < 20; tries++) {
      cgroup.remove();
      await delay(50);
    }
  };
  try {
    const socket = '/run/containerd/containerd.sock';
    const environment = { PATH: `${runtime}:${process.env['PATH'] ?? ''}` };
    const ctr = (...args: readonly string[]): Promise<string> =>
      node.expect(join(runtime, 'ctr'), ['--address', socket, '--namespace', 'k8s.io', ...args], { environment, deadlineMs: 60_000 });
    const configuration = join(node.folder, 'containerd.toml');
    writeFileSync(configuration, containerdConfiguration(node, socket, options));
    const containerdProcess = await node.start('containerd', join(runtime, 'containerd'), ['--config', configuration], {
      environment,
      readyText: 'containerd successfully booted',
      deadlineMs: READY_DEADLINE_MS,
    });
    running.push(containerdProcess);
    for (const [name, command] of [
      [POD_IMAGE, []],
      [SANDBOX_IMAGE, ['sleep']],
    ] as const) {
      const archive = join(node.folder, 'image.tar');
      writeFileSync(archive, makeProgramImage(name, probe.path, command));
      await ctr('images', 'import', archive);
    }
    for (const archive of options.images ?? []) await ctr('images', 'import', archive);
    const kubeletConfiguration = join(node.folder, 'kubelet.json');
    writeFileSync(kubeletConfiguration, JSON.stringify(kubeletSettings(node, socket, cgroup.path)));
    const kubelet = await node.start(
      'kubelet',
      join(kubernetesFolder, 'kubelet'),
      [
        `--config=${kubeletConfiguration}`,
        `--kubeconfig=${cluster.kubeconfig}`,
        '--root-dir=/var/lib/kubelet',
        '--cert-dir=/var/lib/kubelet/pki',
        `--hostname-override=${node.name}`,
        `--node-ip=${WIRE[4].address(1)}`,
      ],
      { environment },
    );
    running.push(kubelet);
    await options.beforeReady();
    await waitForNode(cluster, node.name, kubelet);
    return { name: node.name, containerd: containerdProcess, kubelet, ctr, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function waitForNode(cluster: Cluster, name: string, kubelet: NodeProcess): Promise<void> {
  const deadline = Date.now() + READY_DEADLINE_MS;
  for (;;) {
    const { status, body } = await cluster.admin.request({ path: `/api/v1/nodes/${name}` });
    const conditions = (
      body as { readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] } }
    ).status?.conditions;
    if (status === 200 && conditions?.some((each) => each.type === 'Ready' && each.status === 'True')) return;
    if (kubelet.exitCode !== undefined || Date.now() > deadline) {
      throw new Error(`the node is not ready: ${JSON.stringify(conditions ?? body)}\n${kubelet.log().split('\n').slice(-20).join('\n')}`);
    }
    await delay(200);
  }
}

function containerdConfiguration(node: NetworkNode, socket: string, options: KubeletOptions): string {
  mkdirSync(join(node.folder, 'containerd'), { recursive: true });
  return `version = 3
root = "${join(node.folder, 'containerd')}"
state = "/run/containerd"
[grpc]
  address = "${socket}"
[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "${SANDBOX_IMAGE}"
[plugins."io.containerd.cri.v1.runtime"]
  # Without this a machine that lacks CAP_SYS_RESOURCE can't start a sandbox.
  restrict_oom_score_adj = true
  [plugins."io.containerd.cri.v1.runtime".cni]
    bin_dirs = ${JSON.stringify(options.pluginPath)}
    conf_dir = "${options.confFolder}"
  [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
      SystemdCgroup = false
`;
}

function kubeletSettings(node: NetworkNode, socket: string, cgroupRoot: string): unknown {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    failCgroupV1: false,
    failSwapOn: false,
    cgroupDriver: 'cgroupfs',
    cgroupRoot,
    cgroupsPerQOS: true,
    enforceNodeAllocatable: [],
    containerRuntimeEndpoint: `unix://${socket}`,
    authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
    authorization: { mode: 'AlwaysAllow' },
    address: '127.0.0.1',
    evictionHard: { 'nodefs.available': '1%', 'imagefs.available': '1%' },
    podLogsDir: join(node.folder, 'pod-logs'),
    resolvConf: '',
    maxPods: 200,
    registryPullQPS: 0,
    serializeImagePulls: false,
    syncFrequency: '10s',
    // Chains of its own in every table, which nobody here needs.
    makeIPTablesUtilChains: false,
  };
}
