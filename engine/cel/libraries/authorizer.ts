import type { CallEstimator, Library, OperandEstimate } from '../function.ts';
import { actualSize } from '../run/actual-size.ts';
import { BOOL, type CelType, opaque, STRING } from '../types.ts';
import { CelError, type CelValue, Opaque } from '../values.ts';
import {
  addEstimates,
  fixedEstimate,
  LIST_CREATION_COST,
  pricedByName,
  STRING_TRAVERSAL_FACTOR,
  STRUCT_CREATION_COST,
  scaleEstimate,
  UNIT_PRICE,
} from './call-cost.ts';
import { declare, memberOverload } from './declare.ts';
import { validateDns1123Label, validateDns1123Subdomain } from './format/names.ts';

/** A user as Kubernetes' authenticator describes one: who an authorization question is about. */
export interface UserInfo {
  readonly username?: string;
  readonly uid?: string;
  readonly groups?: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** One question to the cluster's authorizer, as a SubjectAccessReview puts it: either about a path or about a resource. */
export interface AuthorizationAttributes {
  readonly user: UserInfo;
  readonly verb: string;
  readonly path?: string;
  readonly group?: string;
  readonly version?: string;
  readonly resource?: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
  /** As written in the expression; what can't be parsed is for the authorizer to ignore or refuse. */
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
}

export interface AuthorizationAnswer {
  readonly allowed: boolean;
  readonly reason: string;
  readonly error?: string;
}

/** Answers immediately, or undefined where the answer has to be fetched first. May throw a {@link CelError} of its own. */
export type Authorize = (question: AuthorizationAttributes) => AuthorizationAnswer | undefined;

/** What `check` throws when the answer is not known: the host fetches it and evaluates again. */
export class AuthorizationNeeded extends CelError {
  readonly question: AuthorizationAttributes;
  constructor(question: AuthorizationAttributes) {
    super('an authorization decision is not known yet', 'needs-fact');
    this.question = question;
  }
}

/** Values of the authorizer's types have no equality of their own: the API server answers `no such overload`. */
abstract class AuthorizationValue extends Opaque {
  equals(): boolean | undefined {
    return undefined;
  }

  toString(): string {
    return this.typeName;
  }
}

/** `authorizer`, and `authorizer.serviceAccount(namespace, name)`. */
export class AuthorizerValue extends AuthorizationValue {
  readonly typeName = 'kubernetes.authorization.Authorizer';
  readonly user: UserInfo;
  readonly authorize: Authorize;
  constructor(user: UserInfo, authorize: Authorize) {
    super();
    this.user = user;
    this.authorize = authorize;
  }
}

class PathCheck extends AuthorizationValue {
  readonly typeName = 'kubernetes.authorization.PathCheck';
  readonly authorizer: AuthorizerValue;
  readonly path: string;
  constructor(authorizer: AuthorizerValue, path: string) {
    super();
    this.authorizer = authorizer;
    this.path = path;
  }
}

class GroupCheck extends AuthorizationValue {
  readonly typeName = 'kubernetes.authorization.GroupCheck';
  readonly authorizer: AuthorizerValue;
  readonly group: string;
  constructor(authorizer: AuthorizerValue, group: string) {
    super();
    this.authorizer = authorizer;
    this.group = group;
  }
}

/** What a resource check asks about; every field may be set later in the chain. */
export interface ResourceAttributes {
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
}

/** `authorizer.group(g).resource(r)`, and `authorizer.requestResource`. */
export class ResourceCheckValue extends AuthorizationValue {
  readonly typeName = 'kubernetes.authorization.ResourceCheck';
  readonly authorizer: AuthorizerValue;
  readonly attributes: ResourceAttributes;
  constructor(authorizer: AuthorizerValue, attributes: ResourceAttributes) {
    super();
    this.authorizer = authorizer;
    this.attributes = attributes;
  }
}

class DecisionValue extends AuthorizationValue {
  readonly typeName = 'kubernetes.authorization.Decision';
  readonly decision: AuthorizationAnswer;
  constructor(decision: AuthorizationAnswer) {
    super();
    this.decision = decision;
  }
}

const AUTHORIZER_TYPE = opaque('kubernetes.authorization.Authorizer');
const PATH_CHECK_TYPE = opaque('kubernetes.authorization.PathCheck');
const GROUP_CHECK_TYPE = opaque('kubernetes.authorization.GroupCheck');
const RESOURCE_CHECK_TYPE = opaque('kubernetes.authorization.ResourceCheck');
const DECISION_TYPE = opaque('kubernetes.authorization.Decision');

/** Types of the variables that admission expressions have. */
export const AUTHORIZER_VARIABLES: Readonly<Record<'authorizer' | 'authorizer.requestResource', CelType>> = {
  authorizer: AUTHORIZER_TYPE,
  'authorizer.requestResource': RESOURCE_CHECK_TYPE,
};

function ask(authorizer: AuthorizerValue, question: AuthorizationAttributes): DecisionValue {
  const decision = authorizer.authorize(question);
  if (decision === undefined) throw new AuthorizationNeeded(question);
  return new DecisionValue(decision);
}

const checkPath = (check: PathCheck, verb: string): DecisionValue =>
  ask(check.authorizer, { user: check.authorizer.user, verb, path: check.path });

function checkResource(check: ResourceCheckValue, verb: string): DecisionValue {
  const { group, resource, ...rest } = check.attributes;
  const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined && value !== ''));
  return ask(check.authorizer, { user: check.authorizer.user, verb, group, version: '*', resource, ...given });
}

function serviceAccount(authorizer: AuthorizerValue, namespace: string, name: string): AuthorizerValue {
  if (validateDns1123Subdomain(name).length > 0) throw new CelError('Invalid service account name');
  if (validateDns1123Label(namespace).length > 0) throw new CelError('Invalid service account namespace');
  const user = {
    username: `system:serviceaccount:${namespace}:${name}`,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`],
  };
  return new AuthorizerValue(user, authorizer.authorize);
}

function nonBlank(value: string, what: string): string {
  if (value.trim() === '') throw new CelError(`${what} must not be empty`);
  return value;
}

/** A check costs so much that an expression may make two of them. */
const CHECK_PRICE = pricedByName(
  () => 350_000,
  () => ({ cost: fixedEstimate(350_000) }),
);

/** Parsing, and half a requirement per character. */
const selectorCost = (size: { readonly min: number; readonly max: number }) =>
  addEstimates(
    addEstimates(fixedEstimate(LIST_CREATION_COST), scaleEstimate(size, STRING_TRAVERSAL_FACTOR)),
    scaleEstimate(scaleEstimate(size, 0.5), LIST_CREATION_COST + STRUCT_CREATION_COST),
  );
const selectorEstimate: CallEstimator = ([, text]) => ({ cost: selectorCost((text as OperandEstimate).size) });
const SELECTOR_PRICE = pricedByName(([, text]) => selectorCost(fixedEstimate(actualSize(text as CelValue))).max, selectorEstimate);

const refinement = (name: keyof ResourceAttributes, id: string, price = UNIT_PRICE) =>
  declare(
    name,
    memberOverload(
      id,
      [RESOURCE_CHECK_TYPE, STRING],
      RESOURCE_CHECK_TYPE,
      (check: ResourceCheckValue, value: string) => new ResourceCheckValue(check.authorizer, { ...check.attributes, [name]: value }),
      price,
    ),
  );

const property = (name: string, result: CelType, read: (decision: AuthorizationAnswer) => CelValue) =>
  declare(
    name,
    memberOverload(`decision_${name}`, [DECISION_TYPE], result, (value: DecisionValue) => read(value.decision), UNIT_PRICE),
  );

/** Asking the cluster's authorizer. Kubernetes: pkg/cel/library/authz.go. */
export const AUTHORIZER_LIBRARY: Library = {
  name: 'kubernetes.authz',
  functions: [
    declare(
      'path',
      memberOverload(
        'authorizer_path',
        [AUTHORIZER_TYPE, STRING],
        PATH_CHECK_TYPE,
        (authorizer: AuthorizerValue, path: string) => new PathCheck(authorizer, nonBlank(path, 'path')),
        UNIT_PRICE,
      ),
    ),
    declare(
      'group',
      memberOverload(
        'authorizer_group',
        [AUTHORIZER_TYPE, STRING],
        GROUP_CHECK_TYPE,
        (authorizer: AuthorizerValue, group: string) => new GroupCheck(authorizer, group),
        UNIT_PRICE,
      ),
    ),
    declare(
      'serviceAccount',
      memberOverload('authorizer_serviceaccount', [AUTHORIZER_TYPE, STRING, STRING], AUTHORIZER_TYPE, serviceAccount, UNIT_PRICE),
    ),
    declare(
      'resource',
      memberOverload(
        'groupcheck_resource',
        [GROUP_CHECK_TYPE, STRING],
        RESOURCE_CHECK_TYPE,
        (check: GroupCheck, resource: string) =>
          new ResourceCheckValue(check.authorizer, { group: check.group, resource: nonBlank(resource, 'resource') }),
        UNIT_PRICE,
      ),
    ),
    refinement('subresource', 'resourcecheck_subresource'),
    refinement('namespace', 'resourcecheck_namespace'),
    refinement('name', 'resourcecheck_name'),
    declare(
      'check',
      memberOverload('pathcheck_check', [PATH_CHECK_TYPE, STRING], DECISION_TYPE, checkPath, CHECK_PRICE),
      memberOverload('resourcecheck_check', [RESOURCE_CHECK_TYPE, STRING], DECISION_TYPE, checkResource, CHECK_PRICE),
    ),
    property('errored', BOOL, (decision) => decision.error !== undefined),
    property('error', STRING, (decision) => decision.error ?? ''),
    property('allowed', BOOL, (decision) => decision.allowed),
    property('reason', STRING, (decision) => decision.reason),
  ],
};

/** The selectors of a resource check. Kubernetes: pkg/cel/library/authz.go AuthzSelectors. */
export const AUTHORIZER_SELECTORS_LIBRARY: Library = {
  name: 'kubernetes.authzSelectors',
  functions: [
    refinement('fieldSelector', 'authorizer_fieldselector', SELECTOR_PRICE),
    refinement('labelSelector', 'authorizer_labelselector', SELECTOR_PRICE),
  ],
};
