import { isJsonObject, ownValue } from '../../object/json.ts';
import type { RandomEntry, X509Entry } from './entry.ts';
import { Unresolved } from './evaluation.ts';
import { generatedValues, randomRequest, renewalOf, x509Request } from './generated-values.ts';
import type { Item } from './items.ts';
import { checkName, givenNamespace } from './object-names.ts';
import type { GenerateRequest } from './program.ts';
import { READY, type Round } from './round.ts';

/** Values that are made once: those that are there, and those to be made or renewed. */
export function resolveGenerated(round: Round, entry: RandomEntry | X509Entry, items: readonly Item[]): void {
  const gate = round.gate(entry);
  let absent = gate ?? `${entry.id} is not generated yet`;
  const values = round.each(entry, items, (item) => {
    const request = generateRequest(round, entry, item);
    const made = round.facts.generated(request);
    const value = made && generatedValues(request, made);
    if (value === undefined) {
      if (gate === undefined) round.generate.push(request);
      return undefined;
    }
    round.kept.push(request);
    const renewal = renewalOf(request, made!);
    if (renewal !== undefined) {
      if (renewal <= round.facts.now) round.generate.push(request);
      else round.requeue(renewal - round.facts.now);
    }
    return value;
  });
  if (values.includes(undefined)) {
    absent = gate ?? absent;
    round.wait(entry, absent);
  }
  round.settleItems(entry, items, values, () => READY, absent);
}

function generateRequest(round: Round, entry: RandomEntry | X509Entry, item: Item): GenerateRequest {
  const metadata = ownValue(round.instance, 'metadata');
  const own = isJsonObject(metadata) ? String(metadata['name'] ?? '') : '';
  const id = item.key === '' ? entry.id : `${entry.id}/${item.key}`;
  const given = givenNamespace(round, entry.secret.namespace, item);
  const namespace = given ?? round.instanceNamespace();
  if (namespace === undefined)
    throw new Unresolved('failed', 'the instance is in no namespace: say where the Secret is with secret.namespace', entry.path);
  const suffix = `${entry.id}${item.key === '' ? '' : `-${item.key}`}`.toLowerCase().replace(/[^a-z0-9-.]/g, '-');
  const name = entry.secret.name === undefined ? `${own}-${suffix}` : round.text(entry.secret.name, item);
  checkName(name, 'the name of a Secret', entry.secret.name?.path ?? entry.path);
  const secret = { namespace, name };
  return entry.kind === 'random'
    ? randomRequest(entry, id, secret)
    : x509Request(entry, id, secret, round.evaluation.render(entry.subject, item.locals), round.instanceNamespace());
}
