import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const USAGE = `node --import tsx scripts/generate-go-types.ts --modules FOLDER --version VERSION [--out FILE]

Writes what Go's types are on the wire: field numbers and types from the generated.proto files, and from the struct tags the names in
JSON, what is left out when it is zero, and what is always there. Only what the embedded server serves.

  --modules FOLDER   where Go keeps modules: $(go env GOMODCACHE)/k8s.io
  --version VERSION  of the modules: v0.37.2
  --out FILE         default: schemas/kubernetes/go-types-v1.<minor>.json
`;

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Number, JSON name (`` for a struct whose fields stand in the outer one), type, and flags. */
type Field = readonly [number: number, name: string, type: string, flags?: string];

interface GoField {
  readonly name: string;
  readonly isPointer: boolean;
  readonly options: readonly string[];
}

/** z: left out when it is zero. a: always there. Neither: a pointer, which is there when it is set. */
function zeroFlag(field: GoField | undefined, isStruct: boolean): string {
  if (field === undefined || field.isPointer) return '';
  if (field.options.includes('omitzero')) return 'z';
  // A struct is never empty to Go.
  if (isStruct) return 'a';
  return field.options.includes('omitempty') ? 'z' : 'a';
}

function shortName(qualified: string): string {
  return qualified.split('.').slice(-3).join('.');
}

/** `core.v1` of the Go types in a folder, by struct and field number. */
function goFields(folder: string): ReadonlyMap<string, ReadonlyMap<number, GoField>> {
  const structs = new Map<string, Map<number, GoField>>();
  for (const file of readdirSync(folder).filter(
    (name) => name.endsWith('.go') && !/(_test|generated|deepcopy|defaults|conversion)/.test(name),
  )) {
    let fields: Map<number, GoField> | undefined;
    for (const line of readFileSync(join(folder, file), 'utf8').split('\n')) {
      const start = /^type (\w+) struct \{/.exec(line);
      if (start !== null) {
        fields = new Map();
        structs.set(start[1] as string, fields);
      } else if (line.startsWith('}')) fields = undefined;
      const tag = /^\t(?:\w+ +)?(\S+) +`.*json:"([^"]*)".*protobuf:"\w+,(\d+),/.exec(line);
      if (fields === undefined || tag === null) continue;
      const [, type = '', json = '', number = ''] = tag;
      const [name = '', ...options] = json.split(',');
      fields.set(Number(number), { name, options, isPointer: type.startsWith('*') });
    }
  }
  return structs;
}

function protoMessages(folder: string): Map<string, readonly Field[]> {
  const text = readFileSync(join(folder, 'generated.proto'), 'utf8');
  const pkg = /^package ([\w.]+);/m.exec(text)?.[1] ?? '';
  const structs = goFields(folder);
  const messages = new Map<string, readonly Field[]>();
  for (const [, name = '', body = ''] of text.matchAll(/^message (\w+) \{\n([\s\S]*?)^\}/gm)) {
    const fields: Field[] = [];
    for (const match of body.matchAll(/^ {2}(optional|repeated|required|map<string, *[^>]+>) ?(?:([\w.]+) )?(\w+) = (\d+);/gm)) {
      const [, label = '', type = '', protoName = '', number = ''] = match;
      const isMap = label.startsWith('map<');
      const elementType = isMap ? label.slice('map<string,'.length, -1).trim() : type;
      const qualify = (each: string): string =>
        /^(string|int32|int64|uint32|uint64|bool|bytes|double)$/.test(each)
          ? each
          : `#${shortName(each.startsWith('.') ? each : `${pkg}.${each}`)}`;
      const go = structs.get(name)?.get(Number(number));
      const shape = isMap ? 'm' : label === 'repeated' ? 'r' : '';
      const flags = `${shape}${zeroFlag(go, qualify(elementType).startsWith('#') && shape === '')}`;
      fields.push([Number(number), go?.name ?? protoName, qualify(elementType), ...(flags === '' ? [] : [flags])] as unknown as Field);
    }
    messages.set(shortName(`${pkg}.${name}`), fields);
  }
  return messages;
}

function main(): void {
  const { values } = parseArgs({ options: { modules: { type: 'string' }, version: { type: 'string' }, out: { type: 'string' } } });
  if (!values.modules || !values.version) {
    process.stderr.write(USAGE);
    process.exitCode = 2;
    return;
  }
  const minor = values.version.split('.')[1] ?? '';
  const module = (name: string): string => join(values.modules as string, `${name}@${values.version}`);
  const served = JSON.parse(readFileSync(join(ROOT, 'schemas', 'kubernetes', `served-v1.${minor}.json`), 'utf8')) as {
    readonly resources: readonly {
      readonly apiVersion: string;
      readonly kind: string;
      readonly subresources?: readonly { readonly kind: string }[];
    }[];
  };
  const types = JSON.parse(readFileSync(join(ROOT, 'schemas', 'kubernetes', `v1.${minor}.json`), 'utf8')) as {
    readonly kinds: { readonly [kind: string]: string };
  };
  const folders: string[] = ['meta/v1'].map((path) => join(module('apimachinery'), 'pkg/apis', path));
  folders.push(
    join(module('apimachinery'), 'pkg/api/resource'),
    join(module('apimachinery'), 'pkg/util/intstr'),
    join(module('apimachinery'), 'pkg/runtime'),
  );
  folders.push(
    join(module('apiextensions-apiserver'), 'pkg/apis/apiextensions/v1'),
    join(module('kube-aggregator'), 'pkg/apis/apiregistration/v1'),
  );
  const api = module('api');
  for (const group of readdirSync(api, { withFileTypes: true })) {
    if (!group.isDirectory()) continue;
    for (const version of readdirSync(join(api, group.name), { withFileTypes: true })) {
      const folder = join(api, group.name, version.name);
      if (version.isDirectory() && readdirSync(folder).includes('generated.proto')) folders.push(folder);
    }
  }
  const all = new Map<string, readonly Field[]>();
  for (const folder of folders) for (const [name, fields] of protoMessages(folder)) all.set(name, fields);

  const queue = ['meta.v1.DeleteOptions'];
  const kindName = (apiVersion: string, kind: string): string | undefined =>
    types.kinds[kind.includes('/') ? kind : `${apiVersion}/${kind}`];
  for (const { apiVersion, kind, subresources = [] } of served.resources) {
    for (const each of [kind, ...subresources.map((sub) => sub.kind)]) queue.push(kindName(apiVersion, each) ?? '');
  }
  const kept: { [name: string]: readonly Field[] } = {};
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    const fields = all.get(name);
    if (fields === undefined || Object.hasOwn(kept, name)) continue;
    kept[name] = fields;
    for (const [, , type] of fields) if (type.startsWith('#')) queue.push(type.slice(1));
  }
  const lines = Object.keys(kept)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${JSON.stringify(kept[name])}`);
  const file = values.out ?? join(ROOT, 'schemas', 'kubernetes', `go-types-v1.${minor}.json`);
  const text = `{\n${lines.join(',\n')}\n}\n`;
  writeFileSync(file, text);
  process.stdout.write(`${file}: ${lines.length} messages, ${text.length} bytes\n`);
}

main();
