import { startEmbeddedCluster } from '../../runtimes/kubernetes/embedded/cluster.ts';
import { type ApiClient, createClient } from '../cluster/client.ts';
import { startCluster } from '../cluster/cluster.ts';
import type { SuiteContext } from '../suite.ts';

/** An API server that the contract is asked of. */
export interface ContractServer {
  readonly name: string;
  /** May do everything, and impersonate. */
  readonly admin: ApiClient;
  /** How long its controllers may take, in milliseconds. */
  readonly patience: number;
  stop(): Promise<void>;
}

/** Of kube-controller-manager: those whose work belongs to the contract. */
const CONTROLLERS = [
  'garbage-collector-controller',
  'namespace-controller',
  'serviceaccount-controller',
  'root-ca-certificate-publisher-controller',
  'clusterrole-aggregation-controller',
];

/** The real API server with the controllers that the contract speaks of. */
export async function startReal(context: SuiteContext): Promise<ContractServer> {
  const cluster = await startCluster({
    log: context.log,
    signal: context.signal,
    controllers: CONTROLLERS,
  });
  return { name: `kube-apiserver ${cluster.version}`, admin: cluster.admin, patience: 20_000, stop: () => cluster.stop() };
}

/** The server under test, with the same controllers: those of workloads would write to the objects of cases. */
export async function startEmbedded(): Promise<ContractServer> {
  const server = await startEmbeddedCluster({ simulation: { workloads: false } });
  const admin = createClient({ url: server.url, token: server.adminToken });
  return {
    name: 'embedded',
    admin,
    patience: 5_000,
    async stop() {
      admin.close();
      await server.close();
    },
  };
}
