import type { IncomingHttpHeaders } from 'node:http';
import type { PeerCertificate } from 'node:tls';
import type { JsonObject } from '../../../engine/object/json.ts';
import type { Requester, ServedResource } from './registry.ts';

/** What authentication may look at. */
export interface Credentials {
  readonly headers: IncomingHttpHeaders;
  /** Of a client that showed a certificate which the server's client authorities issued. */
  readonly clientCertificate?: PeerCertificate;
}

/** Who makes a request; undefined where the credentials are none or wrong, which answers 401. */
export type Authenticate = (credentials: Credentials) => Promise<Requester | undefined>;

/** What a request is about to do. Kubernetes: staging/src/k8s.io/apiserver/pkg/authorization/authorizer/interfaces.go. */
export interface RequestAttributes {
  readonly requester: Requester;
  /** `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`; the HTTP method in lower case for paths. */
  readonly verb: string;
  /** Absent for a path that is no resource. */
  readonly resource?: {
    readonly group: string;
    readonly version: string;
    readonly resource: string;
    /** `` where there is none. */
    readonly subresource: string;
    /** `` for cluster-scoped resources and lists over all namespaces. */
    readonly namespace: string;
    /** `` where no object is named. */
    readonly name: string;
  };
  /** Without the query. */
  readonly path: string;
}

export type AuthorizationDecision = { readonly allowed: true } | { readonly allowed: false; readonly reason: string };

export type Authorize = (attributes: RequestAttributes) => Promise<AuthorizationDecision>;

/** A write on its way, as an AdmissionReview describes it. */
export interface AdmissionAttributes {
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';
  readonly type: ServedResource;
  /** `` where there is none. */
  readonly subresource: string;
  /** Of {@link object}: for a subresource such as `scale` not that of {@link type}. */
  readonly kind: { readonly group: string; readonly version: string; readonly kind: string };
  readonly namespace: string;
  /** `` where a name is still to be generated. */
  readonly name: string;
  /** Null for DELETE. */
  readonly object: JsonObject | null;
  /** Null for CREATE. */
  readonly old: JsonObject | null;
  readonly requester: Requester;
  /** CreateOptions, UpdateOptions, PatchOptions or DeleteOptions of the request. */
  readonly options: JsonObject;
  readonly dryRun: boolean;
  /** Adds a `Warning` header to the answer. */
  readonly warn: (text: string) => void;
}

/** Looks at writes before they are stored. Both may throw a `StatusError`, which answers the request. */
export interface Admission {
  /** Answers the object as it is to be, null for DELETE. Runs once per request, before validation. */
  mutate(attributes: AdmissionAttributes): Promise<JsonObject | null>;
  /** Runs after mutation, defaulting and validation, and again where the write is tried again on a newer version. */
  validate(attributes: AdmissionAttributes): Promise<void>;
}

/** Admits everything. */
export const ADMIT_ALL: Admission = {
  mutate: async (attributes) => attributes.object,
  validate: async () => {},
};

/** A create that stores nothing and answers something: reviews, tokens, bindings. */
export interface VirtualRequest {
  readonly object: JsonObject;
  /** `` where there is none. */
  readonly namespace: string;
  /** Of the object whose subresource is meant, `` otherwise. */
  readonly name: string;
  readonly requester: Requester;
  readonly dryRun: boolean;
  readonly warn: (text: string) => void;
}

/** Answers the body of the 201, or throws a `StatusError`. */
export type VirtualCreate = (request: VirtualRequest) => Promise<JsonObject>;

/** A resource or subresource that is computed: `authentication.k8s.io/tokenreviews`, `/serviceaccounts/token`. */
export type VirtualPath = string;
