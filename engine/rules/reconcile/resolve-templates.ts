import { isJsonObject, type Json, type JsonObject, measureJson, ownValue } from '../../object/json.ts';
import type { TemplateEntry } from './entry.ts';
import { Unresolved } from './evaluation.ts';
import type { Item } from './items.ts';
import { checkName } from './object-names.ts';
import type { DesiredObject, ObjectReference } from './program.ts';
import { judgeObject } from './readiness.ts';
import { describeReference } from './reference-text.ts';
import type { Round } from './round.ts';

/** Characters of JSON that the objects of repeated entries may have together. */
const MAX_REPEATED_SIZE = 32 * 1024 * 1024;

/** The objects that an entry is to make, or to put fields on, as far as they can be told. */
export function resolveTemplates(round: Round, entry: TemplateEntry, items: readonly Item[]): void {
  const gate = round.gate(entry);
  if (gate !== undefined) round.wait(entry, gate);
  let absent = gate ?? `${entry.id} is not known yet`;
  const desired: { readonly item: Item; readonly object: DesiredObject }[] = [];
  const values = round.each(entry, items, (item) => {
    const object = renderObject(round, entry, item);
    const { reference } = object;
    const observed = round.observe(reference);
    if (observed === undefined) return undefined;
    if (observed === null) {
      absent = `${describeReference(reference)} ${entry.kind === 'patch' ? 'is not found' : 'does not exist yet'}`;
      if (entry.kind === 'patch') round.wait(entry, absent);
      else if (gate === undefined) desired.push({ item, object });
      return undefined;
    }
    if (gate === undefined) desired.push({ item, object });
    return observed;
  });
  const readiness = new Map<string, boolean>();
  round.settleItems(
    entry,
    items,
    values,
    (value, item) => {
      const judged = judgeObject(round, entry, value as JsonObject, item);
      readiness.set(item.key, judged.ready);
      return judged;
    },
    absent,
  );
  for (const { item, object } of desired) {
    const ready = readiness.get(item.key) ?? false;
    if (!readiness.has(item.key))
      round.verdicts.push({
        id: entry.id,
        ready: false,
        reason: `${describeReference(object.reference)} does not exist yet`,
        failed: false,
      });
    round.objects.push({ ...object, ready });
  }
}

function renderObject(round: Round, entry: TemplateEntry, item: Item): DesiredObject {
  const rendered = round.evaluation.render(entry.template, item.locals);
  const fail = (message: string): never => {
    throw new Unresolved('failed', message, entry.template.path);
  };
  if (!isJsonObject(rendered)) return fail('the template does not make an object');
  const [apiVersion, kind, metadata] = [ownValue(rendered, 'apiVersion'), ownValue(rendered, 'kind'), ownValue(rendered, 'metadata')];
  if (typeof apiVersion !== 'string' || apiVersion === '' || typeof kind !== 'string' || kind === '') {
    return fail('the object has no apiVersion and kind');
  }
  const name = isJsonObject(metadata) ? ownValue(metadata, 'name') : undefined;
  if (typeof name !== 'string' || name === '') return fail(`the ${kind} has no metadata.name`);
  const namespace = namespaceOf(round, entry, apiVersion, kind, ownValue(metadata as JsonObject, 'namespace'), fail);
  checkName(name, `the name of a ${kind}`, entry.template.path);
  if (namespace !== undefined) checkName(namespace, 'a namespace', entry.template.path);
  const reference: ObjectReference = namespace === undefined ? { apiVersion, kind, name } : { apiVersion, kind, namespace, name };
  const owner = round.owners.get(referenceKey(reference));
  if (owner !== undefined) return fail(`${describeReference(reference)} is made by ${owner}, too`);
  round.owners.set(referenceKey(reference), entry.id);
  const { namespace: _given, ...rest } = metadata as JsonObject;
  const object = { ...rendered, metadata: namespace === undefined ? rest : { ...rest, namespace } };
  // One object is limited by itself; only repetition makes many of them.
  if (item.locals !== undefined) {
    round.size += measureJson(object).size;
    if (round.size > MAX_REPEATED_SIZE) return fail(`the objects of the rule have more than ${MAX_REPEATED_SIZE} characters together`);
  }
  const { id, level, force, adopt, deletion, onImmutable, ignore } = entry;
  const partial = entry.kind === 'patch';
  const key = entry.looseKeys && item.key !== '' ? (namespace === undefined ? name : `${namespace}/${name}`) : item.key;
  return { id, key, reference, object, level, partial, force, adopt, deletion, onImmutable, ignore, ready: false };
}

function namespaceOf(
  round: Round,
  entry: TemplateEntry,
  apiVersion: string,
  kind: string,
  given: Json | undefined,
  fail: (message: string) => never,
): string | undefined {
  const namespaced = entry.namespaced ?? round.scope(entry, apiVersion, kind);
  const wanted = typeof given === 'string' && given !== '' ? given : undefined;
  if (!namespaced) return wanted === undefined ? undefined : fail(`objects of the kind ${kind} are in no namespace`);
  return wanted ?? round.instanceNamespace() ?? fail(`the ${kind} has no metadata.namespace, and the instance is in none`);
}

const referenceKey = ({ apiVersion, kind, namespace, name }: ObjectReference): string => `${apiVersion}/${kind}/${namespace ?? ''}/${name}`;
