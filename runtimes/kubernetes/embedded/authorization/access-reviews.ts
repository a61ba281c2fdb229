import { isJsonObject, type Json, type JsonObject, ownText, ownValue } from '../../../../engine/object/json.ts';
import { type FieldError, fieldInvalid } from '../field-error.ts';
import type { RequestAttributes, VirtualCreate, VirtualPath, VirtualRequest } from '../hooks.ts';
import type { Requester } from '../registry.ts';
import { badRequest, invalid } from '../status-error.ts';
import type { PolicyRule } from './kinds.ts';
import type { RbacAuthorizer } from './rbac-authorizer.ts';

const GROUP = 'authorization.k8s.io';

/** The questions that clients may put to the authorizer. Kubernetes: pkg/registry/authorization. */
export function accessReviews(authorizer: RbacAuthorizer): ReadonlyMap<VirtualPath, VirtualCreate> {
  const decide = (object: JsonObject, requester: Requester): JsonObject => {
    const { allowed, reason } = authorizer.decide(attributesOf(specOf(object), requester));
    return { ...object, status: { allowed, ...(reason === '' ? {} : { reason }) } };
  };
  return new Map<VirtualPath, VirtualCreate>([
    [
      `${GROUP}/selfsubjectaccessreviews`,
      async ({ object, requester }) => {
        checkReview(object, false);
        return decide(object, requester);
      },
    ],
    [
      `${GROUP}/subjectaccessreviews`,
      async ({ object }) => {
        checkReview(object, true);
        return decide(object, subjectOf(object));
      },
    ],
    [
      `${GROUP}/localsubjectaccessreviews`,
      async ({ object, namespace }) => {
        checkReview(object, true);
        const wanted = attributesOf(specOf(object), subjectOf(object)).resource?.namespace;
        if (wanted !== namespace) throw badRequest(`spec.resourceAttributes.namespace must match namespace: ${namespace}`);
        return decide(object, subjectOf(object));
      },
    ],
    [`${GROUP}/selfsubjectrulesreviews`, async (request) => rulesReview(request, authorizer)],
  ]);
}

function rulesReview({ object, requester }: VirtualRequest, authorizer: RbacAuthorizer): JsonObject {
  const namespace = ownText(specOf(object), 'namespace');
  if (namespace === '') throw badRequest('no namespace on request');
  const rules = authorizer.rulesOf(requester, namespace);
  const isForPaths = ({ nonResourceURLs }: PolicyRule): boolean => (nonResourceURLs?.length ?? 0) > 0;
  const resourceRules = rules
    .filter((rule) => !isForPaths(rule))
    .map(({ verbs, apiGroups = [], resources = [], resourceNames }) => ({
      verbs,
      apiGroups,
      resources,
      ...(resourceNames === undefined ? {} : { resourceNames }),
    }));
  const nonResourceRules = rules.filter(isForPaths).map(({ verbs, nonResourceURLs = [] }) => ({ verbs, nonResourceURLs }));
  return { ...object, status: { resourceRules, nonResourceRules, incomplete: false } };
}

const specOf = (object: JsonObject): JsonObject => (isJsonObject(object['spec']) ? object['spec'] : {});

const texts = (value: Json | undefined): readonly string[] =>
  Array.isArray(value) ? value.filter((each): each is string => typeof each === 'string') : [];

function attributesOf(spec: JsonObject, requester: Requester): RequestAttributes {
  const resource = ownValue(spec, 'resourceAttributes');
  if (!isJsonObject(resource)) {
    const path = ownValue(spec, 'nonResourceAttributes');
    return { requester, verb: isJsonObject(path) ? ownText(path, 'verb') : '', path: isJsonObject(path) ? ownText(path, 'path') : '' };
  }
  return {
    requester,
    verb: ownText(resource, 'verb'),
    path: '',
    resource: {
      group: ownText(resource, 'group'),
      version: ownText(resource, 'version'),
      resource: ownText(resource, 'resource'),
      subresource: ownText(resource, 'subresource'),
      namespace: ownText(resource, 'namespace'),
      name: ownText(resource, 'name'),
    },
  };
}

/**
 * Exactly one of both kinds of attributes, and somebody to ask about. Kubernetes: pkg/apis/authorization/validation/validation.go; its
 * errors name no kind.
 */
function checkReview(object: JsonObject, needsSubject: boolean): void {
  const spec = specOf(object);
  const errors: FieldError[] = [];
  const path = ownValue(spec, 'nonResourceAttributes');
  if (isJsonObject(spec['resourceAttributes'] ?? null) === isJsonObject(path ?? null)) {
    const found = path !== undefined && isJsonObject(path) ? { Path: ownText(path, 'path'), Verb: ownText(path, 'verb') } : null;
    errors.push(fieldInvalid('spec', found, 'exactly one of nonResourceAttributes or resourceAttributes must be specified'));
  }
  const { username, groups } = subjectOf(object);
  if (needsSubject && username === '' && groups.length === 0) {
    errors.push(fieldInvalid('spec.user', '', 'at least one of user or group must be specified'));
  }
  if (errors.length > 0) throw invalid(GROUP, '', '', errors);
}

function subjectOf(object: JsonObject): Requester {
  const spec = specOf(object);
  return { username: ownText(spec, 'user'), groups: texts(spec['groups']) };
}
