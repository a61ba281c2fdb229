import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Read, readServer } from './read-server.ts';

const USAGE = `node --import tsx scripts/generate-served-resources.ts --server URL --token TOKEN [--out FILE]

Writes what an API server serves by default, for the embedded server: groups, versions, resources with their names and verbs from
aggregated discovery, and the columns of their tables. The server should serve built-in types only, and no more than it does
without --runtime-config.

  --server URL   https://127.0.0.1:6443; its certificate is not verified
  --token TOKEN  a bearer token that may read
  --out FILE     default: schemas/kubernetes/served-v<major>.<minor>.json
`;

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
const TABLE = 'application/json;as=Table;g=meta.k8s.io;v=v1';

interface Kind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

interface Discovered {
  readonly items: readonly {
    readonly metadata: { readonly name?: string };
    readonly versions: readonly {
      readonly version: string;
      readonly resources?: readonly {
        readonly resource: string;
        readonly responseKind: Kind;
        readonly scope: string;
        readonly singularResource: string;
        readonly verbs: readonly string[];
        readonly shortNames?: readonly string[];
        readonly categories?: readonly string[];
        readonly subresources?: readonly { readonly subresource: string; readonly responseKind: Kind; readonly verbs: readonly string[] }[];
      }[];
    }[];
  }[];
}

interface Table {
  readonly columnDefinitions: readonly {
    readonly name: string;
    readonly type: string;
    readonly format: string;
    readonly description: string;
    readonly priority: number;
  }[];
}

/** Group and version are left out where they are those of the resource. */
function kindText(kind: Kind): string {
  return kind.version === '' ? kind.kind : `${kind.group === '' ? '' : `${kind.group}/`}${kind.version}/${kind.kind}`;
}

async function collect(read: Read): Promise<string[]> {
  const lines: string[] = [];
  for (const root of ['/api', '/apis']) {
    const { items } = (await read(root, AGGREGATED)) as unknown as Discovered;
    for (const { metadata, versions } of items) {
      for (const { version, resources = [] } of versions) {
        const apiVersion = metadata.name ? `${metadata.name}/${version}` : version;
        for (const each of resources) {
          const base = `${root}/${apiVersion}/${each.resource}`;
          const columns = each.verbs.includes('list') ? ((await read(base, TABLE)) as unknown as Table).columnDefinitions : undefined;
          lines.push(
            JSON.stringify({
              apiVersion,
              resource: each.resource,
              kind: kindText(each.responseKind),
              ...(each.scope === 'Namespaced' ? { namespaced: true } : {}),
              singular: each.singularResource,
              verbs: each.verbs,
              shortNames: each.shortNames,
              categories: each.categories,
              subresources: each.subresources?.map((sub) => ({
                name: sub.subresource,
                kind: kindText(sub.responseKind),
                verbs: sub.verbs,
              })),
              columns: columns?.map(({ name, type, format, description, priority }) => [name, type, format, description, priority]),
            }),
          );
        }
      }
    }
  }
  return lines;
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
  const lines = await collect(read);
  const file = values.out ?? join(ROOT, 'schemas', 'kubernetes', `served-v${version.major}.${version.minor}.json`);
  const text = `{"kubernetes":${JSON.stringify(version.gitVersion)},"major":"${version.major}","minor":"${version.minor}","resources":[\n${lines.join(',\n')}\n]}\n`;
  writeFileSync(file, text);
  process.stdout.write(`${file}: ${lines.length} resources, ${text.length} bytes\n`);
}

await main();
