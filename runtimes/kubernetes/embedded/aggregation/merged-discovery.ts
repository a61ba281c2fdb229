import { createHash } from 'node:crypto';
import { isJsonObject, type Json, type JsonObject } from '../../../../engine/object/json.ts';
import { stringifyJson } from '../../../host/json-body.ts';
import type { ClusterView } from '../control-loop/cluster-view.ts';
import { isTrue } from '../control-loop/condition.ts';
import { compareVersions } from '../discovery/groups.ts';
import type { PlainAnswer, PlainPaths } from '../http/plain-paths.ts';
import { API_SERVICES, type ApiService } from './api-service.ts';
import type { DiscoveredLists } from './availability.ts';

/** Adds the groups of other servers to what this one says about itself. Kubernetes: kube-aggregator pkg/apiserver/handler_discovery.go. */
export function mergedDiscovery(own: PlainPaths, view: ClusterView, lists: DiscoveredLists): PlainPaths {
  return async (request) => {
    const path = request.path.replace(/\/$/, '');
    const services = path === '/apis' || /^\/apis\/[^/]+$/.test(path) ? remoteServices(view) : [];
    if (services.length === 0) return own(request);
    // What a client has already is not what this server says by itself.
    const { 'if-none-match': known, ...headers } = request.headers;
    const answer = await own({ ...request, headers });
    if (path !== '/apis') return oneGroup(answer, path.slice('/apis/'.length), services);
    const body = answer === undefined ? undefined : bodyOf(answer);
    if (answer === undefined || body === undefined) return answer;
    if (body['kind'] !== 'APIGroupDiscoveryList') return { ...answer, body: withGroups(body, services) };
    return tagged(answer, stringifyJson(withItems(body, services, lists)), known);
  };
}

function bodyOf({ body }: PlainAnswer): JsonObject | undefined {
  const value: unknown = typeof body === 'string' ? JSON.parse(body) : body;
  return isJsonObject(value) ? value : undefined;
}

/** The answer with another body, or that a client has that already. */
function tagged(answer: PlainAnswer, body: string, known: string | string[] | undefined): PlainAnswer {
  const etag = `"${createHash('sha256').update(body).digest('hex').toUpperCase()}"`;
  const headers = { ...answer.headers, etag };
  return known === etag ? { ...answer, code: 304, headers, body: '' } : { ...answer, headers, body };
}

const remoteServices = (view: ClusterView): readonly ApiService[] =>
  view.list(API_SERVICES).filter(({ spec }) => spec.service && spec.group && spec.version);

const isAvailable = ({ status }: ApiService): boolean => isTrue(status?.conditions, 'Available');

/** Services by their groups, the versions that count most first. */
function byGroup(services: readonly ApiService[]): ReadonlyMap<string, readonly ApiService[]> {
  const groups = new Map<string, ApiService[]>();
  for (const service of services) {
    const group = service.spec.group!;
    groups.set(group, [...(groups.get(group) ?? []), service]);
  }
  for (const list of groups.values())
    list.sort((a, b) => (b.spec.versionPriority ?? 0) - (a.spec.versionPriority ?? 0) || compareVersions(a.spec.version!, b.spec.version!));
  return groups;
}

const listIn = (body: JsonObject, field: string): readonly JsonObject[] => {
  const found = body[field];
  return Array.isArray(found) ? (found as readonly Json[]).filter(isJsonObject) : [];
};

const versionOf = ({ spec }: ApiService): JsonObject => ({ groupVersion: `${spec.group}/${spec.version}`, version: spec.version! });

function mergeGroup(present: JsonObject | undefined, name: string, services: readonly ApiService[]): JsonObject {
  const own = present === undefined ? [] : listIn(present, 'versions');
  const known = new Set(own.map(({ version }) => version));
  const versions = [...own, ...services.filter(({ spec }) => !known.has(spec.version!)).map(versionOf)];
  return { ...present, name, versions, preferredVersion: present?.['preferredVersion'] ?? versions[0] ?? null };
}

function withGroups(body: JsonObject, services: readonly ApiService[]): JsonObject {
  const groups = new Map(listIn(body, 'groups').map((group) => [String(group['name']), group]));
  for (const [name, list] of byGroup(services.filter(isAvailable))) groups.set(name, mergeGroup(groups.get(name), name, list));
  return { ...body, groups: [...groups.values()] };
}

function oneGroup(answer: PlainAnswer | undefined, name: string, services: readonly ApiService[]): PlainAnswer | undefined {
  const remote = byGroup(services.filter(isAvailable)).get(name);
  if (remote === undefined) return answer;
  const present = answer !== undefined && isJsonObject(answer.body) ? answer.body : undefined;
  return { body: { kind: 'APIGroup', apiVersion: 'v1', ...mergeGroup(present, name, remote) } };
}

/** Servers that are away are named with nothing, and as stale: whoever asks knows that there is more. */
function withItems(body: JsonObject, services: readonly ApiService[], lists: DiscoveredLists): JsonObject {
  const items = new Map(listIn(body, 'items').map((item) => [nameIn(item), item]));
  for (const [name, list] of byGroup(services)) {
    const present = items.get(name);
    const own = present === undefined ? [] : listIn(present, 'versions');
    const known = new Set(own.map(({ version }) => version));
    const more = list
      .filter(({ spec }) => !known.has(spec.version!))
      .map((service): JsonObject => {
        const found = isAvailable(service) ? lists.get(service.metadata.name) : undefined;
        const freshness = found === undefined ? 'Stale' : 'Current';
        return { version: service.spec.version!, freshness, ...(found === undefined ? {} : { resources: resourcesOf(found, service) }) };
      });
    items.set(name, { ...present, metadata: { name }, versions: [...own, ...more] });
  }
  return { ...body, items: [...items.values()] };
}

function nameIn({ metadata }: JsonObject): string {
  return isJsonObject(metadata) && typeof metadata['name'] === 'string' ? metadata['name'] : '';
}

/** An APIResourceList in the form of aggregated discovery: subresources stand with their resources. */
function resourcesOf(list: JsonObject, { spec }: ApiService): readonly JsonObject[] {
  const resources = listIn(list, 'resources');
  const kindOf = ({ group, version, kind }: JsonObject): JsonObject => ({
    group: group ?? spec.group!,
    version: version ?? spec.version!,
    kind: kind ?? '',
  });
  return resources
    .filter(({ name }) => typeof name === 'string' && !name.includes('/'))
    .map((resource) => {
      const prefix = `${String(resource['name'])}/`;
      const subresources = resources
        .filter(({ name }) => typeof name === 'string' && name.startsWith(prefix))
        .map((sub) => ({ subresource: String(sub['name']).slice(prefix.length), responseKind: kindOf(sub), verbs: sub['verbs'] ?? [] }));
      const { shortNames, categories } = resource;
      return {
        resource: resource['name']!,
        responseKind: kindOf(resource),
        scope: resource['namespaced'] === true ? 'Namespaced' : 'Cluster',
        singularResource: resource['singularName'] ?? '',
        verbs: resource['verbs'] ?? [],
        ...(shortNames === undefined ? {} : { shortNames }),
        ...(categories === undefined ? {} : { categories }),
        ...(subresources.length === 0 ? {} : { subresources }),
      };
    });
}
