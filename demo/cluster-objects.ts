import { isJsonObject, type Json, type JsonObject } from '../engine/object/json.ts';
import type { KubernetesClient, ResourceClient } from '../runtimes/kubernetes/client.ts';

/** Milliseconds within which what is waited for must come about. */
const PATIENCE = 10_000;
const PERIOD = 10;

/** The client of a kind. Rejects where the server does not serve it within {@link PATIENCE}. */
export async function resourceOf(client: KubernetesClient, apiVersion: string, kind: string): Promise<ResourceClient> {
  const type = await until(`${kind} to be served`, async () => {
    const found = await client.discovery.resourceOf(apiVersion, kind);
    if (found === null) client.discovery.invalidate();
    return found ?? undefined;
  });
  return client.resource(type);
}

/** Asks again and again until `look` answers something. Rejects after {@link PATIENCE}. */
export async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  for (const end = performance.now() + PATIENCE; ; ) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > end) throw new Error(`waited ${PATIENCE / 1000} s for ${what} in vain`);
    await new Promise((resolve) => setTimeout(resolve, PERIOD));
  }
}

/** Whether an object says of its present generation that it is ready. */
export function isReady(object: JsonObject): boolean {
  const { metadata, status } = object as { readonly metadata?: JsonObject; readonly status?: Json };
  if (!isJsonObject(status ?? null) || (status as JsonObject)['observedGeneration'] !== metadata?.['generation']) return false;
  const { conditions } = status as { readonly conditions?: Json };
  return (Array.isArray(conditions) ? (conditions as readonly JsonObject[]) : []).some(
    ({ type, status: state }) => type === 'Ready' && state === 'True',
  );
}

/** Messages of an object's conditions that keep it from being ready, for a person who waits in vain. */
export function whyNotReady(object: JsonObject): string {
  const { conditions } = (object['status'] ?? {}) as { readonly conditions?: readonly JsonObject[] };
  return (conditions ?? []).find(({ type }) => type === 'Ready')?.['message']?.toString() ?? 'it has no Ready condition';
}
