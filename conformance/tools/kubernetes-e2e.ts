import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { contentVersion, type GoTool } from './go-tool.ts';
import { KUBERNETES_VERSION, versionFlags } from './kubernetes.ts';

const MODULE = join(dirname(fileURLToPath(import.meta.url)), 'kubernetes-e2e');

/**
 * Kubernetes' own specs of its API machinery, see `kubernetes-e2e/main.go`; of the same version as the API server. A cold build takes
 * some four minutes on two cores.
 */
export const kubernetesE2e: GoTool = {
  name: 'kubernetes-e2e',
  version: contentVersion(MODULE),
  module: MODULE,
  packages: { e2e: '.' },
  ldflags: versionFlags(KUBERNETES_VERSION),
};
