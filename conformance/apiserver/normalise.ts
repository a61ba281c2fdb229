import { isJsonObject, type Json, type JsonObject } from '../../engine/object/json.ts';

/** Names for the identifiers that one case saw on one server, in the order in which they came: equal there, equal here. */
export interface Symbols {
  readonly names: Map<string, string>;
}

const UID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g;
const DAY_MS = 24 * 3600 * 1000;
/** Versions in messages count writes of the whole server. */
const VERSIONS_IN_TEXT: readonly [RegExp, string][] = [
  [/(ResourceVersion in object meta: |does not match the ResourceVersion in record \()\d+/g, '$1<version>'],
  [/(\\?"resourceVersion\\?":\\?")\d+/g, '$1<version>'],
  [/(Too large resource version: \d+, current: )\d+/g, '$1<version>'],
  [/(too old resource version: \d+ )\(\d+\)/g, '$1(<version>)'],
  // An object in a message, in the order in which a server happens to hold it.
  [/Invalid value: "\{\\".*\}": /gs, 'Invalid value: <object>: '],
  [/kube-api-access-[a-z0-9]{5}/g, 'kube-api-access-<random>'],
  [/\b10\.96\.\d+\.\d+\b/g, '<service address>'],
];

/**
 * A body without what no two servers have in common: UIDs, times of today, resource versions, generated names, continue tokens,
 * addresses of services. Two of them that are equal stay equal, two that differ stay different.
 */
export function normalise(body: Json, symbols: Symbols): Json {
  noteGeneratedNames(body, symbols);
  return walk(body, symbols, '');
}

function walk(value: Json, symbols: Symbols, key: string): Json {
  if (typeof value === 'string') return text(value, symbols);
  if (Array.isArray(value)) {
    const items = value.map((each: Json) => walk(each, symbols, ''));
    return key === 'managedFields' ? items.sort(byManager) : items;
  }
  if (typeof value !== 'object' || value === null) return value;
  const object = value as JsonObject;
  const kind = typeof object['kind'] === 'string' ? object['kind'] : '';
  const isList = kind.endsWith('List') || kind === 'Table';
  // A bookmark tells how far the whole server is.
  const isBookmark = object['type'] === 'BOOKMARK';
  const out: { [key: string]: Json } = {};
  // Names are given in an order that does not depend on how the server orders fields.
  for (const [name, child] of Object.entries(object).sort(byKey)) {
    if (name === 'metadata' && isJsonObject(child)) out[name] = metadata(child, symbols, isList);
    else if (name === 'object' && isBookmark && isJsonObject(child)) out[name] = bookmark(child, symbols);
    else if (name === 'nodePort' || name === 'healthCheckNodePort') out[name] = '<port>';
    else out[name.replace(UID, (uid) => symbol(symbols, 'uid', uid))] = walk(child, symbols, name);
  }
  return kind === 'Status' ? inOrder(out) : out;
}

const byKey = ([a]: [string, unknown], [b]: [string, unknown]): number => (a < b ? -1 : 1);

/** The real server finds errors in the order in which Go walks maps: at random. */
function inOrder(status: { readonly [key: string]: Json }): Json {
  const { details, message } = status;
  if (details === undefined || !isJsonObject(details) || !Array.isArray(details['causes']) || details['causes'].length < 2) return status;
  const causes = details['causes']
    .map((cause: Json) => JSON.stringify(cause))
    .sort()
    .map((cause) => JSON.parse(cause) as Json);
  const [start, list] = String(message).split(/ is invalid: \[(.*)\]$/s);
  const sorted = list === undefined ? message : `${start} is invalid: [${list.split(', ').sort().join(', ')}]`;
  return { ...status, message: sorted ?? '', details: { ...details, causes } };
}

function metadata(value: JsonObject, symbols: Symbols, isList: boolean): Json {
  const out: { [key: string]: Json } = {};
  for (const [name, child] of Object.entries(value).sort(byKey)) {
    if (name === 'resourceVersion' && typeof child === 'string' && child !== '') {
      out[name] = isList ? '<version>' : symbol(symbols, 'version', child);
    } else if (name === 'continue' && typeof child === 'string' && child !== '') out[name] = '<continue>';
    else out[name] = walk(child, symbols, name);
  }
  return out;
}

function bookmark(object: JsonObject, symbols: Symbols): Json {
  const inner = walk(object, symbols, '') as JsonObject;
  return { ...inner, metadata: { ...(inner['metadata'] as JsonObject), resourceVersion: '<version>' } };
}

function text(value: string, symbols: Symbols): string {
  let out = value;
  for (const [pattern, replacement] of VERSIONS_IN_TEXT) out = out.replace(pattern, replacement);
  out = out.replace(UID, (uid) => symbol(symbols, 'uid', uid));
  out = out.replace(TIME, (time, fraction: string | undefined) => {
    if (Math.abs(Date.parse(time) - Date.now()) > DAY_MS) return time;
    return fraction === undefined ? '<time>' : '<time in microseconds>';
  });
  for (const [generated, name] of symbols.names) if (name.startsWith('<generated ')) out = out.replaceAll(generated.slice(5), name);
  return out;
}

function symbol(symbols: Symbols, kind: string, value: string): string {
  const key = `${kind} ${value}`;
  let name = symbols.names.get(key);
  if (name === undefined) {
    const count = [...symbols.names.keys()].filter((each) => each.startsWith(`${kind} `)).length + 1;
    name = `<${kind} ${count}>`;
    symbols.names.set(key, name);
  }
  return name;
}

/** `generateName` and what the server made of it: five letters behind it. */
function noteGeneratedNames(value: Json, symbols: Symbols): void {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) {
    const { generateName, name } = value as JsonObject;
    if (typeof generateName === 'string' && typeof name === 'string' && name.startsWith(generateName) && name !== generateName) {
      const key = `name ${name}`;
      const length = name.length - generateName.length;
      const count = symbols.names.size;
      if (!symbols.names.has(key)) symbols.names.set(key, `<generated ${count}: ${generateName.slice(-20)} and ${length} letters>`);
    }
  }
  for (const child of Object.values(value)) noteGeneratedNames(child as Json, symbols);
}

/** Entries are sorted by time as well, so that the turn of a second would change their order. */
function byManager(a: Json, b: Json): number {
  const key = (entry: Json): string => {
    const { manager, operation, subresource, apiVersion } = entry as JsonObject;
    return JSON.stringify([manager, operation, subresource ?? '', apiVersion]);
  };
  return key(a) < key(b) ? -1 : 1;
}
