import { isJsonObject, type JsonObject, ownText, ownValue } from '../../object/json.ts';
import { parseLabelSelector } from '../../object/label-selector.ts';
import { parseApiVersion, type TypeTable } from '../../object/type-table.ts';
import type { CallRequest, CallResult, GenerateRequest, ReconcileFacts } from './program.ts';

export interface RecordedReconcileFactsOptions {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Says which kinds there are, and where their objects live. */
  readonly types: TypeTable;
  /** Values that were made, where no recorded Secret holds them. Default: none are. */
  readonly generated?: ReconcileFacts['generated'];
  /** Answers of calls. Default: none was made. */
  readonly call?: (request: CallRequest) => CallResult | undefined;
}

/**
 * The facts that a set of Kubernetes objects answers: objects by name, lists by label, generated values by the Secrets that keep them.
 * What is not among the objects does not exist, and a kind that the types do not have is not served.
 */
export function recordedReconcileFacts(objects: readonly JsonObject[], options: RecordedReconcileFactsOptions): ReconcileFacts {
  const { types, now } = options;
  const byKind = new Map<string, JsonObject[]>();
  for (const object of objects) {
    const kind = `${ownText(object, 'apiVersion')}/${ownText(object, 'kind')}`;
    const list = byKind.get(kind);
    if (list === undefined) byKind.set(kind, [object]);
    else list.push(object);
  }
  const ofKind = (apiVersion: string, kind: string): readonly JsonObject[] => byKind.get(`${apiVersion}/${kind}`) ?? [];
  const find: ReconcileFacts['object'] = ({ apiVersion, kind, namespace, name }) =>
    ofKind(apiVersion, kind).find((object) => {
      const metadata = ownValue(object, 'metadata');
      return ownText(metadata, 'name') === name && ownText(metadata, 'namespace') === (namespace ?? '');
    }) ?? null;
  return {
    now,
    object: find,
    objects({ apiVersion, kind, namespace, labelSelector }) {
      const parsed = parseLabelSelector(labelSelector);
      if (!parsed.ok) return [];
      return ofKind(apiVersion, kind).filter((object) => {
        const metadata = ownValue(object, 'metadata');
        if (namespace !== undefined && ownText(metadata, 'namespace') !== namespace) return false;
        const labels = isJsonObject(metadata) ? ownValue(metadata, 'labels') : undefined;
        return parsed.selector.matches(isJsonObject(labels) ? labels : undefined);
      });
    },
    scope(apiVersion, kind) {
      const { group, version } = parseApiVersion(apiVersion);
      const found = types.resourceOf(group, version, kind);
      return found === undefined ? null : found.namespaced ? 'Namespaced' : 'Cluster';
    },
    generated(request) {
      const { secret } = request;
      const recorded = find({ apiVersion: 'v1', kind: 'Secret', namespace: secret.namespace, name: secret.name });
      return (recorded === null || recorded === undefined ? undefined : keptIn(recorded, request)) ?? options.generated?.(request);
    },
    call: (request) => options.call?.(request),
  };
}

/** The values of a Secret; undefined where it does not hold those that are asked for. */
function keptIn(secret: JsonObject, { value }: GenerateRequest): Readonly<Record<string, string>> | undefined {
  const data = ownValue(secret, 'data');
  const values = new Map<string, string>();
  for (const [key, each] of Object.entries(isJsonObject(data) ? data : {})) {
    const decoded = typeof each === 'string' ? decodeBase64(each) : undefined;
    if (decoded !== undefined) values.set(key, decoded);
  }
  return values.has(value.kind === 'random' ? value.key : 'tls.crt') ? Object.fromEntries(values) : undefined;
}

function decodeBase64(encoded: string): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(atob(encoded), (char) => char.charCodeAt(0)));
  } catch {
    return undefined;
  }
}
