import { isJsonObject, type Json, type JsonObject, ownValue } from '../../../../engine/object/json.ts';
import type { FieldError } from '../field-error.ts';
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
        checkAttributes(object, 'SelfSubjectAccessReview');
        return decide(object, requester);
      },
    ],
    [
      `${GROUP}/subjectaccessreviews`,
      async ({ object }) => {
        checkAttributes(object, 'SubjectAccessReview');
        return decide(object, subjectOf(object, 'SubjectAccessReview'));
      },
    ],
    [
      `${GROUP}/localsubjectaccessreviews`,
      async ({ object, namespace }) => {
        checkAttributes(object, 'LocalSubjectAccessReview');
        const wanted = attributesOf(specOf(object), subjectOf(object, 'LocalSubjectAccessReview')).resource?.namespace;
        if (wanted !== namespace) throw badRequest(`spec.resourceAttributes.namespace must match namespace: ${namespace}`);
        return decide(object, subjectOf(object, 'LocalSubjectAccessReview'));
      },
    ],
    [`${GROUP}/selfsubjectrulesreviews`, async (request) => rulesReview(request, authorizer)],
  ]);
}

function rulesReview({ object, requester }: VirtualRequest, authorizer: RbacAuthorizer): JsonObject {
  const namespace = text(specOf(object), 'namespace');
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

function text(object: JsonObject, field: string): string {
  const value = ownValue(object, field);
  return typeof value === 'string' ? value : '';
}

const texts = (value: Json | undefined): readonly string[] =>
  Array.isArray(value) ? value.filter((each): each is string => typeof each === 'string') : [];

function attributesOf(spec: JsonObject, requester: Requester): RequestAttributes {
  const resource = ownValue(spec, 'resourceAttributes');
  if (!isJsonObject(resource)) {
    const path = ownValue(spec, 'nonResourceAttributes');
    return { requester, verb: isJsonObject(path) ? text(path, 'verb') : '', path: isJsonObject(path) ? text(path, 'path') : '' };
  }
  return {
    requester,
    verb: text(resource, 'verb'),
    path: '',
    resource: {
      group: text(resource, 'group'),
      version: text(resource, 'version'),
      resource: text(resource, 'resource'),
      subresource: text(resource, 'subresource'),
      namespace: text(resource, 'namespace'),
      name: text(resource, 'name'),
    },
  };
}

/** Exactly one of both kinds of attributes. Kubernetes: pkg/apis/authorization/validation/validation.go. */
function checkAttributes(object: JsonObject, kind: string): void {
  const spec = specOf(object);
  const resource = isJsonObject(spec['resourceAttributes']);
  const path = isJsonObject(spec['nonResourceAttributes']);
  if (resource !== path) return;
  const error: FieldError = resource
    ? {
        type: 'FieldValueInvalid',
        field: 'spec.nonResourceAttributes',
        body: 'Invalid value: cannot be specified in combination with resourceAttributes',
      }
    : {
        type: 'FieldValueInvalid',
        field: 'spec.resourceAttributes',
        body: 'Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified',
      };
  throw invalid(GROUP, kind, '', [error]);
}

function subjectOf(object: JsonObject, kind: string): Requester {
  const spec = specOf(object);
  const username = text(spec, 'user');
  const groups = texts(spec['groups']);
  if (username === '' && groups.length === 0) {
    const error: FieldError = {
      type: 'FieldValueInvalid',
      field: 'spec.user',
      body: 'Invalid value: "": at least one of user or group must be specified',
    };
    throw invalid(GROUP, kind, '', [error]);
  }
  return { username, groups };
}
