import { isJsonObject, type JsonObject, ownValue } from '../../object/json.ts';
import type { ExternalEntry, TemplateEntry } from './entry.ts';
import { Unresolved } from './evaluation.ts';
import type { Item } from './items.ts';
import { objectStatus } from './kstatus.ts';
import { type Judgement, READY, type Round } from './round.ts';

/** Whether an object that was observed is ready, by what its entry says of that. */
export function judgeObject(round: Round, entry: TemplateEntry | ExternalEntry, object: JsonObject, item: Item): Judgement {
  const metadata = ownValue(object, 'metadata');
  const name = `${String(object['kind'] ?? entry.id)} ${isJsonObject(metadata) ? String(metadata['name'] ?? '') : ''}`.trim();
  if (isJsonObject(metadata) && typeof metadata['deletionTimestamp'] === 'string') {
    return { ready: false, reason: `${name} is being deleted`, failed: false };
  }
  switch (entry.ready.kind) {
    case 'exists':
      return READY;
    case 'kstatus': {
      const { status, message } = objectStatus(object, round.facts.now);
      return status === 'Current' ? READY : { ready: false, reason: `${name}: ${message}`, failed: status === 'Failed' };
    }
    case 'expressions':
      return judgeByExpressions(round, entry.ready, object, item, name);
  }
}

function judgeByExpressions(
  round: Round,
  { expressions, variable }: Extract<TemplateEntry['ready'], { readonly kind: 'expressions' }>,
  object: JsonObject,
  item: Item,
  name: string,
): Judgement {
  const locals = { ...item.locals, [variable]: object };
  for (const expression of expressions) {
    try {
      if (round.evaluation.evaluate(expression, locals) !== true) {
        return { ready: false, reason: `${name} is not ready: ${expression.text.trim()}`, failed: false };
      }
    } catch (error) {
      if (!(error instanceof Unresolved)) throw error;
      // What the expression asks for is not there yet: no error, unless it never will be.
      if (error.kind === 'failed' && !/no such key|no such field|index out of/.test(error.reason)) {
        round.failures.push({ path: error.path, message: error.reason });
      }
      return { ready: false, reason: `${name} is not ready: ${error.reason}`, failed: false };
    }
  }
  return READY;
}
