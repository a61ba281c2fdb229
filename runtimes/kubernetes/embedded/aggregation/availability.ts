import { isJsonObject, type JsonObject, jsonEqual } from '../../../../engine/object/json.ts';
import type { Clock } from '../../../host/clock.ts';
import { readAnswer } from '../../../host/http-answer.ts';
import { parseJsonBody } from '../../../host/json-body.ts';
import type { ClusterView } from '../control-loop/cluster-view.ts';
import { type Condition, setCondition } from '../control-loop/condition.ts';
import type { Controller } from '../control-loop/control-loop.ts';
import { groupResource, keyOf, nameOfKey, typed, untyped } from '../control-loop/kind.ts';
import { perform, updateStatus } from '../control-loop/write.ts';
import type { Registry } from '../registry.ts';
import { API_SERVICES, type ApiService, apiPathOf } from './api-service.ts';
import { type ApiServiceConnections, identityHeaders } from './connection.ts';

/** Milliseconds between looks at a service, whatever it said last. */
const RECHECK = 30_000;
const TIMEOUT = 5_000;
const MAX_ANSWER = 8 * 1024 * 1024;
const CHECKER = { username: 'system:kube-aggregator', groups: ['system:masters'] };

/** What servers behind APIServices said that they serve, by the names of these. */
export type DiscoveredLists = ReadonlyMap<string, JsonObject>;

/**
 * Keeps the condition `Available` of APIServices, by asking the servers behind them what they serve; notes the answers in `lists`.
 * Kubernetes: kube-aggregator pkg/controllers/status/remote/remote_available_controller.go.
 */
export function availabilityController(
  registry: Registry,
  view: ClusterView,
  clock: Clock,
  connections: ApiServiceConnections,
  lists: Map<string, JsonObject>,
): Controller {
  const name = 'apiservice-availability-controller';
  const own = groupResource(API_SERVICES);
  const backends = ['/services', '/endpoints', 'discovery.k8s.io/endpointslices'];
  return {
    name,
    watches: [own, ...backends],
    *initial() {
      for (const service of view.list(API_SERVICES)) yield keyOf(service);
    },
    *keys({ type, resource, object, previous }) {
      const changed = typed(object);
      if (resource === own) {
        if (type === 'DELETED') lists.delete(changed.metadata.name);
        // Its own word is no news.
        else if (previous === undefined || !jsonEqual(previous['spec'], object['spec'])) yield changed.metadata.name;
        return;
      }
      const service = changed.metadata.labels?.['kubernetes.io/service-name'] ?? changed.metadata.name;
      for (const { metadata, spec } of view.list(API_SERVICES))
        if (spec.service?.namespace === changed.metadata.namespace && spec.service?.name === service) yield metadata.name;
    },
    async sync(key) {
      const service = view.get(API_SERVICES, nameOfKey(key));
      if (service === undefined) return undefined;
      const condition = service.spec.service ? await check(service, clock, connections, lists) : LOCAL;
      const current = view.get(API_SERVICES, nameOfKey(key));
      if (current === undefined || current.metadata.uid !== service.metadata.uid) return undefined;
      const conditions = setCondition(current.status?.conditions, condition, view.now());
      const status = { ...current.status, conditions };
      if (!jsonEqual(untyped(status), untyped(current.status ?? {})))
        await perform(registry, [updateStatus(API_SERVICES, { ...current, status } as ApiService)], name);
      return service.spec.service ? { after: RECHECK } : undefined;
    },
  };
}

type Availability = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>;

const LOCAL: Availability = { type: 'Available', status: 'True', reason: 'Local', message: 'Local APIServices are always available' };
const PASSED: Availability = { type: 'Available', status: 'True', reason: 'Passed', message: 'all checks passed' };
const failed = (reason: string, message: string): Availability => ({ type: 'Available', status: 'False', reason, message });

async function check(
  service: ApiService,
  clock: Clock,
  connections: ApiServiceConnections,
  lists: Map<string, JsonObject>,
): Promise<Availability> {
  const { name } = service.metadata;
  try {
    const list = await discover(service, clock, connections);
    if (list === undefined) {
      lists.delete(name);
      const { service: reference } = service.spec;
      return failed(
        'ServiceNotFound',
        `service/${reference?.name} in ${JSON.stringify(reference?.namespace)} is not present or has no endpoints`,
      );
    }
    lists.set(name, list);
    return PASSED;
  } catch (error) {
    lists.delete(name);
    return failed(
      'FailedDiscoveryCheck',
      `failing or missing response from ${apiPathOf(service)}: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** What a server says that it serves; undefined where it is not to be reached. Rejects where it does not say. */
function discover(service: ApiService, clock: Clock, connections: ApiServiceConnections): Promise<JsonObject | undefined> {
  return new Promise((resolve, reject) => {
    const headers = { accept: 'application/json', ...identityHeaders(CHECKER) };
    const request = connections.request(service, { method: 'GET', path: apiPathOf(service), headers });
    if (request === undefined) return resolve(undefined);
    const give = (error: Error): void => {
      timer.cancel();
      request.destroy();
      reject(error);
    };
    const timer = clock.after(TIMEOUT, () => give(new Error('timed out')));
    request.on('error', give);
    request.on('response', (response) => {
      const read = (content: Buffer) => {
        timer.cancel();
        const status = response.statusCode ?? 0;
        if (status < 200 || status > 299) return reject(new Error(`bad status: ${status}`));
        try {
          const body = parseJsonBody(content);
          resolve(isJsonObject(body) ? body : {});
        } catch (error) {
          reject(error);
        }
      };
      readAnswer(response, MAX_ANSWER).then(read, give);
    });
    request.end();
  });
}
