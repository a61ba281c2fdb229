import { isJsonObject, type Json, type JsonObject, ownValue } from '../../engine/object/json.ts';
import { ApiError } from '../kubernetes/api-error.ts';
import type { RuleIdentity } from './environment.ts';
import { ruleLabel } from './ownership.ts';
import { isGone, type Writer } from './writer.ts';

/** A rule whose instances may still need cleaning up, whether it exists or not. */
export interface RegisteredRule extends RuleIdentity {
  /** Kind of the instances. */
  readonly apiVersion: string;
  readonly kind: string;
  readonly labelSelector: string;
}

/**
 * All rules that ever had instances, in a ConfigMap: written before the first of a rule is touched. A rule that has gone from the bundle
 * is still known by it, so that its instances can be deleted.
 */
export interface RuleRegistry {
  readonly rules: ReadonlyMap<string, RegisteredRule>;
  register(rule: RegisteredRule): Promise<void>;
  unregister(name: string): Promise<void>;
}

export async function openRuleRegistry(writer: Writer, namespace: string, name: string): Promise<RuleRegistry> {
  const place = { namespace, name };
  const existing = await writer.get('v1', 'ConfigMap', place);
  const rules = readRules(existing);
  let exists = existing !== null;
  let writing: Promise<void> = Promise.resolve();

  async function put(key: string, value: string | null): Promise<void> {
    const data = { [key]: value };
    try {
      if (exists) await writer.patch('v1', 'ConfigMap', place, 'merge', { data });
      else if (value !== null) await writer.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name }, data });
      exists = true;
    } catch (error) {
      // Somebody has made it or taken it away since.
      const other = exists ? isGone(error) : error instanceof ApiError && error.reason === 'AlreadyExists';
      if (!other) throw error;
      exists = !exists;
      return put(key, value);
    }
  }

  /** One write at a time; a failure is that caller's alone. */
  function inTurn(act: () => Promise<void>): Promise<void> {
    const turn = writing.then(act);
    writing = turn.catch(() => {});
    return turn;
  }

  return {
    rules,
    register: (rule) =>
      inTurn(async () => {
        const text = JSON.stringify(rule);
        if (JSON.stringify(rules.get(rule.name)) === text) return;
        await put(ruleLabel(rule.name), text);
        rules.set(rule.name, rule);
      }),
    unregister: (rule) =>
      inTurn(async () => {
        if (!rules.has(rule)) return;
        await put(ruleLabel(rule), null);
        rules.delete(rule);
      }),
  };
}

function readRules(map: JsonObject | null): Map<string, RegisteredRule> {
  const found = new Map<string, RegisteredRule>();
  const data = map === null ? undefined : ownValue(map, 'data');
  if (!isJsonObject(data)) return found;
  for (const text of Object.values(data)) {
    try {
      const value = JSON.parse(String(text)) as Json;
      if (!isJsonObject(value)) continue;
      const field = (name: string): string => String(ownValue(value, name) ?? '');
      const rule = {
        name: field('name'),
        fieldManager: field('fieldManager'),
        apiVersion: field('apiVersion'),
        kind: field('kind'),
        labelSelector: field('labelSelector'),
      };
      if (rule.name !== '' && rule.kind !== '') found.set(rule.name, rule);
    } catch {
      // Written by hand and not readable: what it stood for is not known.
    }
  }
  return found;
}
