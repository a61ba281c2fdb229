import type { JsonObject } from '../../engine/object/json.ts';
import { ApiError } from '../kubernetes/api-error.ts';
import { releasePartial } from './apply.ts';
import type { Environment, RuleIdentity } from './environment.ts';
import { CHILDREN } from './facts.ts';
import { NO_FIELDS } from './field-demand.ts';
import { type Inventory, parseKind, shortReference } from './inventory.ts';
import type { KindSource } from './kind-source.ts';
import { type Bookkeeping, isDeleting, nameOf, namespaceOf, readBookkeeping, releasePatch, ruleLabel, uidOf } from './ownership.ts';
import { type Problem, problemOf } from './problem.ts';
import { nextToDelete } from './removal-order.ts';
import { isGone, isPreconditionFailure, placeOf, typeOf, WritingStopped } from './writer.ts';

/** An object that a rule made for an instance. */
export interface Child {
  readonly object: JsonObject;
  readonly source: KindSource;
  readonly mark: Bookkeeping;
  readonly level: number;
  readonly deleting: boolean;
}

export interface ChildrenOf {
  readonly children: readonly Child[];
  /** Sources that do not know everything yet: the list may lack objects. */
  readonly pending: readonly KindSource[];
}

/** Everything that exists for an instance, by its inventory and the labels of objects: without the rule. */
export function childrenOf(env: Environment, rule: RuleIdentity, holder: string, instanceUid: string, inventory: Inventory): ChildrenOf {
  const children: Child[] = [];
  const pending: KindSource[] = [];
  const label = ruleLabel(rule.name);
  for (const text of inventory.kinds) {
    const { apiVersion, kind } = parseKind(text);
    const source = env.sources.hold(holder, { apiVersion, kind, labelSelector: CHILDREN }, NO_FIELDS);
    if (source.state === 'starting') pending.push(source);
    for (const object of source.ofInstance(instanceUid)) {
      const mark = readBookkeeping(object);
      if (mark?.rule !== label) continue;
      children.push({ object, source, mark, level: mark.level, deleting: isDeleting(object) });
    }
  }
  return { children, pending };
}

export interface RemovalOutcome {
  /** Objects that still exist, going or waiting for their level. */
  readonly left: number;
  readonly problems: readonly Problem[];
}

/**
 * Takes one step towards having these objects gone: lets go of those that are orphaned, and deletes the highest level of the rest.
 * Never deletes an object other than the very one that was seen.
 */
export async function removeChildren(env: Environment, children: readonly Child[]): Promise<RemovalOutcome> {
  const problems: Problem[] = [];
  let left = 0;
  const attempt = async (child: Child, verb: string, act: () => Promise<boolean>): Promise<void> => {
    try {
      if (!(await act())) left++;
    } catch (error) {
      if (error instanceof WritingStopped) throw error;
      if (isGone(error)) return child.source.gone(child.object);
      left++;
      // Another version of it, or another object of its name: the watch will say which.
      if (!isPreconditionFailure(error))
        problems.push(problemOf(error, verb, shortReference({ ...typeOf(child.object), ...placeOf(child.object) })));
    }
  };
  const orphans = children.filter(({ mark, deleting }) => mark.deletion === 'Orphan' && !deleting);
  await Promise.all(orphans.map((child) => attempt(child, 'release', () => release(env, child))));
  const leaving = children.filter((child) => !orphans.includes(child));
  const now = nextToDelete(leaving);
  const lowest = Math.min(...leaving.map(({ level }) => level));
  await Promise.all(now.map((child) => attempt(child, 'delete', () => remove(env, child, child.level > lowest))));
  return { left: left + leaving.length - now.length, problems };
}

/** Answers whether it is gone for us. */
async function release(env: Environment, { object, source }: Child): Promise<boolean> {
  const { apiVersion, kind } = typeOf(object);
  await env.writer.patch(apiVersion, kind, placeOf(object), 'merge', releasePatch(object));
  source.gone(object);
  return true;
}

async function remove(env: Environment, { object, source }: Child, othersWait: boolean): Promise<boolean> {
  const { apiVersion, kind } = typeOf(object);
  const answer = await env.writer.delete(apiVersion, kind, placeOf(object), {
    preconditions: { uid: uidOf(object) },
    // What a lower level is needed by includes what the object's own controller made of it.
    propagationPolicy: othersWait ? 'Foreground' : 'Background',
  });
  if (answer !== null && answer['kind'] === object['kind'] && isDeleting(answer)) {
    source.wrote(answer);
    return false;
  }
  source.gone(object);
  return true;
}

/** Lets go of fields on foreign objects. */
export async function releasePartials(
  env: Environment,
  rule: RuleIdentity,
  instance: JsonObject,
  partial: Inventory['partial'],
): Promise<readonly Problem[]> {
  const problems: Problem[] = [];
  for (const reference of partial) {
    try {
      await releasePartial(env, rule, instance, reference);
    } catch (error) {
      if (error instanceof WritingStopped) throw error;
      // Gone, or made anew: then our fields are gone with it.
      if (error instanceof ApiError && (error.status === 404 || isPreconditionFailure(error))) continue;
      problems.push(problemOf(error, 'release fields of', shortReference(reference)));
    }
  }
  return problems;
}

export const childReference = ({ object }: Child): string => {
  const { apiVersion, kind } = typeOf(object);
  return `${apiVersion}/${kind} ${namespaceOf(object) === '' ? '' : `${namespaceOf(object)}/`}${nameOf(object)}`;
};
