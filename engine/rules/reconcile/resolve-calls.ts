import type { CelValue } from '../../cel/values.ts';
import { isJsonObject, ownValue } from '../../object/json.ts';
import { durationOf } from './durations.ts';
import type { CallEntry } from './entry.ts';
import { Unresolved } from './evaluation.ts';
import { callValue, httpRequestOf, isExpected } from './http-calls.ts';
import type { Item } from './items.ts';
import type { CallRequest } from './program.ts';
import { READY, type Round } from './round.ts';

/** Calls to the outside: answers that are there, calls to be made, and what undoes those that were. */
export function resolveCalls(round: Round, entry: CallEntry, items: readonly Item[]): void {
  const gate = round.gate(entry);
  let absent = gate ?? `${entry.id} has no answer yet`;
  const values = round.each(entry, items, (item): CelValue | undefined => {
    const request = callRequest(round, entry, item);
    const result = round.facts.call(request);
    if (result === undefined || !isExpected(request.request, result.status)) {
      if (result !== undefined) absent = `${entry.id} answered ${result.status}`;
      if (gate === undefined) round.calls.push(request);
      return undefined;
    }
    if (request.refreshAfter !== undefined) {
      const due = result.at + request.refreshAfter - round.facts.now;
      if (due > 0) round.requeue(due);
      else if (gate === undefined) round.calls.push(request);
    }
    const value = callValue(result);
    if (entry.undo !== undefined) {
      const content = round.evaluation.render(entry.undo.content, { ...item.locals, [entry.id]: value });
      round.undo.push({ id: request.id, key: request.key, request: httpRequestOf(entry.undo, content) });
    }
    return value;
  });
  if (values.includes(undefined)) round.wait(entry, absent);
  round.settleItems(entry, items, values, () => READY, absent);
}

function callRequest(round: Round, entry: CallEntry, item: Item): CallRequest {
  const metadata = ownValue(round.instance, 'metadata');
  const uid = isJsonObject(metadata) ? String(ownValue(metadata, 'uid') ?? ownValue(metadata, 'name') ?? '') : '';
  const id = item.key === '' ? entry.id : `${entry.id}/${item.key}`;
  const key = entry.idempotencyKey === undefined ? `${uid}/${id}` : round.text(entry.idempotencyKey, item);
  const request = httpRequestOf(entry.http, round.evaluation.render(entry.http.content, item.locals));
  if (entry.refresh === undefined) return { id, key, request };
  const refreshAfter = durationOf(round.evaluation.render(entry.refresh, item.locals) ?? '');
  if (refreshAfter === undefined) throw new Unresolved('failed', 'refresh must be a duration, as 1h', entry.refresh.path);
  return { id, key, request, refreshAfter };
}
