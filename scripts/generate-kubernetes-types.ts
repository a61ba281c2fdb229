import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { CompactResource, CompactSchema, TypeTableData } from '../engine/object/compact-schema.ts';
import type { Json } from '../engine/object/json.ts';
import { openApiTypes } from '../engine/object/openapi-types.ts';
import { type Read, readServer } from './read-server.ts';

const USAGE = `node --import tsx scripts/generate-kubernetes-types.ts --server URL --token TOKEN [--out FILE]

Writes the table of built-in Kubernetes types from an API server's own documents: /version, /openapi/v3 and the aggregated
discovery. The server should serve built-in types only, and all of them (--runtime-config=api/all=true).

  --server URL   https://127.0.0.1:6443; its certificate is not verified
  --token TOKEN  a bearer token that may read
  --out FILE     default: schemas/kubernetes/v<major>.<minor>.json
`;

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');

/**
 * What a CONNECT request carries. The API server publishes these types only as query parameters, where lists can't be told
 * from strings. Kubernetes: staging/src/k8s.io/api/core/v1/types.go.
 */
const CONNECT_OPTIONS: { readonly [kind: string]: { readonly [field: string]: CompactSchema } } = {
  PodExecOptions: {
    stdin: 'boolean',
    stdout: 'boolean',
    stderr: 'boolean',
    tty: 'boolean',
    container: 'string',
    command: { list: 'string' },
  },
  PodAttachOptions: { stdin: 'boolean', stdout: 'boolean', stderr: 'boolean', tty: 'boolean', container: 'string' },
  PodPortForwardOptions: { ports: { list: 'integer/int32' } },
  PodProxyOptions: { path: 'string' },
  NodeProxyOptions: { path: 'string' },
  ServiceProxyOptions: { path: 'string' },
};

const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

function apiVersionOf(group: unknown, version: unknown): string {
  return group ? `${String(group)}/${String(version)}` : String(version);
}

async function collectDefinitions(read: Read): Promise<Pick<TypeTableData, 'definitions' | 'kinds'>> {
  const index = (await read('/openapi/v3')) as { paths: { [path: string]: { serverRelativeURL: string } } };
  const documents: Json[] = [];
  for (const [path, { serverRelativeURL }] of Object.entries(index.paths)) {
    if (/^apis?\/.*v[0-9]/.test(path)) documents.push(await read(serverRelativeURL));
  }
  const types = openApiTypes(documents);
  const definitions = { ...types.definitions };
  const kinds = { ...types.kinds };
  for (const [kind, fields] of Object.entries(CONNECT_OPTIONS)) {
    const name = `core.v1.${kind}`;
    definitions[name] = { fields: { apiVersion: 'string', kind: 'string', ...fields } };
    kinds[`v1/${kind}`] = name;
  }
  return { definitions, kinds };
}

/** What kinds lead to; the rest (partial metadata, watch events) is left out. */
function reachable(definitions: TypeTableData['definitions'], kinds: TypeTableData['kinds']): TypeTableData['definitions'] {
  const seen = new Set<string>();
  const queue = [...Object.values(kinds), 'meta.v1.ObjectMeta'];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    if (seen.has(name)) continue;
    seen.add(name);
    const text = JSON.stringify(definitions[name]);
    for (const match of text.matchAll(/"#([^"]+)"|"ref":"([^"]+)"/g)) queue.push((match[1] ?? match[2]) as string);
  }
  return Object.fromEntries(Object.entries(definitions).filter(([name]) => seen.has(name)));
}

async function collectResources(read: Read): Promise<TypeTableData['resources']> {
  interface Kind {
    readonly group: string;
    readonly version: string;
    readonly kind: string;
  }
  interface Resource {
    readonly resource: string;
    readonly responseKind: Kind;
    readonly scope: string;
    readonly subresources?: readonly { readonly subresource: string; readonly responseKind: Kind }[];
  }
  interface Group {
    readonly metadata: { readonly name?: string };
    readonly versions: readonly { readonly version: string; readonly resources?: readonly Resource[] }[];
  }
  const resources: { [apiVersion: string]: { [resource: string]: CompactResource } } = {};
  for (const path of ['/api', '/apis']) {
    const { items } = (await read(path, AGGREGATED)) as unknown as { items: readonly Group[] };
    for (const { metadata, versions } of items) {
      for (const { version, resources: list } of versions) {
        const own = apiVersionOf(metadata.name, version);
        // Discovery leaves group and version out where they are those of the resource.
        const kindName = (kind: Kind): string => `${kind.version === '' ? own : apiVersionOf(kind.group, kind.version)}/${kind.kind}`;
        const entries: { [resource: string]: CompactResource } = {};
        for (const each of list ?? []) {
          const kind = kindName(each.responseKind);
          const subresources = Object.fromEntries(
            (each.subresources ?? []).map((sub) => {
              const its = kindName(sub.responseKind);
              return [sub.subresource, its === kind ? '' : its];
            }),
          );
          entries[each.resource] = {
            kind,
            ...(each.scope === 'Namespaced' ? { namespaced: true as const } : {}),
            ...(Object.keys(subresources).length > 0 ? { subresources } : {}),
          };
        }
        resources[own] = sorted(entries);
      }
    }
  }
  return sorted(resources);
}

function sorted<T>(record: { readonly [key: string]: T }): { [key: string]: T } {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** One line per definition, kind and resource, so that a new Kubernetes version reads as a difference. */
function print(table: TypeTableData): string {
  const block = (record: { readonly [key: string]: unknown }): string =>
    `{\n${Object.entries(record)
      .map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`)
      .join(',\n')}\n}`;
  return `{"kubernetes":${JSON.stringify(table.kubernetes)},
"kinds":${block(table.kinds)},
"resources":${block(table.resources)},
"definitions":${block(table.definitions)}}
`;
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { server: { type: 'string' }, token: { type: 'string' }, out: { type: 'string' } } });
  if (!values.server || !values.token) {
    process.stderr.write(USAGE);
    process.exitCode = 2;
    return;
  }
  const read = readServer(values.server, values.token);
  const version = (await read('/version')) as { gitVersion: string; major: string; minor: string };
  const { definitions, kinds } = await collectDefinitions(read);
  const table: TypeTableData = {
    kubernetes: version.gitVersion,
    kinds: sorted(kinds),
    resources: await collectResources(read),
    definitions: sorted(reachable(definitions, kinds)),
  };
  const file = values.out ?? join(ROOT, 'schemas', 'kubernetes', `v${version.major}.${version.minor}.json`);
  const text = print(table);
  writeFileSync(file, text);
  process.stdout.write(
    `${file}: ${Object.keys(table.definitions).length} definitions, ${Object.keys(kinds).length} kinds, ${text.length} bytes\n`,
  );
}

await main();
