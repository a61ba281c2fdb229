import type { Json, JsonObject } from '../../object/json.ts';
import type { DocumentPath } from '../../text/document.ts';
import type { ExpressionSource } from '../expressions.ts';

export type { ExpressionSource };

/*
 * What a ReconcileRule and a ResourceGraphDefinition have in common, before anything in it is compiled: the text of every
 * expression, and where it stands. Both kinds are lowered to this form, and only this form is compiled.
 */

/** A value with `${...}` in its strings. */
export interface TemplateSource {
  readonly path: DocumentPath;
  readonly value: Json;
}

/** One dimension of a repeated entry. */
export interface LoopSource {
  /** Name that the item is bound to. */
  readonly variable: string;
  readonly range: ExpressionSource;
}

/** Fields that all entries have. */
export interface EntrySourceBase {
  readonly id: string;
  /** Where the entry stands. */
  readonly path: DocumentPath;
  /** All must be true for there to be such an entry. */
  readonly when: readonly ExpressionSource[];
  readonly loops: readonly LoopSource[];
  /** `index` and `key` are bound in loops, too. */
  readonly loopKeys: boolean;
  /** What items are told apart by; undefined: by themselves or by the key of the map, or, where {@link looseKeys}, by what they render to. */
  readonly key: ExpressionSource | undefined;
  readonly looseKeys: boolean;
  readonly after: readonly { readonly id: string; readonly path: DocumentPath }[];
  readonly waitFor: 'Ready' | 'Exists';
}

export interface TemplateEntrySource extends EntrySourceBase {
  readonly kind: 'template' | 'patch';
  readonly template: { readonly path: DocumentPath; readonly value: JsonObject };
  readonly ready: ReadinessSource;
  readonly deletion: 'Delete' | 'Orphan' | undefined;
  readonly adopt: 'Never' | 'IfUnowned' | 'Force';
  readonly force: boolean;
  readonly ignore: readonly string[];
  readonly onImmutable: 'Report' | 'Recreate';
}

export interface ExternalEntrySource extends EntrySourceBase {
  readonly kind: 'external';
  readonly apiVersion: string;
  readonly objectKind: string;
  readonly name: TemplateSource | undefined;
  readonly namespace: TemplateSource | undefined;
  readonly selector: TemplateSource | undefined;
  readonly allNamespaces: boolean;
  readonly optional: boolean;
  readonly ready: ReadinessSource;
}

/** How an object is judged: by its expressions, all of which must be true, by kstatus, or by being there. */
export type ReadinessSource =
  | {
      readonly kind: 'expressions';
      readonly expressions: readonly ExpressionSource[] /** Name of the object in them. */;
      readonly variable: string;
    }
  | { readonly kind: 'kstatus' }
  | { readonly kind: 'exists' };

export interface RandomEntrySource extends EntrySourceBase {
  readonly kind: 'random';
  readonly secret: SecretSource;
  readonly valueKey: string;
  readonly length: number;
  readonly alphabet: string;
}

export interface X509EntrySource extends EntrySourceBase {
  readonly kind: 'x509';
  readonly secret: SecretSource;
  /** commonName, dnsNames, ipAddresses, issuer, duration, renewBefore, as one template. */
  readonly subject: TemplateSource;
  readonly isCA: boolean;
  readonly algorithm: 'ECDSA' | 'RSA';
  readonly rotateKey: boolean;
  readonly usages: readonly string[];
}

export interface SecretSource {
  readonly name: TemplateSource | undefined;
  readonly namespace: TemplateSource | undefined;
}

export interface HttpSource {
  /** url, headers and body, as one template. */
  readonly content: TemplateSource;
  readonly method: string;
  /** Milliseconds. */
  readonly timeout: number;
  readonly expect: readonly number[] | undefined;
}

export interface CallEntrySource extends EntrySourceBase {
  readonly kind: 'call';
  readonly http: HttpSource;
  readonly undo: HttpSource | undefined;
  readonly idempotencyKey: TemplateSource | undefined;
  /** Yields a duration. */
  readonly refresh: TemplateSource | undefined;
}

export type EntrySource = TemplateEntrySource | ExternalEntrySource | RandomEntrySource | X509EntrySource | CallEntrySource;

export interface ConditionSource {
  readonly type: string;
  readonly expression: ExpressionSource;
  readonly reason: TemplateSource | undefined;
  readonly message: TemplateSource | undefined;
}

/** One rule. */
export interface RuleSource {
  readonly ruleKind: 'ReconcileRule' | 'ResourceGraphDefinition';
  readonly name: string;
  /** How expressions call the instance. */
  readonly instanceVariable: 'self' | 'schema';
  readonly instance: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly namespaced: boolean | undefined;
    readonly labelSelector: string;
    readonly decorated: boolean;
  };
  readonly variables: readonly { readonly name: string; readonly namePath: DocumentPath; readonly expression: ExpressionSource }[];
  readonly entries: readonly EntrySource[];
  readonly status: TemplateSource | undefined;
  /** The rule has a schema of status, or decorates a kind that has one; undefined: what is in status is the document's own affair. */
  readonly declaresStatus: boolean | undefined;
  readonly conditions: readonly ConditionSource[];
  readonly requeueAfter: TemplateSource | undefined;
  readonly deletion: 'Delete' | 'Orphan';
}
