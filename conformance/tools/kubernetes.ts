import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { GoTool } from './go-tool.ts';

/** The Go module that pins Kubernetes and etcd. */
const MODULE = join(dirname(fileURLToPath(import.meta.url)), 'kubernetes');

/** The version a module is required in, `v1.37.2`. Throws when `go.mod` does not name it. */
export function requiredVersion(goMod: string, module: string): string {
  for (const line of goMod.split('\n')) {
    const [name, version] = line
      .replace(/^\s*require\s+/, '')
      .trim()
      .split(/\s+/);
    if (name === module && version?.startsWith('v')) return version;
  }
  throw new Error(`go.mod does not require ${module}`);
}

const goMod = readFileSync(join(MODULE, 'go.mod'), 'utf8');

/** Linker flags without which the server calls itself v0.0.0, and clients that read versions misbehave. */
export function versionFlags(version: string): string {
  const [major, minor] = version.slice(1).split('.');
  const set = { gitVersion: version, gitMajor: major, gitMinor: minor };
  return Object.entries(set)
    .map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`)
    .join(' ');
}

export const KUBERNETES_VERSION = requiredVersion(goMod, 'k8s.io/kubernetes');

/** The control plane, kubelet and kubectl. A cold build of kube-apiserver takes some seven minutes on two cores. */
export const kubernetes: GoTool = {
  name: 'kubernetes',
  version: KUBERNETES_VERSION,
  module: MODULE,
  packages: Object.fromEntries(
    ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubelet', 'kubectl'].map((name) => [
      name,
      `k8s.io/kubernetes/cmd/${name}`,
    ]),
  ),
  ldflags: versionFlags(KUBERNETES_VERSION),
};

export const etcd: GoTool = {
  name: 'etcd',
  version: requiredVersion(goMod, 'go.etcd.io/etcd/server/v3'),
  module: MODULE,
  packages: { etcd: 'go.etcd.io/etcd/server/v3' },
};
