import { type EmbeddedServer, type EmbeddedServerOptions, startEmbeddedServer } from './server.ts';
import { type SimulationOptions, startSimulation } from './simulation/simulation.ts';

export interface EmbeddedClusterOptions extends EmbeddedServerOptions {
  /** What is simulated around the server. Default: all of it, on one node. */
  readonly simulation?: Pick<SimulationOptions, 'nodes' | 'pods' | 'leases' | 'workloads' | 'events'>;
}

/** An API server in this process with what makes a cluster of it. */
export interface EmbeddedCluster extends EmbeddedServer {
  /** Resolves when its controllers have nothing to do at the moment. */
  idle(): Promise<void>;
}

/** Published where the server speaks plain HTTP: pods mount the ConfigMap, whatever is in it. */
const NO_AUTHORITY = 'none';

/**
 * The embedded API server with its simulation, which writes as kube-controller-manager and kubelet would. Resolves when the server
 * listens and its nodes are there; `simulation: { workloads: false }` leaves it at what no API server can be used without.
 */
export async function startEmbeddedCluster(options: EmbeddedClusterOptions = {}): Promise<EmbeddedCluster> {
  const server = await startEmbeddedServer(options);
  const { clock, log } = options;
  const simulation = startSimulation({
    ...options.simulation,
    registry: server.registry,
    authority: server.ca ?? NO_AUTHORITY,
    ...(clock === undefined ? {} : { clock }),
    onError: (controller, key, error) => log?.('debug', 'a controller failed and tries again', { controller, key, error: String(error) }),
  });
  const close = async (): Promise<void> => {
    await simulation.close();
    await server.close();
  };
  try {
    await simulation.started;
  } catch (error) {
    // What failed is known already: that the simulation does not end well tells nothing more.
    await simulation.close().catch(() => {});
    await server.close();
    throw error;
  }
  return { ...server, idle: () => simulation.idle(), close };
}
