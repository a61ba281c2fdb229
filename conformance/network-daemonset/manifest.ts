import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import type { Cluster } from '../cluster/cluster.ts';
import { runCommand } from '../cni/command.ts';
import { RULES } from '../cni/network-library.ts';

const MANIFEST = fileURLToPath(new URL('../../docs/networks.yaml', import.meta.url));

/** What the manifest calls them. */
export const NAMESPACE = 'fairlead-network';
export const DAEMON_SET = 'fairlead-cni';
const RULES_MAP = 'fairlead-network-rules';
/** The manifest's image, as a container runtime calls it in full. */
export const IMAGE = 'docker.io/library/fairlead-cni:0.1.0';

/** `kubectl`, as the cluster's administrator; its output and what it warned of. Throws where it does not end with 0. */
export async function kubectl(
  cluster: Cluster,
  args: readonly string[],
  stdin = '',
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const { exitCode, stdout, stderr } = await runCommand(await cluster.kubectl(), ['--kubeconfig', cluster.kubeconfig, ...args], {
    stdin,
    deadlineMs: 60_000,
  });
  if (exitCode !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr || stdout}`);
  return { stdout, stderr };
}

/** Applies the manifest, or one that a user made of it; the server checks every field. Answers what kubectl said of it. */
export async function applyManifest(cluster: Cluster, file = MANIFEST): Promise<string> {
  const { stdout, stderr } = await kubectl(cluster, ['apply', '--server-side', '--validate=strict', '--filename', file]);
  return stdout + stderr;
}

/** Puts the files of bundles of the library, and others, where the manifest expects rules. */
export async function putRules(cluster: Cluster, bundles: readonly string[], files: readonly string[] = []): Promise<void> {
  const from = [...bundles.map((bundle) => join(RULES, bundle)), ...files].map((path) => `--from-file=${path}`);
  const { stdout } = await kubectl(cluster, ['create', 'configmap', RULES_MAP, '-n', NAMESPACE, '--dry-run=client', '-o', 'json', ...from]);
  await kubectl(cluster, ['apply', '--server-side', '--filename', '-'], stdout);
}

export interface Container {
  readonly name: string;
  readonly args: readonly string[];
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
  readonly [field: string]: unknown;
}

export interface PodSpec {
  readonly initContainers: readonly [Container];
  readonly containers: readonly [Container];
  readonly [field: string]: unknown;
}

interface ManifestObject {
  readonly kind: string;
  readonly rules?: readonly {
    readonly apiGroups: readonly string[];
    readonly resources: readonly string[];
    readonly verbs: readonly string[];
  }[];
  readonly spec?: { readonly template: { readonly spec: PodSpec } };
}

function objects(): readonly ManifestObject[] {
  return parseAllDocuments(readFileSync(MANIFEST, 'utf8')).map((document) => document.toJS() as ManifestObject);
}

/** Of the pods of its DaemonSet. */
export function podSpec(): PodSpec {
  return objects().find(({ kind }) => kind === 'DaemonSet')!.spec!.template.spec;
}

/** What its role allows, each as `get pods` or `list networkpolicies.networking.k8s.io`. */
export function allowed(): readonly string[] {
  const { rules = [] } = objects().find(({ kind }) => kind === 'ClusterRole')!;
  return rules
    .flatMap(({ apiGroups, resources, verbs }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) => verbs.map((verb) => `${verb} ${resource}${group === '' ? '' : `.${group}`}`)),
      ),
    )
    .sort();
}

/** The manifest with a network of the user's own, from a file beside the rules. Answers the path. */
export function manifestForConflist(folder: string, conflist: string): string {
  const text = readFileSync(MANIFEST, 'utf8');
  const [before, after] = text.split(/^ {12}- --network\n(?: {12}- .*\n)+/m);
  if (after === undefined) throw new Error('the manifest names no network');
  const file = join(folder, 'networks.yaml');
  writeFileSync(file, `${before}            - --conflist\n            - /rules/${conflist}\n${after}`);
  return file;
}
