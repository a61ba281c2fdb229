import { isJsonObject, type JsonObject, ownValue } from '../../object/json.ts';
import { parseApiVersion, type TypeTable } from '../../object/type-table.ts';
import { recordedObjects } from '../recorded-objects.ts';
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
  const recorded = recordedObjects(objects);
  return {
    now,
    object: recorded.object,
    objects: recorded.objects,
    scope(apiVersion, kind) {
      const { group, version } = parseApiVersion(apiVersion);
      const found = types.resourceOf(group, version, kind);
      return found === undefined ? null : found.namespaced ? 'Namespaced' : 'Cluster';
    },
    generated(request) {
      const { secret } = request;
      const kept = recorded.object({ apiVersion: 'v1', kind: 'Secret', namespace: secret.namespace, name: secret.name });
      return (kept === null ? undefined : keptIn(kept, request)) ?? options.generated?.(request);
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
