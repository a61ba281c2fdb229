import { createHash } from 'node:crypto';
import type { Json } from '../../../../engine/object/json.ts';
import { stringifyJson } from '../../../host/json-body.ts';
import { groupDiscoveryList } from '../discovery/aggregated.ts';
import { servedGroups } from '../discovery/groups.ts';
import { apiGroup, coreVersions, groupList, resourceList } from '../discovery/legacy.ts';
import { KUBERNETES_VERSION } from '../kinds/built-in.ts';
import type { ServerState } from '../server-state.ts';
import { notAcceptable } from '../status-error.ts';
import { JSON_TYPE, parseMediaTypes, YAML_TYPE } from './media-type.ts';

/** An answer to a GET of a path that is no resource. */
export interface PlainAnswer {
  readonly code?: number;
  readonly contentType?: string;
  readonly headers?: { readonly [name: string]: string };
  /** Written as it is when it is text. */
  readonly body: Json | string;
}

export interface PlainRequest {
  readonly path: string;
  readonly query: URLSearchParams;
  /** The `Accept` header. */
  readonly accept: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** Answers undefined for paths that are not its own. */
export type PlainPaths = (request: PlainRequest) => PlainAnswer | undefined | Promise<PlainAnswer | undefined>;

const HEALTH = /^\/(?:healthz|livez|readyz)(?:\/(?:ping|log|etcd|poststarthook\/[a-z0-9-]+))?$/;

/** Health, version and discovery. */
export function serverPaths(state: ServerState, address: () => string): PlainPaths {
  return ({ path, query, accept, headers }) => {
    if (HEALTH.test(path)) {
      const verbose = query.has('verbose') ? `[+]ping ok\n${path.split('/')[1]} check passed\n` : 'ok';
      return { contentType: 'text/plain; charset=utf-8', body: verbose };
    }
    if (path === '/version' || path === '/version/') return { body: versionInfo() };
    const groups = servedGroups(state.catalog);
    if (path === '/api' || path === '/api/') {
      const version = aggregatedVersion(accept);
      if (version === undefined) return { body: coreVersions(address()) };
      return aggregated(
        groups.filter(({ name }) => name === ''),
        version,
        headers['if-none-match'],
      );
    }
    if (path === '/apis' || path === '/apis/') {
      const version = aggregatedVersion(accept);
      if (version === undefined) return { body: groupList(groups) };
      return aggregated(
        groups.filter(({ name }) => name !== ''),
        version,
        headers['if-none-match'],
      );
    }
    const match = /^\/(?:api|apis\/([^/]+))(?:\/([^/]+))?\/?$/.exec(path);
    if (match !== null) {
      const [, name = '', version] = match;
      const group = groups.find((each) => each.name === name);
      if (group === undefined) return undefined;
      if (version === undefined) return { body: apiGroup(group) };
      const found = group.versions.find((each) => each.version === version);
      return found && { body: resourceList(found) };
    }
    if (path === '/')
      return { body: { paths: ['/api', '/apis', '/healthz', '/livez', '/openapi/v2', '/openapi/v3', '/readyz', '/version'] } };
    return undefined;
  };
}

/** `known`: the ETag that the client has already. */
function aggregated(groups: ReturnType<typeof servedGroups>, version: 'v2', known: string | string[] | undefined): PlainAnswer {
  const body = stringifyJson(groupDiscoveryList(groups, version));
  const etag = `"${createHash('sha256').update(body).digest('hex').toUpperCase()}"`;
  const headers = { vary: 'Accept', etag, 'cache-control': 'public' };
  // Also where nothing has changed: a client that keeps answers takes the type of the newest for theirs.
  const contentType = `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
  return known === etag ? { code: 304, contentType, headers, body: '' } : { contentType, headers, body };
}

/**
 * Which version of the aggregated form a client prefers to the plain one. Throws a 406 for a client that takes nothing but JSON in
 * forms that there are not.
 */
function aggregatedVersion(accept: string): 'v2' | undefined {
  const wanted = parseMediaTypes(accept);
  let others = wanted.length === 0;
  for (const { type, parameters } of wanted) {
    if (type !== JSON_TYPE && type !== '*/*') {
      others = true;
      continue;
    }
    const as = parameters.get('as');
    if (as === undefined) return undefined;
    const version = parameters.get('v');
    if (as === 'APIGroupDiscoveryList' && version === 'v2') return version;
  }
  if (!others) throw notAcceptable([JSON_TYPE, YAML_TYPE]);
  return undefined;
}

function versionInfo(): Json {
  const { gitVersion, major, minor } = KUBERNETES_VERSION;
  return {
    major,
    minor,
    emulationMajor: major,
    emulationMinor: minor,
    minCompatibilityMajor: major,
    minCompatibilityMinor: String(Number(minor) - 1),
    gitVersion: `${gitVersion}+fairlead`,
    gitCommit: '',
    gitTreeState: '',
    buildDate: '1970-01-01T00:00:00Z',
    goVersion: `node ${process.version}`,
    compiler: 'fairlead',
    platform: `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`,
  };
}
