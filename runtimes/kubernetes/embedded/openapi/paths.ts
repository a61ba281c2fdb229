import type { Json, JsonObject } from '../../../../engine/object/json.ts';
import type { ResourceDefinition } from '../kinds/definition.ts';

/** How a document names the schemas that requests and answers carry. */
export interface PathSchemas {
  /** `$ref` of a kind's definition. */
  ofKind(group: string, version: string, kind: string): JsonObject;
  readonly status: JsonObject;
  readonly patch: JsonObject;
  readonly deleteOptions: JsonObject;
  readonly watchEvent: JsonObject;
}

type Operation = 'get' | 'post' | 'put' | 'patch' | 'delete';

const MEDIA_TYPES = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'];
const PATCH_TYPES = ['application/apply-patch+yaml', 'application/json-patch+json', 'application/merge-patch+json'];
const STRATEGIC = 'application/strategic-merge-patch+json';

const text = (name: string): Parameter => ({ name, type: 'string' });
const number = (name: string): Parameter => ({ name, type: 'integer' });
const flag = (name: string): Parameter => ({ name, type: 'boolean' });

interface Parameter {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'boolean';
}

const LIST = [
  flag('allowWatchBookmarks'),
  text('continue'),
  text('fieldSelector'),
  text('labelSelector'),
  number('limit'),
  text('resourceVersion'),
  text('resourceVersionMatch'),
  flag('sendInitialEvents'),
  number('timeoutSeconds'),
  flag('watch'),
];
const WRITE = [text('dryRun'), text('fieldManager'), text('fieldValidation')];
const DELETE = [text('dryRun'), number('gracePeriodSeconds'), flag('orphanDependents'), text('propagationPolicy')];

/**
 * The paths of a resource in OpenAPI v3, with the operations it has; v2 shares their addresses and the names of operations and
 * parameters, see {@link toV2Paths}.
 */
export function resourcePaths(definition: ResourceDefinition, schemas: PathSchemas): { readonly [path: string]: JsonObject } {
  const { group, version, resource, namespaced } = definition;
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  const base = namespaced ? `${root}/namespaces/{namespace}/${resource}` : `${root}/${resource}`;
  const paths: { [path: string]: JsonObject } = {};
  const collection = operations(definition, schemas, [
    ['list', 'get'],
    ['create', 'post'],
    ['deletecollection', 'delete'],
  ]);
  const item = operations(definition, schemas, [
    ['get', 'get'],
    ['update', 'put'],
    ['patch', 'patch'],
    ['delete', 'delete'],
  ]);
  const inNamespace = namespaced ? [pathParameter('namespace')] : [];
  if (collection !== undefined) paths[base] = { ...collection, parameters: [...inNamespace, queryParameter(text('pretty'))] };
  if (item !== undefined) {
    paths[`${base}/{name}`] = { ...item, parameters: [pathParameter('name'), ...inNamespace, queryParameter(text('pretty'))] };
  }
  if (namespaced && definition.verbs.includes('list')) {
    const all = operations(definition, schemas, [['list', 'get']], 'ForAllNamespaces');
    if (all !== undefined) paths[`${root}/${resource}`] = { ...all, parameters: [queryParameter(text('pretty'))] };
  }
  for (const sub of definition.subresourceDefinitions) {
    const its: Pick<ResourceDefinition, 'group' | 'version' | 'kind' | 'verbs'> = sub;
    const found = operations(
      { ...definition, ...its },
      schemas,
      [
        ['get', 'get'],
        ['create', 'post'],
        ['update', 'put'],
        ['patch', 'patch'],
      ],
      capital(sub.name),
      definition,
    );
    if (found === undefined) continue;
    paths[`${base}/{name}/${sub.name}`] = {
      ...found,
      parameters: [pathParameter('name'), ...inNamespace, queryParameter(text('pretty'))],
    };
  }
  return paths;
}

function operations(
  definition: ResourceDefinition,
  schemas: PathSchemas,
  verbs: readonly (readonly [verb: string, operation: Operation])[],
  suffix = '',
  parent: ResourceDefinition = definition,
): { readonly [operation: string]: JsonObject } | undefined {
  const found: { [operation: string]: JsonObject } = {};
  for (const [verb, operation] of verbs) {
    if (definition.verbs.includes(verb)) found[operation] = describe(definition, schemas, verb, suffix, parent);
  }
  return Object.keys(found).length === 0 ? undefined : found;
}

const ACTIONS: { readonly [verb: string]: readonly [action: string, id: string, words: string] } = {
  list: ['list', 'list', 'list or watch objects of kind'],
  create: ['post', 'create', 'create a'],
  deletecollection: ['deletecollection', 'deleteCollection', 'delete collection of'],
  get: ['get', 'read', 'read the specified'],
  update: ['put', 'replace', 'replace the specified'],
  patch: ['patch', 'patch', 'partially update the specified'],
  delete: ['delete', 'delete', 'delete a'],
};

function describe(
  definition: ResourceDefinition,
  schemas: PathSchemas,
  verb: string,
  suffix: string,
  parent: ResourceDefinition,
): JsonObject {
  const { group, version, kind, listKind } = definition;
  const [action, id, words] = ACTIONS[verb] as (typeof ACTIONS)[string];
  const object = verb === 'list' ? schemas.ofKind(group, version, listKind) : schemas.ofKind(group, version, kind);
  const scope = parent.namespaced && suffix !== 'ForAllNamespaces' ? 'Namespaced' : '';
  const groupName = parent.group === '' ? 'core' : (parent.group.split('.')[0] as string);
  const answer = verb === 'delete' || verb === 'deletecollection' ? schemas.status : object;
  const parameters = verb === 'list' ? LIST : verb === 'deletecollection' ? [...DELETE, ...LIST] : verb === 'delete' ? DELETE : [];
  const writes = verb === 'create' || verb === 'update' || verb === 'patch';
  const query = [...parameters, ...(writes ? WRITE : []), ...(verb === 'patch' ? [flag('force')] : [])];
  const codes = verb === 'create' ? ['200', '201', '202'] : verb === 'update' || verb === 'patch' ? ['200', '201'] : ['200'];
  const body = requestBody(definition, schemas, verb, object);
  return {
    description: `${words} ${kind}`,
    operationId: `${id}${capital(groupName)}${capital(parent.version)}${scope}${parent.kind}${suffix}`,
    tags: [`${groupName}_${parent.version}`],
    ...(query.length === 0 ? {} : { parameters: query.map(queryParameter) }),
    ...(body === undefined ? {} : { requestBody: body }),
    responses: {
      ...Object.fromEntries(codes.map((code) => [code, { description: code === '201' ? 'Created' : 'OK', content: contentOf(answer) }])),
      '401': { description: 'Unauthorized' },
    },
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': { group, version, kind },
  };
}

function requestBody(definition: ResourceDefinition, schemas: PathSchemas, verb: string, object: JsonObject): JsonObject | undefined {
  if (verb === 'create' || verb === 'update') return { content: { '*/*': { schema: object } }, required: true };
  if (verb === 'delete' || verb === 'deletecollection') return { content: { '*/*': { schema: schemas.deleteOptions } } };
  if (verb !== 'patch') return undefined;
  const types = definition.builtIn ? [...PATCH_TYPES, STRATEGIC] : PATCH_TYPES;
  return { content: Object.fromEntries(types.map((type) => [type, { schema: schemas.patch }])), required: true };
}

function contentOf(schema: JsonObject): JsonObject {
  return Object.fromEntries(MEDIA_TYPES.map((type) => [type, { schema }]));
}

function queryParameter({ name, type }: Parameter): JsonObject {
  return { in: 'query', name, schema: { type, uniqueItems: true } };
}

function pathParameter(name: string): JsonObject {
  return { in: 'path', name, required: true, schema: { type: 'string', uniqueItems: true } };
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

/** The same paths as OpenAPI v2 writes them. */
export function toV2Paths(paths: { readonly [path: string]: JsonObject }): { readonly [path: string]: JsonObject } {
  return Object.fromEntries(Object.entries(paths).map(([path, item]) => [path, toV2Item(item)]));
}

function toV2Item(item: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(item).map(([key, value]) =>
      key === 'parameters' ? [key, (value as readonly JsonObject[]).map(toV2Parameter)] : [key, toV2Operation(value as JsonObject)],
    ),
  );
}

function toV2Parameter({ schema, ...parameter }: JsonObject): JsonObject {
  return { ...parameter, ...(schema as JsonObject) };
}

function toV2Operation(operation: JsonObject): JsonObject {
  const { requestBody: body, parameters = [], responses, ...rest } = operation;
  const content = (body as JsonObject | undefined)?.['content'] as { readonly [type: string]: JsonObject } | undefined;
  const types = content === undefined ? [] : Object.keys(content);
  const [first] = types;
  const bodyParameter: Json[] =
    first === undefined
      ? []
      : [{ in: 'body', name: 'body', required: (body as JsonObject)['required'] ?? false, schema: content?.[first]?.['schema'] ?? {} }];
  const answers = Object.entries(responses as { readonly [code: string]: JsonObject }).map(([code, { content: its, ...response }]) => {
    const schema = (its as { readonly [type: string]: JsonObject } | undefined)?.['application/json']?.['schema'];
    return [code, schema === undefined ? response : { ...response, schema }];
  });
  return {
    ...rest,
    consumes: types.length === 0 ? ['*/*'] : types,
    produces: MEDIA_TYPES,
    schemes: ['https'],
    parameters: [...bodyParameter, ...(parameters as readonly JsonObject[]).map(toV2Parameter)],
    responses: Object.fromEntries(answers),
  };
}
