import { isJsonObject, type Json, type JsonObject, jsonEqual, ownValue } from './json.ts';
import type { PatchOperation } from './json-patch.ts';
import { escapePointerToken } from './json-pointer.ts';

/**
 * RFC 6902 operations that turn `before` into `after`: only `add`, `remove` and `replace`, nothing for what is equal.
 *
 * Lists are aligned, so that an inserted container is one `add` and not a rewrite of all that follow. List elements that
 * are maps are taken for the same element when they agree in an identifying field (`name`, `key`, ...).
 * Applying the result to `before` gives a value equal to `after`.
 */
export function diffJson(before: Json, after: Json): PatchOperation[] {
  const operations: PatchOperation[] = [];
  diffInto(before, after, '', operations);
  return operations;
}

/** {@link diffJson} at a place inside a document: operations are appended, with `pointer` in front of their paths. */
function diffInto(before: Json, after: Json, pointer: string, operations: PatchOperation[]): void {
  if (before === after) return;
  if (Array.isArray(before) && Array.isArray(after)) diffLists(before, after, pointer, operations);
  else if (isJsonObject(before) && isJsonObject(after)) diffMaps(before, after, pointer, operations);
  else if (!jsonEqual(before, after)) operations.push({ op: 'replace', path: pointer, value: after });
}

function diffMaps(before: JsonObject, after: JsonObject, pointer: string, operations: PatchOperation[]): void {
  for (const key of Object.keys(before)) {
    if (!Object.hasOwn(after, key)) operations.push({ op: 'remove', path: `${pointer}/${escapePointerToken(key)}` });
  }
  for (const key of Object.keys(after)) {
    const path = `${pointer}/${escapePointerToken(key)}`;
    const value = after[key] as Json;
    if (Object.hasOwn(before, key)) diffInto(before[key] as Json, value, path, operations);
    else operations.push({ op: 'add', path, value });
  }
}

function diffLists(before: readonly Json[], after: readonly Json[], pointer: string, operations: PatchOperation[]): void {
  let head = 0;
  while (head < before.length && head < after.length && jsonEqual(before[head], after[head])) head++;
  let tail = 0;
  const room = Math.min(before.length, after.length) - head;
  while (tail < room && jsonEqual(before[before.length - 1 - tail], after[after.length - 1 - tail])) tail++;
  const old = before.slice(head, before.length - tail);
  const wanted = after.slice(head, after.length - tail);

  // The list in front of `at` is already as wanted, so `at` is an index of both the half-made and the final list.
  let at = head;
  for (const step of align(old, wanted)) {
    if (step.kind === 'remove') operations.push({ op: 'remove', path: `${pointer}/${at}` });
    else if (step.kind === 'add') operations.push({ op: 'add', path: `${pointer}/${at++}`, value: step.value });
    else diffInto(step.from, step.to, `${pointer}/${at++}`, operations);
  }
}

type Step =
  | { readonly kind: 'keep'; readonly from: Json; readonly to: Json }
  | { readonly kind: 'add'; readonly value: Json }
  | { readonly kind: 'remove' };

/** Cells of the alignment table: beyond that, elements are paired by position. Half a million cells are a few milliseconds. */
const MAX_ALIGNMENT_CELLS = 500_000;

/** Costs of the alignment: a pair of the same identity beats removing and adding, which beats pairing strangers. */
const COST_EDIT = 2;
const COST_SAME_IDENTITY = 1;
const COST_SCALAR = 3;
const COST_STRANGERS = 5;

/** The cheapest way from one list to the other, as steps from first to last (edit distance with unequal costs). */
function align(old: readonly Json[], wanted: readonly Json[]): readonly Step[] {
  const rows = old.length;
  const columns = wanted.length;
  if (rows === 0) return wanted.map((value) => ({ kind: 'add', value }));
  if (columns === 0) return old.map(() => ({ kind: 'remove' }));
  if ((rows + 1) * (columns + 1) > MAX_ALIGNMENT_CELLS) return pairByPosition(old, wanted);

  const oldIdentities = old.map(identityOf);
  const wantedIdentities = wanted.map(identityOf);
  const width = columns + 1;
  const cost = new Int32Array((rows + 1) * width);
  for (let i = rows; i >= 0; i--) {
    for (let j = columns; j >= 0; j--) {
      if (i === rows) cost[i * width + j] = (columns - j) * COST_EDIT;
      else if (j === columns) cost[i * width + j] = (rows - i) * COST_EDIT;
      else {
        const pair =
          pairCost(old[i] as Json, wanted[j] as Json, oldIdentities[i], wantedIdentities[j]) + (cost[(i + 1) * width + j + 1] as number);
        const edit = COST_EDIT + Math.min(cost[(i + 1) * width + j] as number, cost[i * width + j + 1] as number);
        cost[i * width + j] = Math.min(pair, edit);
      }
    }
  }

  const steps: Step[] = [];
  let i = 0;
  let j = 0;
  while (i < rows || j < columns) {
    const here = cost[i * width + j] as number;
    if (i < rows && j < columns) {
      const pair = pairCost(old[i] as Json, wanted[j] as Json, oldIdentities[i], wantedIdentities[j]);
      if (here === pair + (cost[(i + 1) * width + j + 1] as number)) {
        steps.push({ kind: 'keep', from: old[i++] as Json, to: wanted[j++] as Json });
        continue;
      }
    }
    if (i < rows && here === COST_EDIT + (cost[(i + 1) * width + j] as number)) {
      steps.push({ kind: 'remove' });
      i++;
    } else steps.push({ kind: 'add', value: wanted[j++] as Json });
  }
  return steps;
}

function pairByPosition(old: readonly Json[], wanted: readonly Json[]): readonly Step[] {
  const shared = Math.min(old.length, wanted.length);
  const steps: Step[] = [];
  for (let i = 0; i < shared; i++) steps.push({ kind: 'keep', from: old[i] as Json, to: wanted[i] as Json });
  for (let i = shared; i < wanted.length; i++) steps.push({ kind: 'add', value: wanted[i] as Json });
  for (let i = shared; i < old.length; i++) steps.push({ kind: 'remove' });
  return steps;
}

/** Fields that tell the elements of Kubernetes lists apart, most telling first. */
const IDENTIFYING_FIELDS = ['name', 'key', 'mountPath', 'devicePath', 'containerPort', 'port', 'ip', 'type', 'uid', 'topologyKey'];

/** What makes a map in a list the same element although other fields differ; undefined where nothing does. */
function identityOf(item: Json): string | undefined {
  if (!isJsonObject(item)) return undefined;
  for (const field of IDENTIFYING_FIELDS) {
    const value = ownValue(item, field);
    if (typeof value === 'string' || typeof value === 'number') return `${field}=${typeof value}:${value}`;
  }
  return undefined;
}

function pairCost(old: Json, wanted: Json, oldIdentity: string | undefined, wantedIdentity: string | undefined): number {
  const oldIsScalar = typeof old !== 'object' || old === null;
  if (oldIsScalar || typeof wanted !== 'object' || wanted === null) return jsonEqual(old, wanted) ? 0 : COST_SCALAR;
  // Equal elements have equal identities, so the deep comparison is made for few pairs only.
  if (oldIdentity !== wantedIdentity) return COST_STRANGERS;
  if (jsonEqual(old, wanted)) return 0;
  if (oldIdentity !== undefined) return COST_SAME_IDENTITY;
  return COST_SCALAR;
}
