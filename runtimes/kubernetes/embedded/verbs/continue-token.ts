import { goJsonError } from '../../../../engine/object/go-json-error.ts';
import { badRequest } from '../status-error.ts';

/** Where a paged list goes on. */
export interface ContinueToken {
  /** The revision that all pages are read at; -1 for whatever is there. */
  readonly revision: number;
  /** The last key of the former page. */
  readonly after: string;
}

/** Opaque to clients. Kubernetes: apiserver pkg/storage/continue.go, whose form this is. */
export function formatContinue({ revision, after }: ContinueToken): string {
  return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: revision, start: `${after}\0` })).toString('base64url');
}

/** Throws a 400 for what {@link formatContinue} has not made. */
export function parseContinue(text: string): ContinueToken {
  let token: unknown;
  const bytes = Buffer.from(text, 'base64url');
  try {
    token = JSON.parse(bytes.toString('utf8'));
  } catch {
    throw badRequest(`invalid continue token: continue key is not valid: ${goJsonError(bytes) ?? 'not UTF-8'}`);
  }
  const { v, rv, start } = (typeof token === 'object' && token !== null ? token : {}) as {
    readonly v?: unknown;
    readonly rv?: unknown;
    readonly start?: unknown;
  };
  if (v !== 'meta.k8s.io/v1' || typeof rv !== 'number' || !Number.isInteger(rv) || rv === 0 || typeof start !== 'string') {
    throw badRequest('invalid continue token: continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)');
  }
  return { revision: rv, after: start.replace(/\0$/, '') };
}
