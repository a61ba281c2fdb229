import { isJsonObject, type Json, type JsonObject } from '../../object/json.ts';
import type { CompiledRule } from './compiled-rule.ts';
import { conditionsOf } from './conditions.ts';
import { durationOf } from './durations.ts';
import type { Entry, RuleTemplate } from './entry.ts';
import { Unresolved } from './evaluation.ts';
import { itemsOf } from './items.ts';
import { kroConditions, withState } from './kro/conditions.ts';
import type { ReconcileAnswer, ReconcileFacts } from './program.ts';
import { resolveCalls } from './resolve-calls.ts';
import { resolveExternal } from './resolve-external.ts';
import { resolveGenerated } from './resolve-generated.ts';
import { resolveTemplates } from './resolve-templates.ts';
import { Round } from './round.ts';
import { renderStatus } from './status.ts';

/**
 * What should be true for an instance, given the facts. Pure: the same instance and facts give the same answer. Facts that are not
 * known yet are asked for, all of them that can be told at once.
 */
export function reconcile(rule: CompiledRule, instance: JsonObject, facts: ReconcileFacts): ReconcileAnswer {
  return answer(new Round(rule, instance, facts));
}

function answer(round: Round): ReconcileAnswer {
  for (const entry of round.rule.entries) resolveEntry(round, entry);
  const { objects, queries, scopes } = round.needs;
  if (objects.length + queries.length + scopes.length > 0) return { kind: 'needs', needs: round.needs };
  const rendered = statusOf(round);
  const own = round.rule.conditions.map((condition) => conditionOf(round, condition));
  readRequeueAfter(round);
  const failed = round.failures.length > 0;
  const conditions = [...own, ...conditionsOf(round.verdicts, round.waiting, round.failures)];
  const kro = round.rule.source.ruleKind === 'ResourceGraphDefinition';
  const plan = {
    objects: round.objects,
    waiting: round.waiting,
    retain: [...round.retain],
    generate: round.generate,
    kept: round.kept,
    calls: round.calls,
    undo: round.undo,
    revoked: round.revoked,
    status: kro ? withState(rendered, conditions, failed) : rendered,
    conditions: kro ? kroConditions(conditions, failed) : conditions,
    requeueAfter: round.requeueAfter,
    failures: round.failures,
  };
  return { kind: 'plan', plan, reads: round.reads };
}

function resolveEntry(round: Round, entry: Entry): void {
  try {
    if (!entry.when.every((condition) => round.evaluation.evaluate(condition) === true)) {
      round.exclude(entry);
      return;
    }
    const items = itemsOf(entry, round.evaluation);
    switch (entry.kind) {
      case 'template':
      case 'patch':
        resolveTemplates(round, entry, items);
        break;
      case 'external':
        resolveExternal(round, entry, items);
        break;
      case 'random':
      case 'x509':
        resolveGenerated(round, entry, items);
        break;
      case 'call':
        resolveCalls(round, entry, items);
        break;
    }
  } catch (error) {
    if (!(error instanceof Unresolved)) throw error;
    if (error.kind === 'excluded') round.exclude(entry);
    else {
      round.explain(entry, error);
      round.settle(entry, { kind: 'unknown', reason: error.reason }, undefined);
    }
  }
}

function statusOf(round: Round): JsonObject | undefined {
  const { status } = round.rule;
  if (status === undefined) return undefined;
  const rendered = renderStatus(status, (leaf) => renderOr(round, leaf, undefined));
  return isJsonObject(rendered) ? rendered : {};
}

/** A template for a reader: nothing where what it reads is not there. */
function renderOr(round: Round, template: RuleTemplate, otherwise: Json | undefined): Json | undefined {
  try {
    return round.evaluation.render(template, undefined, true);
  } catch (error) {
    if (!(error instanceof Unresolved)) throw error;
    if (error.kind === 'failed') round.failures.push({ path: error.path, message: error.reason });
    return otherwise;
  }
}

function conditionOf(round: Round, { type, expression, reason, message }: CompiledRule['conditions'][number]) {
  const words = (template: RuleTemplate | undefined, otherwise: string): string => {
    const rendered = template === undefined ? undefined : renderOr(round, template, undefined);
    return typeof rendered === 'string' && rendered !== '' ? rendered : otherwise;
  };
  try {
    const holds = round.evaluation.evaluate(expression, undefined, true) === true;
    const status = holds ? ('True' as const) : ('False' as const);
    return { type, status, reason: words(reason, holds ? type : `Not${type}`), message: words(message, '') };
  } catch (error) {
    if (!(error instanceof Unresolved)) throw error;
    if (error.kind === 'failed') round.failures.push({ path: error.path, message: error.reason });
    return { type, status: 'Unknown' as const, reason: error.kind === 'failed' ? 'Failed' : 'Waiting', message: error.reason };
  }
}

function readRequeueAfter(round: Round): void {
  const { requeueAfter } = round.rule;
  if (requeueAfter === undefined) return;
  const rendered = renderOr(round, requeueAfter, undefined);
  if (rendered === undefined || rendered === null) return;
  const milliseconds = durationOf(rendered);
  if (milliseconds === undefined)
    round.failures.push({ path: requeueAfter.path, message: `expected a duration, as 5m, found ${JSON.stringify(rendered)}` });
  else round.requeue(milliseconds);
}
