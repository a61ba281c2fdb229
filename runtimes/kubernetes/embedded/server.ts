import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import type { JsonObject } from '../../../engine/object/json.ts';
import { type Clock, systemClock, type Timer } from '../../host/clock.ts';
import { type Log, silentLog } from '../../host/log.ts';
import type { TlsSource } from '../../host/tls.ts';
import { setUpAccess } from './access.ts';
import { clusterAdmission } from './admission/cluster-admission.ts';
import { aggregation } from './aggregation/aggregation.ts';
import { keptSigner } from './authentication/kept-signer.ts';
import { RbacAuthorizer } from './authorization/rbac-authorizer.ts';
import { ResourceCatalog } from './catalog.ts';
import { clusterView } from './control-loop/cluster-view.ts';
import { runControlLoop } from './control-loop/control-loop.ts';
import { customResourceController } from './custom-resources/definition-controller.ts';
import { ADMIT_ALL, type Admission } from './hooks.ts';
import { createApiHandler } from './http/api-handler.ts';
import { listen } from './http/listener.ts';
import { serverPaths } from './http/plain-paths.ts';
import { builtInResources } from './kinds/built-in.ts';
import { accountServices } from './kinds/strategies/service-allocations.ts';
import { openApiPaths } from './openapi/openapi-paths.ts';
import type { Registry, Requester } from './registry.ts';
import type { ServerState } from './server-state.ts';
import { type ResolveService, registryServices } from './service-connection/service-resolver.ts';
import { StatusError } from './status-error.ts';
import { type Durability, openDataFolder } from './storage/data-folder.ts';
import { expireEvents } from './storage/event-expiry.ts';
import { ObjectStore } from './storage/object-store.ts';
import { bindPod } from './subresources/binding.ts';
import { evictPod } from './subresources/eviction.ts';
import { ObjectRegistry } from './verbs/object-registry.ts';

export interface EmbeddedServerOptions {
  /** Address to listen on. Default: 127.0.0.1. */
  readonly host?: string;
  /** Default: a free one. */
  readonly port?: number;
  /** Without it the server speaks plain HTTP, lets everybody in as administrator, and listens on loopback addresses only. */
  readonly tls?: TlsSource;
  /** PEM of the authorities that clients should believe; for the kubeconfig. */
  readonly ca?: string;
  readonly clock?: Clock;
  readonly log?: Log;
  /** Bearer token of the administrator. Default: a random one. */
  readonly adminToken?: string;
  /** Further users by bearer token. */
  readonly tokens?: ReadonlyMap<string, Requester>;
  /** Instead of that of a cluster: policies, webhooks, limits, quotas. */
  readonly admission?: Admission;
  /** Where services are that webhooks and APIServices name. Default: where their endpoints say. */
  readonly resolveService?: ResolveService;
  /** Folder that keeps the objects between starts; without it they are gone with the server. */
  readonly data?: string;
  /** When a write counts as kept. Default: `durable`. */
  readonly durability?: Durability;
  /** Changes that watches and consistent lists can go back to, per resource. Default: 10 000. */
  readonly historyLimit?: number;
}

/** An API server in this process, for development and tests. Not for production: it has one copy of everything, here. */
export interface EmbeddedServer {
  /** `http://127.0.0.1:6443` */
  readonly url: string;
  readonly port: number;
  /** PEM; undefined without TLS. */
  readonly ca: string | undefined;
  readonly adminToken: string;
  /** For `kubectl --kubeconfig`, as the administrator. JSON, which YAML readers read. */
  readonly kubeconfig: string;
  readonly registry: Registry;
  close(): Promise<void>;
}

/**
 * Starts the server, and resolves when it listens. Rejects where the address, the certificate or the folder is not to be had.
 *
 * What clients create stays in memory until they delete it, as it would in etcd: only the size of a request and resource quotas limit
 * it. What the server keeps on its own account is bounded: changes by `historyLimit` and five minutes, Events by an hour.
 */
export async function startEmbeddedServer(options: EmbeddedServerOptions = {}): Promise<EmbeddedServer> {
  const { host = '127.0.0.1', port = 0, tls, ca, clock = systemClock, log = silentLog } = options;
  if (tls === undefined && !LOOPBACK.test(host))
    throw new Error(`without TLS everybody is let in, so that ${host} is no address to listen on`);
  const adminToken = options.adminToken ?? randomBytes(24).toString('hex');
  const { data, durability, historyLimit } = options;
  const kept = data === undefined ? undefined : await openDataFolder({ folder: data, ...(durability === undefined ? {} : { durability }) });
  const store = new ObjectStore({ ...kept, ...(historyLimit === undefined ? {} : { historyLimit }) });
  const state: ServerState = {
    store,
    services: accountServices(store),
    catalog: new ResourceCatalog(),
    clock,
    log,
    uuid: randomUUID,
    random: Math.random,
    randomText,
    virtual: new Map(),
    admission: options.admission ?? ADMIT_ALL,
    authenticate: async () => undefined,
    authorize: async () => ({ allowed: false, reason: '' }),
  };
  state.catalog.register(...builtInResources());
  state.virtual.set('/pods/binding', bindPod(state)).set('/bindings', bindPod(state)).set('/pods/eviction', evictPod(state));
  const registry = new ObjectRegistry(state);
  await createSystemNamespaces(registry);
  await setUpAccess(state, registry, {
    tokens: new Map([[adminToken, ADMINISTRATOR], ...(options.tokens ?? [])]),
    ...(tls === undefined ? { everybody: ADMINISTRATOR } : {}),
    ...(data === undefined ? {} : { signer: await keptSigner(data) }),
  });
  const compaction = compactNowAndThen(state);
  const stopExpiry = expireEvents(state.store, clock);
  const view = clusterView(registry, clock.now);
  const resolve = options.resolveService ?? registryServices(registry);
  const admission = clusterAdmission({
    registry,
    clock,
    resolve,
    uuid: randomUUID,
    randomText,
    authorizer: new RbacAuthorizer(registry),
    onIgnored: (webhook, why) => log('warn', 'a webhook failed and was ignored', { webhook, why }),
  });
  await admission.bootstrap();
  state.admission = options.admission ?? admission.admission;
  const others = aggregation({ registry, view, clock, resolve });
  const loop = runControlLoop({
    registry,
    clock,
    controllers: [customResourceController(state, registry), ...admission.controllers(view), others.controller],
    onError: (controller, key, error) => log('warn', 'a controller failed', { controller, key, error: String(error) }),
  });
  // Custom resources that were stored are served from the first request on.
  await loop.idle();

  let address = '';
  const handle = createApiHandler({
    state,
    plainPaths: [others.discovery(serverPaths(state, () => address)), openApiPaths(state.catalog)],
    proxy: others.proxy,
  });
  const listener = await listen({ host, port, handle, ...(tls === undefined ? {} : { tls }) });
  address = `${host.includes(':') ? `[${host}]` : host}:${listener.port}`;
  const url = `${tls === undefined ? 'http' : 'https'}://${address}`;
  return {
    url,
    port: listener.port,
    ca,
    adminToken,
    kubeconfig: `${JSON.stringify(kubeconfigOf(url, ca, adminToken), null, 2)}\n`,
    registry,
    async close() {
      compaction.stop();
      stopExpiry();
      await listener.close();
      await loop.close();
      admission.close();
      others.close();
      await state.store.close();
    },
  };
}

const LOOPBACK = /^(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|::1)$/;

/** Milliseconds for which changes are remembered at least. Kubernetes: --etcd-compaction-interval. */
const COMPACTION_INTERVAL = 5 * 60_000;

/** Forgets changes that are older than one interval, as an API server has etcd do. */
function compactNowAndThen({ store, clock }: ServerState): { stop(): void } {
  let before = store.revision;
  let timer: Timer;
  const arm = (): Timer =>
    clock.after(COMPACTION_INTERVAL, () => {
      store.compact(before);
      before = store.revision;
      timer = arm();
    });
  timer = arm();
  return { stop: () => timer.cancel() };
}

/** Without vowels and what looks like them, so that no words come out. Kubernetes: apimachinery pkg/util/rand. */
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

function randomText(length: number): string {
  let text = '';
  for (let i = 0; i < length; i++) text += ALPHABET[randomInt(ALPHABET.length)];
  return text;
}

const ADMINISTRATOR: Requester = { username: 'admin', groups: ['system:masters', 'system:authenticated'] };

const SYSTEM_NAMESPACES = ['default', 'kube-node-lease', 'kube-public', 'kube-system'];

async function createSystemNamespaces(registry: Registry): Promise<void> {
  const namespaces = registry.find('', 'v1', 'namespaces');
  if (namespaces === undefined) return;
  for (const name of SYSTEM_NAMESPACES) {
    try {
      await registry.create(namespaces, { metadata: { name } });
    } catch (error) {
      if (!(error instanceof StatusError) || error.reason !== 'AlreadyExists') throw error;
    }
  }
}

function kubeconfigOf(url: string, ca: string | undefined, token: string): JsonObject {
  const cluster = { server: url, ...(ca === undefined ? {} : { 'certificate-authority-data': Buffer.from(ca).toString('base64') }) };
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'fairlead', cluster }],
    users: [{ name: 'admin', user: { token } }],
    contexts: [{ name: 'fairlead', context: { cluster: 'fairlead', user: 'admin' } }],
    'current-context': 'fairlead',
  };
}
