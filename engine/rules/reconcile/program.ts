import type { JsonObject } from '../../object/json.ts';
import type { FieldDemand } from '../../object/projection.ts';
import type { DocumentPath } from '../../text/document.ts';

export type { FieldDemand };

/*
 * What the compiler of reconcile rules makes, and what a runtime needs of it: data about the rule, and one pure function.
 */

/** Where an object is; `namespace` is absent for cluster-scoped kinds. */
export interface ObjectReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string | undefined;
  readonly name: string;
}

/** Objects of a kind by label, in one namespace or in all. */
export interface ObjectQuery {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string | undefined;
  /** In the form of `kubectl -l`; empty selects all. */
  readonly labelSelector: string;
}

/**
 * What a reconciliation depends on. Answers are immediate. `undefined` means "not known yet": the answer says what was asked
 * for, the runtime finds it out and asks again. `null` means "there is none".
 */
export interface ReconcileFacts {
  /** Milliseconds since 1970. An executor reads no clock. */
  readonly now: number;
  /** An object as it was last observed; fields that no rule reads may be missing from it. */
  object(reference: ObjectReference): JsonObject | null | undefined;
  objects(query: ObjectQuery): readonly JsonObject[] | undefined;
  /** Whether a kind is served, and where its objects live; undefined: not known yet. Built-in kinds and the bundle's are known without. */
  scope(apiVersion: string, kind: string): 'Namespaced' | 'Cluster' | null | undefined;
  /** The values kept under {@link GenerateRequest.id}, by name; undefined where none were made yet. */
  generated(request: GenerateRequest): Readonly<Record<string, string>> | undefined;
  /** What became of a call; undefined where it was not made yet. */
  call(request: CallRequest): CallResult | undefined;
}

/** One value or set of values that are made once and stay: passwords, keys, certificates. */
export interface GenerateRequest {
  /** Id of the `generate` entry (and the item's key, `id/key`, where it repeats). */
  readonly id: string;
  /** The Secret in which the runtime keeps what it made, before anything uses it. */
  readonly secret: { readonly namespace: string; readonly name: string };
  readonly value: GeneratedValue;
}

export type GeneratedValue =
  | {
      /** Kept in the Secret's key {@link key}. */
      readonly kind: 'random';
      readonly key: string;
      readonly length: number;
      readonly alphabet: string;
    }
  | {
      /** A private key and a certificate, kept as `tls.key`, `tls.crt` and `ca.crt`. */
      readonly kind: 'x509';
      readonly commonName: string;
      readonly dnsNames: readonly string[];
      readonly ipAddresses: readonly string[];
      readonly isCA: boolean;
      /** `ECDSA` is on P-256. */
      readonly algorithm: 'ECDSA' | 'RSA';
      /** Milliseconds. */
      readonly duration: number;
      /** Milliseconds before its end at which a new certificate is made; the key stays unless {@link rotateKey}. */
      readonly renewBefore: number;
      readonly rotateKey: boolean;
      readonly usages: readonly string[];
      /** The Secret (`tls.crt`, `tls.key`) of the authority that signs; absent: it signs itself. */
      readonly issuer?: { readonly namespace: string; readonly name: string };
    };

/** A call to the outside world that is to happen once. */
export interface CallRequest {
  /** Id of the `calls` entry (and the item's key, `id/key`, where it repeats). */
  readonly id: string;
  /** Same key, same call: a runtime sends it as `Idempotency-Key` and never makes a call twice that succeeded. */
  readonly key: string;
  readonly request: HttpRequest;
  /** Milliseconds after which a succeeded call is made anew; absent: never. */
  readonly refreshAfter?: number;
}

export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as JSON unless it is a string. */
  readonly body?: unknown;
  /** Milliseconds. */
  readonly timeout: number;
  /** Statuses that count as success; default: 200 to 299. */
  readonly expect?: readonly number[];
}

export interface CallResult {
  /** HTTP status. */
  readonly status: number;
  /** Parsed where it is JSON, else the text. */
  readonly body: unknown;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** An object that is to exist. */
export interface DesiredObject {
  /** Id of the entry in `objects`. */
  readonly id: string;
  /** The item's identity where the entry repeats, else ``. Stays the same when items move. */
  readonly key: string;
  readonly reference: ObjectReference;
  /** Rendered, with apiVersion, kind, metadata.name and namespace; without ownership and bookkeeping, which the runtime adds. */
  readonly object: JsonObject;
  /**
   * Objects of a lower level are applied before, and deleted after. Starts at 0. Where an apply changed something, ask again before
   * going on to a higher level: what was ready before the change may not be so now.
   */
  readonly level: number;
  /**
   * Only some fields of an object that is not the rule's (`patch:`): no owner reference, never created and never deleted; when it is no longer
   * wanted, an apply without fields lets go of them.
   */
  readonly partial: boolean;
  /** Takes fields over from others instead of reporting a conflict. */
  readonly force: boolean;
  /** Whether an object that exists and is nobody's may become ours. */
  readonly adopt: 'Never' | 'IfUnowned' | 'Force';
  /** What happens to it when it is no longer wanted or its instance goes. */
  readonly deletion: 'Delete' | 'Orphan';
  /** What to do when a field that cannot change has changed. */
  readonly onImmutable: 'Report' | 'Recreate';
  /** Paths, as `$.spec.replicas`, that are set when it is made and left to others afterwards. */
  readonly ignore: readonly string[];
  /** Whether it was observed as ready. */
  readonly ready: boolean;
}

/** An entry that cannot be rendered yet. What exists of it is left as it is. */
export interface WaitingObject {
  readonly id: string;
  /** What it waits for, in words: `deployment is not ready`, `ConfigMap shop/app is not found`. */
  readonly reason: string;
}

export interface StatusCondition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
}

/** An expression or template that failed. */
export interface ReconcileFailure {
  /** Where it stands in the rule. */
  readonly path: DocumentPath;
  readonly message: string;
}

/** An undo that was made of a call's result: kept by the runtime, run when the instance goes. */
export interface UndoCall {
  readonly id: string;
  readonly key: string;
  readonly request: HttpRequest;
}

/** What should be true now. The runtime makes it true, observes, and asks again when something changed. */
export interface ReconcilePlan {
  readonly objects: readonly DesiredObject[];
  readonly waiting: readonly WaitingObject[];
  /** Ids of entries whose existing objects must not be pruned in this round, because what they should be is not known. */
  readonly retain: readonly string[];
  /** To be made before the rest can go on, or to be renewed now (a certificate near its end). */
  readonly generate: readonly GenerateRequest[];
  /** Those whose values exist and are in use: their Secrets stay. */
  readonly kept: readonly GenerateRequest[];
  /** To be made, or made anew: without an answer so far, with one that was not expected, or older than {@link CallRequest.refreshAfter}. */
  readonly calls: readonly CallRequest[];
  readonly undo: readonly UndoCall[];
  /** Ids of call entries whose former calls, if any, are to be undone: their `when` is false now. */
  readonly revoked: readonly string[];
  /** Fields of `status` as the rule says, without conditions; undefined: the rule says nothing of it. */
  readonly status: JsonObject | undefined;
  /** The rule's own conditions, then Ready, Reconciling and Stalled (kstatus), without times. */
  readonly conditions: readonly StatusCondition[];
  /** Milliseconds after which to look again without an event; the nearest of the rule's own and of renewals. */
  readonly requeueAfter: number | undefined;
  readonly failures: readonly ReconcileFailure[];
}

/** Facts that were asked for and not known. */
export interface ReconcileNeeds {
  readonly objects: readonly ObjectReference[];
  readonly queries: readonly ObjectQuery[];
  readonly scopes: readonly { readonly apiVersion: string; readonly kind: string }[];
}

export type ReconcileAnswer =
  | { readonly kind: 'plan'; readonly plan: ReconcilePlan; readonly reads: ReconcileReads }
  | { readonly kind: 'needs'; readonly needs: ReconcileNeeds };

/** Facts the plan depends on: when one of them changes, the instance is looked at again. */
export interface ReconcileReads {
  readonly objects: readonly ObjectReference[];
  readonly queries: readonly ObjectQuery[];
}

/** A kind that a rule touches. */
export interface TouchedKind {
  readonly apiVersion: string;
  readonly kind: string;
  /** Applied and deleted by the rule; fields of objects that are there applied and let go; or read only. */
  readonly use: 'write' | 'patch' | 'read';
  /** What expressions and readiness read, and of kinds that are written also what templates write, so that drift can be seen. */
  readonly fields: FieldDemand;
  /** Of RoleBindings and ClusterRoleBindings: what they bind; `any` where only an expression knows. */
  readonly binds?: 'any' | readonly RoleReference[];
}

/** A Role or a ClusterRole. */
export interface RoleReference {
  readonly kind: string;
  readonly name: string;
}

/** One compiled rule. Immutable. */
export interface ReconcileRule {
  /** Document kind: `ReconcileRule` or `ResourceGraphDefinition`. */
  readonly ruleKind: string;
  readonly name: string;
  /** Name of the bundle that it came in, where several are served as one. */
  readonly bundle?: string;
  /** Kind of the instances. */
  readonly instance: {
    readonly apiVersion: string;
    readonly kind: string;
    /** `undefined` for a decorated kind that is not known here. */
    readonly namespaced: boolean | undefined;
    /** Only instances with these labels, in the form of `kubectl -l`; `` for all. */
    readonly labelSelector: string;
    readonly fields: FieldDemand;
    /** The kind is somebody else's (`for:`): its status and conditions are not ours to write unless the rule says so. */
    readonly decorated: boolean;
  };
  /** The CustomResourceDefinition the rule makes; undefined with `for:`. */
  readonly definition: JsonObject | undefined;
  /** Ids of the entries, each after those it refers to. */
  readonly order: readonly string[];
  /** Every other kind; those of templates whose kind is an expression are not among them. */
  readonly touches: readonly TouchedKind[];
  /** Templates choose their kind by an expression: what else is written than {@link touches} says, nobody knows before. */
  readonly choosesKinds: boolean;
  /** Values are generated, and kept in Secrets. */
  readonly generates: boolean;
  /** Calls are made, and journalled. */
  readonly calls: boolean;
  /** The status of instances is written: always, unless the kind is somebody else's and the rule says nothing of it. */
  readonly writesStatus: boolean;
  /** `fairlead/<rule>`. */
  readonly fieldManager: string;
  /** Something must be undone when an instance goes that owner references do not do: calls, objects elsewhere, orphans. */
  readonly needsFinalizer: boolean;
  readonly deletion: 'Delete' | 'Orphan';
  /** Hash of what the rule means: changes when a compiled rule would decide otherwise. */
  readonly revision: string;
  reconcile(instance: JsonObject, facts: ReconcileFacts): ReconcileAnswer;
}

/** All reconcile rules of a bundle. */
export interface ReconcileProgram {
  readonly rules: readonly ReconcileRule[];
}
