import { isJsonObject, type JsonObject, ownText, ownValue } from '../../object/json.ts';
import { parseLabelSelector } from '../../object/label-selector.ts';
import type { AdmissionFacts, AuthorizationAnswer, AuthorizationAttributes } from './decision.ts';

export interface RecordedFactsOptions {
  /** Namespaces of which nothing is recorded exist, with the label that Kubernetes gives each. Default: true. */
  readonly assumeNamespaces?: boolean;
  /** Told of each answer that was assumed because nothing is recorded about it: `namespace shop`, `whether alice may get pods`. */
  readonly onAssumed?: (what: string) => void;
}

/**
 * The facts that a set of Kubernetes objects answers: objects by name, lists by label, and authorization by recorded
 * SubjectAccessReviews, whose open fields hold for any value. What is not among the objects does not exist.
 */
export function recordedFacts(
  objects: readonly JsonObject[],
  { assumeNamespaces = true, onAssumed }: RecordedFactsOptions = {},
): AdmissionFacts {
  const byName = new Map<string, JsonObject>();
  const byKind = new Map<string, JsonObject[]>();
  const reviews: JsonObject[] = [];
  for (const object of objects) {
    if (ownText(object, 'kind') === 'SubjectAccessReview') {
      reviews.push(object);
      continue;
    }
    const kind = kindKey(ownText(object, 'apiVersion'), ownText(object, 'kind'));
    const metadata = ownValue(object, 'metadata');
    byName.set(nameKey(kind, ownText(metadata, 'namespace'), ownText(metadata, 'name')), object);
    const list = byKind.get(kind);
    if (list === undefined) byKind.set(kind, [object]);
    else list.push(object);
  }
  return {
    namespace(name) {
      const found = byName.get(nameKey('v1/Namespace', '', name));
      if (found !== undefined || !assumeNamespaces) return found ?? null;
      onAssumed?.(`namespace ${name}: it has no label but its name`);
      return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: { 'kubernetes.io/metadata.name': name } } };
    },
    object: ({ apiVersion, kind, namespace, name }) => byName.get(nameKey(kindKey(apiVersion, kind), namespace ?? '', name)) ?? null,
    list({ apiVersion, kind, namespace, labelSelector }) {
      const parsed = parseLabelSelector(labelSelector ?? '');
      if (!parsed.ok) return [];
      return (byKind.get(kindKey(apiVersion, kind)) ?? []).filter((object) => {
        const metadata = ownValue(object, 'metadata');
        if (namespace && ownText(metadata, 'namespace') !== namespace) return false;
        const labels = isJsonObject(metadata) ? ownValue(metadata, 'labels') : undefined;
        return parsed.selector.matches(isJsonObject(labels) ? labels : undefined);
      });
    },
    authorize(attributes) {
      const answer = answerOf(reviews, attributes);
      if (answer !== undefined) return answer;
      const { user, verb, path, resource } = attributes;
      onAssumed?.(`a SubjectAccessReview: ${user.username ?? 'nobody'} may not ${verb} ${path ?? resource ?? ''}`.trimEnd());
      return { allowed: false, reason: 'nothing is recorded about it' };
    },
  };
}

const RESOURCE_FIELDS = ['verb', 'group', 'version', 'resource', 'subresource', 'namespace', 'name'] as const;
const PATH_FIELDS = ['verb', 'path'] as const;

function answerOf(reviews: readonly JsonObject[], attributes: AuthorizationAttributes): AuthorizationAnswer | undefined {
  for (const review of reviews) {
    const spec = ownValue(review, 'spec');
    if (!isJsonObject(spec)) continue;
    const isPath = attributes.path !== undefined;
    const asked = ownValue(spec, isPath ? 'nonResourceAttributes' : 'resourceAttributes');
    const user = ownText(spec, 'user');
    if (asked === undefined || (user !== '' && user !== attributes.user.username)) continue;
    const fields: readonly (keyof AuthorizationAttributes)[] = isPath ? PATH_FIELDS : RESOURCE_FIELDS;
    if (!fields.every((name) => ownText(asked, name) === '' || ownText(asked, name) === (attributes[name] ?? ''))) continue;
    const status = ownValue(review, 'status');
    const allowed = isJsonObject(status) && ownValue(status, 'allowed') === true;
    const error = ownText(status, 'evaluationError');
    return { allowed, reason: ownText(status, 'reason'), ...(error === '' ? {} : { error }) };
  }
  return undefined;
}

const kindKey = (apiVersion: string, kind: string): string => `${apiVersion}/${kind}`;
const nameKey = (kind: string, namespace: string, name: string): string => JSON.stringify([kind, namespace, name]);
