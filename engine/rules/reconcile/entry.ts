import type { Template } from '../../object/template.ts';
import type { DocumentPath } from '../../text/document.ts';
import type { Expression } from '../expressions.ts';

/*
 * The entries of a compiled rule: what the executor walks through, in order.
 */

export interface Loop {
  readonly variable: string;
  readonly range: Expression;
  /** `index` or `key` are bound beside the item. */
  readonly keys: boolean;
}

/** A template, and where it stands, for messages. */
export interface RuleTemplate {
  readonly path: DocumentPath;
  readonly template: Template<Expression>;
}

export interface EntryBase {
  readonly id: string;
  readonly path: DocumentPath;
  readonly when: readonly Expression[];
  readonly loops: readonly Loop[];
  /** What items are told apart by; undefined: by themselves, by the key of the map or by the object they render to. */
  readonly key: Expression | undefined;
  readonly looseKeys: boolean;
  /** Ids of the entries that must be there before, without those of {@link ReadinessRule}. */
  readonly dependencies: readonly string[];
  readonly waitFor: 'Ready' | 'Exists';
  /** Depth in the graph: entries of a level depend on lower ones only. */
  readonly level: number;
  /** Its values are not for messages: a Secret, a generated value, an answer from outside. */
  readonly sensitive: boolean;
}

export type ReadinessRule =
  | { readonly kind: 'expressions'; readonly expressions: readonly Expression[]; readonly variable: string }
  | { readonly kind: 'kstatus' }
  | { readonly kind: 'exists' };

export interface TemplateEntry extends EntryBase {
  readonly kind: 'template' | 'patch';
  readonly template: RuleTemplate;
  /** Undefined where apiVersion or kind are expressions. */
  readonly objectKind: { readonly apiVersion: string; readonly kind: string } | undefined;
  /** Undefined: to be asked for. */
  readonly namespaced: boolean | undefined;
  readonly ready: ReadinessRule;
  readonly deletion: 'Delete' | 'Orphan';
  readonly adopt: 'Never' | 'IfUnowned' | 'Force';
  readonly force: boolean;
  readonly ignore: readonly string[];
  readonly onImmutable: 'Report' | 'Recreate';
}

export interface ExternalEntry extends EntryBase {
  readonly kind: 'external';
  readonly apiVersion: string;
  readonly objectKind: string;
  readonly namespaced: boolean | undefined;
  readonly name: RuleTemplate | undefined;
  readonly namespace: RuleTemplate | undefined;
  readonly selector: RuleTemplate | undefined;
  readonly allNamespaces: boolean;
  readonly optional: boolean;
  readonly ready: ReadinessRule;
}

export interface SecretPlace {
  readonly name: RuleTemplate | undefined;
  readonly namespace: RuleTemplate | undefined;
}

export interface RandomEntry extends EntryBase {
  readonly kind: 'random';
  readonly secret: SecretPlace;
  readonly valueKey: string;
  readonly length: number;
  readonly alphabet: string;
}

export interface X509Entry extends EntryBase {
  readonly kind: 'x509';
  readonly secret: SecretPlace;
  readonly subject: RuleTemplate;
  readonly isCA: boolean;
  readonly algorithm: 'ECDSA' | 'RSA';
  readonly rotateKey: boolean;
  readonly usages: readonly string[];
}

export interface HttpTemplate {
  readonly content: RuleTemplate;
  readonly method: string;
  readonly timeout: number;
  readonly expect: readonly number[] | undefined;
}

export interface CallEntry extends EntryBase {
  readonly kind: 'call';
  readonly http: HttpTemplate;
  readonly undo: HttpTemplate | undefined;
  readonly idempotencyKey: RuleTemplate | undefined;
  readonly refresh: RuleTemplate | undefined;
}

export type Entry = TemplateEntry | ExternalEntry | RandomEntry | X509Entry | CallEntry;

/** What an entry has beside {@link EntryBase}. */
export type EntryContent = Entry extends infer E ? (E extends Entry ? Omit<E, keyof EntryBase> : never) : never;
