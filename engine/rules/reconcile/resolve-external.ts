import { isJsonObject, type JsonObject } from '../../object/json.ts';
import { labelSelectorOf } from '../../object/label-selector.ts';
import type { ExternalEntry } from './entry.ts';
import { Unresolved } from './evaluation.ts';
import type { Item } from './items.ts';
import { checkName, givenNamespace } from './object-names.ts';
import type { ObjectQuery, ObjectReference } from './program.ts';
import { judgeObject } from './readiness.ts';
import { describeReference } from './reference-text.ts';
import type { Judgement, Round } from './round.ts';

/** The objects of others that an entry reads. */
export function resolveExternal(round: Round, entry: ExternalEntry, items: readonly Item[]): void {
  if (entry.selector !== undefined) {
    resolveExternalList(round, entry, items);
    return;
  }
  let absent = `${entry.id} is not known yet`;
  const values = round.each(entry, items, (item) => {
    const reference = externalReference(round, entry, item);
    const observed = round.observe(reference);
    if (observed === undefined) return undefined;
    if (observed !== null) return observed;
    if (entry.optional) throw new Unresolved('excluded', '', entry.path);
    absent = `${describeReference(reference)} is not found`;
    round.wait(entry, absent);
    return undefined;
  });
  round.settleItems(entry, items, values, (value, item) => judgeObject(round, entry, value as JsonObject, item), absent);
}

function externalReference(round: Round, entry: ExternalEntry, item: Item): ObjectReference {
  const { apiVersion, objectKind: kind } = entry;
  const name = round.text(entry.name!, item);
  checkName(name, `the name of a ${kind}`, entry.name!.path);
  const given = givenNamespace(round, entry.namespace, item);
  const namespaced = entry.namespaced ?? round.scope(entry, apiVersion, kind);
  if (!namespaced) return { apiVersion, kind, name };
  const namespace = given ?? round.instanceNamespace();
  if (namespace === undefined) throw new Unresolved('failed', `the ${kind} needs a namespace: the instance is in none`, entry.path);
  return { apiVersion, kind, namespace, name };
}

function resolveExternalList(round: Round, entry: ExternalEntry, items: readonly Item[]): void {
  const found: JsonObject[] = [];
  const verdicts: Judgement[] = [];
  let unknown = false;
  for (const item of items) {
    const query = queryOf(round, entry, item);
    round.reads.queries.push(query);
    const objects = round.facts.objects(query);
    if (objects === undefined) {
      round.needs.queries.push(query);
      unknown = true;
      continue;
    }
    for (const object of objects) {
      found.push(object);
      verdicts.push(judgeObject(round, entry, object, item));
    }
  }
  if (unknown) {
    round.settle(entry, { kind: 'unknown', reason: `${entry.id} is not known yet` }, undefined);
    return;
  }
  const worst = verdicts.find(({ ready }) => !ready);
  round.settle(entry, { kind: 'present', ready: worst === undefined, reason: worst?.reason ?? '' }, found);
}

function queryOf(round: Round, entry: ExternalEntry, item: Item): ObjectQuery {
  const rendered = round.evaluation.render(entry.selector!, item.locals) ?? {};
  const simple = isJsonObject(rendered) && !Object.hasOwn(rendered, 'matchLabels') && !Object.hasOwn(rendered, 'matchExpressions');
  const read = labelSelectorOf(simple ? { matchLabels: rendered } : rendered);
  if (!read.ok) throw new Unresolved('failed', read.message, entry.selector!.path);
  const { apiVersion, objectKind: kind } = entry;
  const labelSelector = read.selector.text;
  const given = givenNamespace(round, entry.namespace, item);
  const namespaced = entry.namespaced ?? round.scope(entry, apiVersion, kind);
  const namespace = given ?? round.instanceNamespace();
  return !namespaced || entry.allNamespaces || namespace === undefined
    ? { apiVersion, kind, labelSelector }
    : { apiVersion, kind, namespace, labelSelector };
}
