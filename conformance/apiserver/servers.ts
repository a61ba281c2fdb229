import { startEmbeddedServer } from '../../runtimes/kubernetes/embedded/server.ts';
import { type ApiClient, createClient } from '../cluster/client.ts';
import { startCluster } from '../cluster/cluster.ts';
import type { SuiteContext } from '../suite.ts';

/** An API server that the contract is asked of. */
export interface ContractServer {
  readonly name: string;
  /** May do everything, and impersonate. */
  readonly admin: ApiClient;
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
  return { name: `kube-apiserver ${cluster.version}`, admin: cluster.admin, stop: () => cluster.stop() };
}

/** The server under test. */
export async function startEmbedded(): Promise<ContractServer> {
  const server = await startEmbeddedServer();
  const admin = createClient({ url: server.url, token: server.adminToken });
  return {
    name: 'embedded',
    admin,
    async stop() {
      admin.close();
      await server.close();
    },
  };
}
