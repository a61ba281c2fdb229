import { canonicalJson, isJsonObject, type Json, type JsonObject, ownValue } from '../../object/json.ts';
import { hasExpression } from '../../object/template-text.ts';
import { sha256 } from '../../text/digest.ts';
import type { CompiledRule } from './compiled-rule.ts';
import { instanceDemand, touchedKinds } from './demand.ts';
import type { Entry } from './entry.ts';
import { reconcile } from './executor.ts';
import type { ReconcileRule } from './program.ts';

/** What a runtime gets of a compiled rule. */
export function ruleProgram(rule: CompiledRule, definition: JsonObject | undefined): ReconcileRule {
  const { source } = rule;
  const { apiVersion, kind, namespaced, labelSelector, decorated } = source.instance;
  return {
    ruleKind: source.ruleKind,
    name: source.name,
    instance: { apiVersion, kind, namespaced, labelSelector, fields: instanceDemand(rule), decorated },
    definition,
    order: rule.entries.map(({ id }) => id),
    touches: touchedKinds(rule),
    choosesKinds: rule.entries.some((entry) => (entry.kind === 'template' || entry.kind === 'patch') && entry.objectKind === undefined),
    generates: rule.entries.some(({ kind: each }) => each === 'random' || each === 'x509'),
    calls: rule.entries.some(({ kind: each }) => each === 'call'),
    writesStatus: !decorated || rule.status !== undefined || rule.conditions.length > 0,
    fieldManager: `fairlead/${source.name}`,
    needsFinalizer: source.deletion === 'Orphan' || rule.entries.some((entry) => needsUndo(entry, rule)),
    deletion: source.deletion,
    revision: revisionOf(rule, definition),
    reconcile: (instance, facts) => reconcile(rule, instance, facts),
  };
}

/** Whether owner references are not enough for what an entry makes. */
function needsUndo(entry: Entry, rule: CompiledRule): boolean {
  switch (entry.kind) {
    case 'call':
      return entry.undo !== undefined;
    case 'patch':
      return true;
    case 'template':
      return entry.deletion === 'Orphan' || !canBeOwned(entry, rule);
    case 'random':
    case 'x509':
      return entry.secret.namespace !== undefined && rule.source.instance.namespaced !== false;
    case 'external':
      return false;
  }
}

/** An object may be owned by an instance of its own namespace, and by one that is in none. */
function canBeOwned(entry: Extract<Entry, { readonly kind: 'template' | 'patch' }>, { source }: CompiledRule): boolean {
  if (source.instance.namespaced === false) return true;
  if (entry.namespaced !== true) return false;
  const template = source.entries.find(({ id }) => id === entry.id);
  const value = template?.kind === 'template' ? template.template.value : {};
  const metadata = ownValue(value, 'metadata');
  const namespace = isJsonObject(metadata) ? ownValue(metadata, 'namespace') : undefined;
  const own = `\${${source.instanceVariable}.metadata.namespace}`;
  return namespace === undefined || (typeof namespace === 'string' && hasExpression(namespace) && namespace.replace(/\s/g, '') === own);
}

/** Of everything that was written, in a canonical order. */
function revisionOf({ source, params }: CompiledRule, definition: JsonObject | undefined): string {
  // Undefined fields say the same as absent ones, and JSON has none.
  const written = JSON.parse(
    JSON.stringify({ source, params, definition: definition ?? null }, (_key, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    ),
  ) as Json;
  return sha256(canonicalJson(written)).slice(0, 16);
}
