import { isJsonObject, type Json, type JsonObject, ownValue } from '../../object/json.ts';
import { hasExpression } from '../../object/template-text.ts';
import { mergeDemand } from '../reads.ts';
import type { CompiledRule } from './compiled-rule.ts';
import type { Entry, ReadinessRule } from './entry.ts';
import type { FieldDemand, TouchedKind } from './program.ts';

/** Fields that the rules of kstatus look at, of any kind. */
const KSTATUS_FIELDS: FieldDemand = {
  status: true,
  spec: {
    replicas: true,
    type: true,
    clusterIP: true,
    updateStrategy: true,
    progressDeadlineSeconds: true,
    completions: true,
    parallelism: true,
  },
};

/** What a rule reads of its instances. */
export function instanceDemand(rule: CompiledRule): FieldDemand {
  let demand: FieldDemand = {};
  for (const { expression } of rule.expressions) {
    const read = expression.reads.get(rule.source.instanceVariable);
    if (read !== undefined) demand = mergeDemand(demand, read);
  }
  return demand;
}

/** The kinds that a rule reads and writes beside its instances, as far as they are written out. */
export function touchedKinds(rule: CompiledRule): readonly TouchedKind[] {
  const touched = new Map<string, TouchedKind>();
  for (const entry of rule.entries) {
    const kind = kindOf(entry);
    if (kind === undefined) continue;
    const note = (use: TouchedKind['use'], fields: FieldDemand) => {
      const key = `${use} ${kind.apiVersion}/${kind.kind}`;
      const before = touched.get(key);
      touched.set(key, { ...kind, use, fields: mergeDemand(before?.fields, fields), ...boundRoles(kind, entry, rule, before) });
    };
    const read = readFields(entry, rule);
    // What a patch is for belongs to others, and is looked for as such.
    if (entry.kind === 'external' || entry.kind === 'patch') note('read', read);
    if (entry.kind !== 'external') note(entry.kind === 'patch' ? 'patch' : 'write', mergeDemand(read, writtenFields(entry, rule)));
  }
  return [...touched.values()];
}

/** What a binding binds, beside what others of its kind do. */
function boundRoles(kind: { readonly kind: string }, entry: Entry, { source }: CompiledRule, before: TouchedKind | undefined) {
  if (kind.kind !== 'RoleBinding' && kind.kind !== 'ClusterRoleBinding') return {};
  if (entry.kind !== 'template') return before?.binds === undefined ? {} : { binds: before.binds };
  const template = source.entries.find(({ id }) => id === entry.id);
  const role = template?.kind === 'template' ? ownValue(template.template.value, 'roleRef') : undefined;
  const text = (field: string): string | undefined => {
    const value = isJsonObject(role ?? null) ? ownValue(role as JsonObject, field) : undefined;
    return typeof value === 'string' && !hasExpression(value) ? value : undefined;
  };
  const [roleKind, name] = [text('kind'), text('name')];
  if (roleKind === undefined || name === undefined || before?.binds === 'any') return { binds: 'any' as const };
  const others = (before?.binds ?? []).filter((each) => each.kind !== roleKind || each.name !== name);
  return { binds: [...others, { kind: roleKind, name }] };
}

function kindOf(entry: Entry): { readonly apiVersion: string; readonly kind: string } | undefined {
  if (entry.kind === 'external') return { apiVersion: entry.apiVersion, kind: entry.objectKind };
  return entry.kind === 'template' || entry.kind === 'patch' ? entry.objectKind : undefined;
}

function readFields(entry: Entry, rule: CompiledRule): FieldDemand {
  let demand: FieldDemand = {};
  const repeats = entry.loops.length > 0 || (entry.kind === 'external' && entry.selector !== undefined);
  for (const { entry: owner, expression, local } of rule.expressions) {
    // In expressions of readiness, a name stands for the one object.
    const isLocal = owner === entry.id && local !== undefined;
    const read = expression.reads.get(isLocal ? local : entry.id);
    if (read === undefined) continue;
    if (!repeats || isLocal) demand = mergeDemand(demand, read);
    else if (read === true) demand = true;
    else for (const element of Object.values(read)) demand = mergeDemand(demand, element);
  }
  const { ready } = entry as { readonly ready?: ReadinessRule };
  return ready?.kind === 'kstatus' ? mergeDemand(demand, KSTATUS_FIELDS) : demand;
}

/** Fields that a template writes; a list is one of them as a whole. */
function writtenFields(entry: Entry, rule: CompiledRule): FieldDemand {
  const source = rule.source.entries.find(({ id }) => id === entry.id);
  if (source?.kind !== 'template' && source?.kind !== 'patch') return {};
  const { apiVersion: _apiVersion, kind: _kind, metadata, ...rest } = source.template.value;
  if (!isJsonObject(metadata)) return fieldsOf({ ...rest, ...(metadata === undefined ? {} : { metadata }) });
  const { name: _name, namespace: _namespace, ...kept } = metadata;
  return fieldsOf(Object.keys(kept).length === 0 ? rest : { ...rest, metadata: kept });
}

function fieldsOf(value: Json): FieldDemand {
  if (!isJsonObject(value)) return true;
  const keys = Object.keys(value);
  if (keys.length === 0 || keys.some(hasExpression)) return true;
  return Object.fromEntries(keys.map((key) => [key, fieldsOf(ownValue(value, key) as Json)]));
}
