import { Agent, request as httpsRequest } from 'node:https';
import { applyPatch } from '../engine/object/json-patch.ts';
import type { AdmissionRequest, JsonObject } from '../engine/rules/admission/decision.ts';

/** What became of one object, seen from the API server's side. */
export interface Review {
  readonly allowed: boolean;
  readonly message: string | undefined;
  /** With the webhook's patch applied. */
  readonly object: JsonObject | null;
}

export interface ReviewClient {
  /** Mutates, applies the patch, and validates the result, as an API server with both kinds of webhook does. */
  admit(request: AdmissionRequest): Promise<Review>;
  /** AdmissionReviews sent so far. */
  count(): number;
  close(): void;
}

interface ReviewResponse {
  readonly uid: string;
  readonly allowed: boolean;
  readonly status?: { readonly message?: string };
  readonly patch?: string;
}

/** Milliseconds a webhook has to answer: the API server's default. */
const TIMEOUT = 10_000;

/** A client that asks a webhook on this machine what an API server would ask it. Rejects where an API server would call it a failed call. */
export function reviewClient(port: number, ca: string): ReviewClient {
  const agent = new Agent({ keepAlive: true, ca });
  let sent = 0;

  function post(path: string, body: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
      const call = httpsRequest({ host: '127.0.0.1', port, path, method: 'POST', agent, headers, timeout: TIMEOUT }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          if (response.statusCode === 200) resolve(text);
          else reject(new Error(`the webhook answered ${response.statusCode}: ${text.trim()}`));
        });
      });
      call.on('timeout', () => call.destroy(new Error('the webhook did not answer in time')));
      call.on('error', reject);
      call.end(body);
    });
  }

  async function ask(path: string, request: AdmissionRequest): Promise<ReviewResponse> {
    sent++;
    const answer = await post(
      `${path}?timeout=10s`,
      JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request }),
    );
    const { response } = JSON.parse(answer) as { readonly response?: ReviewResponse };
    if (response?.uid !== request.uid) throw new Error('the webhook answered another request');
    return response;
  }

  return {
    async admit(request) {
      const mutation = await ask('/mutate', request);
      if (!mutation.allowed) return { allowed: false, message: mutation.status?.message, object: null };
      const object = patched(request.object ?? null, mutation.patch);
      const validation = await ask('/validate', { ...request, object });
      return { allowed: validation.allowed, message: validation.status?.message, object };
    },
    count: () => sent,
    close: () => agent.destroy(),
  };
}

function patched(object: JsonObject | null, patch: string | undefined): JsonObject | null {
  if (object === null || patch === undefined) return object;
  const result = applyPatch(object, JSON.parse(Buffer.from(patch, 'base64').toString('utf8')));
  if (!result.ok) throw new Error(`the webhook's patch does not apply: ${result.message}`);
  return result.value as JsonObject;
}
