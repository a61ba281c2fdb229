import { apply, create, get, given, jsonPatch, mergePatch, remove, type Step, strategicPatch, subject, update, watch } from '../case.ts';
import { NAMESPACES } from './objects.ts';

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const CRD = `${CRDS}/widgets.$(ns).example.com`;
const WIDGETS = '/apis/$(ns).example.com/v1/namespaces/$(ns)/widgets';

interface CrdParts {
  readonly spec?: object;
  /** Of the version v1. */
  readonly version?: object;
  /** Structural schema of the version v1. */
  readonly schema?: object;
}

/** A definition of widgets in the group of the case. */
function definition({ spec = {}, version = {}, schema }: CrdParts): object {
  const openAPIV3Schema = schema ?? {
    type: 'object',
    properties: {
      spec: { type: 'object', properties: { size: { type: 'integer' }, color: { type: 'string' } } },
      status: { type: 'object', properties: { ready: { type: 'boolean' }, size: { type: 'integer' } } },
    },
  };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'widgets.$(ns).example.com' },
    spec: {
      group: '$(ns).example.com',
      scope: 'Namespaced',
      names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema }, ...version }],
      ...spec,
    },
  };
}

const established: Step = given(get(CRD, { until: { at: '/status/conditions/1/status', is: 'True' } }));
const served = (path = WIDGETS): Step => given(get(path, { until: { status: 200 } }));

/** Makes the definition and waits until it is served. */
function defined(parts: CrdParts = {}, path = WIDGETS): Step[] {
  return [given(create(CRDS, definition(parts))), established, served(path)];
}

const widget = (name: string, more: object = {}, metadata: object = {}): object => ({
  apiVersion: '$(ns).example.com/v1',
  kind: 'Widget',
  metadata: { name, ...metadata },
  ...more,
});
const specOf = (properties: object, more: object = {}): object => ({
  type: 'object',
  properties: { spec: { type: 'object', properties, ...more }, status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
});
const refused = (parts: CrdParts): Step => create(CRDS, definition(parts));
const subresources = { subresources: { status: {} } };

/** A definition's answer without conditions and fields that controllers write in their own time. */
function definitionOf(body: unknown): unknown {
  const { metadata, status: _, ...rest } = body as { metadata: Record<string, unknown>; status: unknown };
  const { name, generation } = metadata;
  return name === undefined ? body : { ...rest, metadata: { name, generation } };
}

/** Values and the errors they bring, one request each. */
function values(schema: object, specs: readonly unknown[]): Step[] {
  return [
    ...defined({ schema: { type: 'object', properties: { spec: schema } } }),
    ...specs.map((spec, index) => create(WIDGETS, widget(`w${index}`, { spec }))),
  ];
}

const TABLE = { accept: 'application/json;as=Table;g=meta.k8s.io;v=v1,application/json' };

export const customResourceCases = [
  ...subject('crd', {
    'is made': [create(CRDS, definition({}), { pick: definitionOf }), established, get(CRD, { pick: conditions })],
    'names are filled in': [create(CRDS, definition({ spec: { names: { plural: 'widgets', kind: 'Widget' } } }), { pick: definitionOf })],
    'is refused: name': [create(CRDS, { ...definition({}), metadata: { name: 'other' } })],
    'is refused: no versions': [refused({ spec: { versions: [] } })],
    'is refused: no storage version': [refused({ version: { storage: false } })],
    'is refused: two storage versions': [
      refused({
        spec: {
          versions: ['v1', 'v2'].map((name) => ({ name, served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } })),
        },
      }),
    ],
    'is refused: no schema': [refused({ version: { schema: undefined } })],
    'is refused: scope and names': [refused({ spec: { scope: 'Galactic', names: { plural: 'Widgets', kind: 'a b' } } })],
    'is refused: not structural': [
      refused({ schema: { type: 'object', properties: { a: {}, b: { type: 'array' }, c: { type: 'strange' } } } }),
    ],
    'is refused: properties with additional': [
      refused({
        schema: {
          type: 'object',
          properties: { a: { type: 'object', properties: { x: { type: 'string' } }, additionalProperties: { type: 'string' } } },
        },
      }),
    ],
    'is refused: additionalProperties false': [
      refused({ schema: { type: 'object', properties: { a: { type: 'object', additionalProperties: false } } } }),
    ],
    'is refused: forbidden keywords': [
      refused({
        schema: { type: 'object', properties: { a: { type: 'array', items: { type: 'string' }, uniqueItems: true }, b: { $ref: '#/x' } } },
      }),
    ],
    'is refused: not in anyOf': [
      refused({ schema: { type: 'object', properties: { a: { anyOf: [{ type: 'string' }, { type: 'integer' }] } } } }),
      refused({ schema: { type: 'object', properties: { a: { type: 'string', anyOf: [{ default: 'x' }, { properties: { z: {} } }] } } } }),
    ],
    'is refused: root type': [refused({ schema: { type: 'string' } }), refused({ schema: { properties: {} } })],
    'is refused: metadata': [
      refused({ schema: { type: 'object', properties: { metadata: { type: 'object', properties: { labels: { type: 'object' } } } } } }),
    ],
    'is refused: bad default': [
      refused({ schema: specOf({ a: { type: 'integer', default: 'x' }, b: { type: 'string', default: 'toolong', maxLength: 3 } }) }),
    ],
    'is refused: bad pattern': [refused({ schema: specOf({ a: { type: 'string', pattern: '(' } }) })],
    'is refused: list types': [
      refused({
        schema: specOf({
          a: { type: 'array', 'x-kubernetes-list-type': 'map', items: { type: 'object', properties: { k: { type: 'string' } } } },
        }),
      }),
      refused({
        schema: specOf({
          a: {
            type: 'array',
            'x-kubernetes-list-type': 'map',
            'x-kubernetes-list-map-keys': ['k'],
            items: { type: 'object', properties: { k: { type: 'string' } } },
          },
        }),
      }),
      refused({ schema: specOf({ a: { type: 'array', 'x-kubernetes-list-type': 'bag', items: { type: 'string' } } }) }),
    ],
    'is refused: CEL that does not compile': [
      refused({
        schema: specOf({
          a: { type: 'string', 'x-kubernetes-validations': [{ rule: 'self.size() > ' }, { rule: 'self > 3' }, { rule: '' }] },
        }),
      }),
    ],
    'is refused: CEL that costs too much': [
      refused({
        schema: specOf({
          a: {
            type: 'array',
            items: { type: 'array', items: { type: 'string' } },
            'x-kubernetes-validations': [{ rule: 'self.all(x, x.all(y, self.all(z, z.all(q, q == y))))' }],
          },
        }),
      }),
    ],
    'is refused: CEL messages': [
      refused({
        schema: specOf({
          a: {
            type: 'string',
            'x-kubernetes-validations': [
              { rule: 'true', message: 'a\nb' },
              { rule: 'true', messageExpression: '3' },
              { rule: 'true', reason: 'Nope' },
              { rule: 'true', fieldPath: '.b' },
            ],
          },
        }),
      }),
    ],
    'is refused: printer columns': [
      refused({
        version: {
          additionalPrinterColumns: [
            { name: '', type: 'string', jsonPath: '.x' },
            { name: 'A', type: 'color', jsonPath: '.x' },
            { name: 'B', type: 'string', jsonPath: 'x[' },
          ],
        },
      }),
    ],
    'is refused: scale paths': [
      refused({ version: { subresources: { scale: { specReplicasPath: '.replicas', statusReplicasPath: '.status.r' } } } }),
      refused({ version: { subresources: { scale: { specReplicasPath: '.spec.r[0]', statusReplicasPath: '' } } } }),
    ],
    'is refused: selectable fields': [
      refused({ version: { selectableFields: [{ jsonPath: '.spec.nothing' }] } }),
      refused({ version: { selectableFields: [{ jsonPath: '.spec.size' }, { jsonPath: '.spec.size' }] } }),
      refused({ version: { selectableFields: [{ jsonPath: '.metadata.name' }] } }),
      refused({ version: { selectableFields: [{ jsonPath: '.spec' }] } }),
    ],
    'is refused: conversion': [
      refused({ spec: { conversion: { strategy: 'Webhook' } } }),
      refused({ spec: { conversion: { strategy: 'Magic' } } }),
    ],
    'is refused: a protected group': [
      create(CRDS, {
        ...definition({ spec: { group: 'apps.k8s.io' } }),
        metadata: { name: 'widgets.apps.k8s.io' },
      }),
    ],
    'preserves unknown fields of old': [refused({ spec: { preserveUnknownFields: true } })],
    'is updated': [
      ...defined(),
      given(create(WIDGETS, widget('a', { spec: { size: 1 } }))),
      mergePatch(CRD, { spec: { names: { shortNames: ['wd'], categories: ['all'] } } }, { pick: definitionOf }),
      mergePatch(CRD, { spec: { scope: 'Cluster' } }),
      mergePatch(CRD, { spec: { group: 'other.example.com' } }),
      mergePatch(CRD, { spec: { names: { plural: 'gadgets' } } }),
    ],
    'drops a stored version': [
      ...defined({
        spec: {
          versions: [
            { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } },
            { name: 'v2', served: true, storage: false, schema: { openAPIV3Schema: { type: 'object' } } },
          ],
        },
      }),
      mergePatch(CRD, {
        spec: { versions: [{ name: 'v2', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }] },
      }),
    ],
    'is deleted with its objects': [
      ...defined(),
      given(create(WIDGETS, widget('a'))),
      remove(CRD, undefined, { compare: 'status' }),
      get(CRD, { until: { status: 404 } }),
      get(WIDGETS, { until: { status: 404 } }),
    ],
    'of two kinds with one name': [
      ...defined(),
      create(
        CRDS,
        {
          ...definition({ spec: { names: { plural: 'gizmos', kind: 'Widget' } } }),
          metadata: { name: 'gizmos.$(ns).example.com' },
        },
        { pick: definitionOf },
      ),
      get(`${CRDS}/gizmos.$(ns).example.com`, { until: { at: '/status/conditions/1' }, pick: conditions }),
    ],
    'status can not be set by hand': [
      ...defined(),
      mergePatch(CRD, { status: { storedVersions: ['v9'] } }, { pick: definitionOf }),
      get(`${CRD}/status`, { pick: definitionOf }),
    ],
  }),
  ...subject('custom resource', {
    'a life': [
      ...defined(),
      create(WIDGETS, widget('a', { spec: { size: 1 } }), { keep: { rv: '/metadata/resourceVersion' } }),
      get(`${WIDGETS}/a`),
      get(WIDGETS),
      update(`${WIDGETS}/a`, widget('a', { spec: { size: 2 } })),
      update(`${WIDGETS}/a`, widget('a', { spec: { size: 3 } }, { resourceVersion: '$(rv)' })),
      remove(`${WIDGETS}/a`),
      get(`${WIDGETS}/a`),
    ],
    'update needs a version': [
      ...defined(),
      given(create(WIDGETS, widget('a'))),
      update(`${WIDGETS}/a`, widget('a', { spec: { size: 4 } })),
    ],
    watched: [
      ...defined(),
      given(get(WIDGETS, { keep: { rv: '/metadata/resourceVersion' } })),
      watch(`${WIDGETS}?watch=true&resourceVersion=$(rv)`, {
        until: 3,
        during: [
          given(create(WIDGETS, widget('a', { spec: { size: 1 } }))),
          given(mergePatch(`${WIDGETS}/a`, { spec: { size: 2 } })),
          given(remove(`${WIDGETS}/a`)),
        ],
      }),
    ],
    'generation without status': [
      ...defined(),
      create(WIDGETS, widget('a', { spec: { size: 1 }, status: { ready: true } })),
      mergePatch(`${WIDGETS}/a`, { status: { ready: false } }),
      mergePatch(`${WIDGETS}/a`, { metadata: { labels: { a: 'b' } } }),
      get(`${WIDGETS}/a/status`),
    ],
    'status subresource': [
      ...defined({ version: subresources }),
      create(WIDGETS, widget('a', { spec: { size: 1 }, status: { ready: true } })),
      mergePatch(`${WIDGETS}/a`, { spec: { size: 2 }, status: { ready: true } }),
      mergePatch(`${WIDGETS}/a/status`, { spec: { size: 3 }, metadata: { labels: { a: 'b' } }, status: { ready: true } }),
      get(`${WIDGETS}/a/status`),
      get(`${WIDGETS}/a/scale`),
    ],
    'scale subresource': [
      ...defined({
        version: {
          subresources: {
            status: {},
            scale: { specReplicasPath: '.spec.size', statusReplicasPath: '.status.size', labelSelectorPath: '.status.selector' },
          },
        },
        schema: specOf({ size: { type: 'integer' } }),
      }),
      given(create(WIDGETS, widget('a', { spec: { size: 1 } }))),
      given(mergePatch(`${WIDGETS}/a/status`, { status: { size: 1, selector: 'a=b' } })),
      get(`${WIDGETS}/a/scale`),
      mergePatch(`${WIDGETS}/a/scale`, { spec: { replicas: 7 } }),
      get(`${WIDGETS}/a`),
      mergePatch(`${WIDGETS}/a/scale`, { spec: { replicas: -7 } }),
      given(create(WIDGETS, widget('b', { spec: {} }))),
      get(`${WIDGETS}/b/scale`),
    ],
    pruning: [
      ...defined(),
      create(WIDGETS, widget('a', { spec: { size: 1, more: { a: 1 } }, extra: [1], metadata: { name: 'a', nope: 'x' } })),
    ],
    'pruning, strict': [
      ...defined(),
      create(`${WIDGETS}?fieldValidation=Strict`, widget('a', { spec: { size: 1, more: { a: 1 } }, extra: [1] })),
      create(
        `${WIDGETS}?fieldValidation=Strict`,
        '{"apiVersion":"$(ns).example.com/v1","kind":"Widget","metadata":{"name":"a"},"spec":{"size":1,"size":2}}',
      ),
    ],
    'preserved unknown fields': [
      ...defined({
        schema: {
          type: 'object',
          properties: {
            spec: {
              type: 'object',
              'x-kubernetes-preserve-unknown-fields': true,
              properties: { known: { type: 'object', properties: { a: { type: 'string' } } } },
            },
          },
        },
      }),
      create(WIDGETS, widget('a', { spec: { x: { y: [1, 'a', null, 1.5] }, known: { a: 'a', b: 'b' } } })),
    ],
    'embedded resource': [
      ...defined({
        schema: {
          type: 'object',
          properties: { spec: { type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true } },
        },
      }),
      create(WIDGETS, widget('a', { spec: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x', nope: 1 }, other: 2 } })),
      create(WIDGETS, widget('b', { spec: { kind: 'Pod' } })),
    ],
    'int or string': values({ type: 'object', properties: { p: { 'x-kubernetes-int-or-string': true } } }, [
      { p: 1 },
      { p: '50%' },
      { p: true },
    ]),
    defaults: [
      ...defined({
        schema: specOf({
          size: { type: 'integer', default: 3 },
          color: { type: 'string', default: 'red', nullable: true },
          deep: { type: 'object', default: {}, properties: { x: { type: 'string', default: 'y' } } },
          list: { type: 'array', items: { type: 'object', properties: { z: { type: 'integer', default: 9 } } } },
          map: { type: 'object', additionalProperties: { type: 'object', properties: { w: { type: 'boolean', default: true } } } },
        }),
      }),
      create(WIDGETS, widget('a', { spec: {} })),
      create(WIDGETS, widget('b', { spec: { size: null, color: null, list: [{}, { z: 1 }], map: { a: {} } } })),
      create(WIDGETS, widget('c')),
    ],
    'defaults of objects that were': [
      ...defined(),
      given(create(WIDGETS, widget('a', { spec: { size: 1 } }))),
      given(
        jsonPatch(CRD, [
          {
            op: 'add',
            path: '/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/added',
            value: { type: 'string', default: 'new' },
          },
        ]),
      ),
      get(`${WIDGETS}/a`, { until: { at: '/spec/added' }, pick: (body) => (body as { spec: object }).spec }),
    ],
    types: values(
      {
        type: 'object',
        properties: {
          i: { type: 'integer' },
          n: { type: 'number' },
          s: { type: 'string' },
          b: { type: 'boolean' },
          a: { type: 'array', items: { type: 'string' } },
          o: { type: 'object' },
        },
      },
      [
        { i: 'x', n: 'x', s: 1, b: 'x', a: 'x', o: 'x' },
        { i: 1.5, n: 1, a: [1, 'x'], o: [] },
        { i: 1.0, n: 1e3 },
        { s: null },
        'no object',
      ],
    ),
    numbers: values(
      {
        type: 'object',
        properties: {
          a: { type: 'integer', minimum: 1, maximum: 5 },
          b: { type: 'number', exclusiveMinimum: true, minimum: 0, multipleOf: 0.5 },
        },
      },
      [
        { a: 0, b: 0 },
        { a: 6, b: 0.3 },
        { a: 5, b: 0.5 },
      ],
    ),
    strings: values(
      {
        type: 'object',
        properties: {
          a: { type: 'string', minLength: 2, maxLength: 4 },
          b: { type: 'string', pattern: '^[a-z]+$' },
          c: { type: 'string', enum: ['x', 'y'] },
        },
      },
      [
        { a: 'a', b: 'A', c: 'z' },
        { a: 'aaaaa', b: 'ok', c: 'x' },
      ],
    ),
    formats: values(
      {
        type: 'object',
        properties: Object.fromEntries(
          ['date-time', 'date', 'ipv4', 'ipv6', 'cidr', 'uuid', 'uri', 'email', 'duration', 'byte', 'hostname', 'mac', 'int32'].map(
            (format) => [format.replace('-', ''), { type: format === 'int32' ? 'integer' : 'string', format }],
          ),
        ),
      },
      [
        {
          datetime: 'x',
          date: 'x',
          ipv4: 'x',
          ipv6: 'x',
          cidr: 'x',
          uuid: 'x',
          uri: 'x',
          email: 'x',
          duration: 'x',
          byte: '%',
          hostname: '_',
          mac: 'x',
          int32: 99999999999,
        },
        {
          datetime: '2020-01-01T00:00:00Z',
          date: '2020-01-01',
          ipv4: '1.2.3.4',
          ipv6: '::1',
          cidr: '10.0.0.0/8',
          uuid: '123e4567-e89b-12d3-a456-426614174000',
          uri: 'http://x/y',
          email: 'a@example.test',
          duration: '1h',
          byte: 'YQ==',
          hostname: 'a',
          mac: '01:02:03:04:05:06',
          int32: 1,
        },
      ],
    ),
    'lists and maps': values(
      {
        type: 'object',
        required: ['r'],
        minProperties: 2,
        properties: {
          r: { type: 'string' },
          l: { type: 'array', minItems: 1, maxItems: 2, items: { type: 'string' } },
          m: { type: 'object', additionalProperties: { type: 'integer' }, maxProperties: 1 },
        },
      },
      [{}, { r: 'x', l: [] }, { r: 'x', l: ['a', 'b', 'c'], m: { a: 1, b: 2 } }, { r: 'x', m: { a: 'x' } }, { r: 'x', l: ['a'] }],
    ),
    'list types': values(
      {
        type: 'object',
        properties: {
          set: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
          map: {
            type: 'array',
            'x-kubernetes-list-type': 'map',
            'x-kubernetes-list-map-keys': ['k'],
            items: { type: 'object', required: ['k'], properties: { k: { type: 'string' }, v: { type: 'string' } } },
          },
        },
      },
      [{ set: ['a', 'b', 'a'] }, { map: [{ k: 'a' }, { k: 'b' }, { k: 'a' }] }, { map: [{ v: 'x' }] }, { set: ['a'], map: [{ k: 'a' }] }],
    ),
    'anyOf, oneOf, not': values(
      {
        type: 'object',
        properties: {
          a: { type: 'integer', anyOf: [{ minimum: 10 }, { maximum: 2 }] },
          b: { type: 'string', not: { enum: ['no'] } },
          c: {
            type: 'object',
            properties: { x: { type: 'string' }, y: { type: 'string' } },
            oneOf: [{ required: ['x'] }, { required: ['y'] }],
          },
        },
      },
      [{ a: 5 }, { b: 'no' }, { c: {} }, { c: { x: '1', y: '2' } }, { a: 1, b: 'yes', c: { x: '1' } }],
    ),
    'CEL rules': values(
      {
        type: 'object',
        properties: {
          min: { type: 'integer' },
          max: { type: 'integer' },
          name: { type: 'string', maxLength: 20, 'x-kubernetes-validations': [{ rule: "self.startsWith('w')", message: 'begins with w' }] },
        },
        'x-kubernetes-validations': [
          {
            rule: '!has(self.min) || !has(self.max) || self.min <= self.max',
            messageExpression: "self.min > 9 ? 'far too much' : 'min above max'",
          },
          { rule: "!has(self.name) || self.name != 'wrong'", reason: 'FieldValueForbidden', fieldPath: '.name' },
        ],
      },
      [{ min: 3, max: 2 }, { min: 1, max: 2, name: 'w' }, { name: 'x' }, { name: 'wrong' }, { min: 3, max: 2, name: 'x' }],
    ),
    'CEL transition rules': [
      ...values(
        {
          type: 'object',
          properties: {
            a: { type: 'string', 'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'is immutable' }] },
            n: { type: 'integer', 'x-kubernetes-validations': [{ rule: 'self >= oldSelf' }] },
          },
        },
        [{ a: 'x', n: 1 }],
      ),
      mergePatch(`${WIDGETS}/w0`, { spec: { a: 'y' } }),
      mergePatch(`${WIDGETS}/w0`, { spec: { n: 0 } }),
      mergePatch(`${WIDGETS}/w0`, { spec: { a: null, n: 2 } }),
    ],
    'CEL on the whole object': [
      ...defined({
        schema: {
          type: 'object',
          properties: { spec: { type: 'object', properties: { size: { type: 'integer' } } } },
          'x-kubernetes-validations': [{ rule: "self.metadata.name != 'bad'", message: 'a bad name' }, { rule: 'has(self.spec)' }],
        },
      }),
      create(WIDGETS, widget('bad', { spec: {} })),
      create(WIDGETS, widget('good', { spec: {} })),
      create(WIDGETS, widget('empty')),
    ],
    'CEL that fails at run time': values(
      {
        type: 'object',
        properties: { a: { type: 'array', maxItems: 5, items: { type: 'integer' } } },
        'x-kubernetes-validations': [{ rule: 'self.a[3] > 0' }],
      },
      [{ a: [1] }, { a: [1, 2, 3, 4] }],
    ),
    ratcheting: [
      ...defined({ schema: specOf({ a: { type: 'string' }, b: { type: 'string' } }) }),
      given(create(WIDGETS, widget('a', { spec: { a: 'long', b: 'x' } }))),
      given(
        jsonPatch(CRD, [{ op: 'add', path: '/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/a/maxLength', value: 2 }]),
      ),
      create(WIDGETS, widget('probe', { spec: { a: 'long' } }), { until: { status: 422 } }),
      mergePatch(`${WIDGETS}/a`, { spec: { b: 'y' } }),
      mergePatch(`${WIDGETS}/a`, { spec: { a: 'longer' } }),
    ],
    'selectable fields': [
      ...defined({ version: { selectableFields: [{ jsonPath: '.spec.color' }, { jsonPath: '.spec.size' }] } }),
      given(create(WIDGETS, widget('a', { spec: { color: 'red', size: 1 } }))),
      given(create(WIDGETS, widget('b', { spec: { color: 'blue' } }))),
      ...['spec.color=red', 'spec.size=1', 'spec.color!=red', 'spec.size=', 'metadata.name=a', 'spec.other=1'].map((each) =>
        get(`${WIDGETS}?fieldSelector=${encodeURIComponent(each)}`, { pick: names }),
      ),
    ],
    columns: [
      ...defined({
        version: {
          ...subresources,
          additionalPrinterColumns: [
            { name: 'Size', type: 'integer', jsonPath: '.spec.size', description: 'how big' },
            { name: 'Color', type: 'string', jsonPath: '.spec.color', priority: 1 },
            { name: 'Ready', type: 'boolean', jsonPath: '.status.ready' },
            { name: 'Since', type: 'date', jsonPath: '.metadata.creationTimestamp' },
          ],
        },
      }),
      given(create(WIDGETS, widget('a', { spec: { size: 1, color: 'red' } }))),
      given(create(WIDGETS, widget('b', { spec: {} }))),
      given(mergePatch(`${WIDGETS}/a/status`, { status: { ready: true } })),
      get(WIDGETS, { ...TABLE, pick: withoutAge }),
      get(`${WIDGETS}/a`, { ...TABLE, pick: withoutAge }),
    ],
    'columns of none': [...defined(), given(create(WIDGETS, widget('a'))), get(WIDGETS, { ...TABLE, pick: withoutAge })],
    'cluster scope': [
      ...defined({ spec: { scope: 'Cluster' } }, '/apis/$(ns).example.com/v1/widgets'),
      create('/apis/$(ns).example.com/v1/widgets', widget('a', { spec: { size: 1 } })),
      get('/apis/$(ns).example.com/v1/widgets/a'),
      get(WIDGETS),
      create('/apis/$(ns).example.com/v1/widgets', widget('b', {}, { namespace: 'x' })),
    ],
    'two versions': [
      ...defined({
        spec: {
          versions: [
            {
              name: 'v1',
              served: true,
              storage: true,
              schema: {
                openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties: { a: { type: 'string' } } } } },
              },
            },
            {
              name: 'v2',
              served: true,
              storage: false,
              deprecated: true,
              schema: {
                openAPIV3Schema: {
                  type: 'object',
                  properties: { spec: { type: 'object', properties: { a: { type: 'string' }, b: { type: 'string', default: 'two' } } } },
                },
              },
            },
            { name: 'v3', served: false, storage: false, schema: { openAPIV3Schema: { type: 'object' } } },
          ],
        },
      }),
      given(create(WIDGETS, widget('a', { spec: { a: 'x' } }))),
      get('/apis/$(ns).example.com/v2/namespaces/$(ns)/widgets/a'),
      get('/apis/$(ns).example.com/v2/namespaces/$(ns)/widgets'),
      get('/apis/$(ns).example.com/v3/namespaces/$(ns)/widgets/a'),
      create('/apis/$(ns).example.com/v2/namespaces/$(ns)/widgets', widget('b')),
      create('/apis/$(ns).example.com/v2/namespaces/$(ns)/widgets', {
        ...widget('b', { spec: { b: 'z' } }),
        apiVersion: '$(ns).example.com/v2',
      }),
      get(`${WIDGETS}/b`),
    ],
    'a deprecated version with its own words': [
      ...defined({ version: { deprecated: true, deprecationWarning: 'use something else' } }),
      get(WIDGETS),
    ],
    patches: [
      ...defined(),
      given(create(WIDGETS, widget('a', { spec: { size: 1, color: 'red' } }))),
      mergePatch(`${WIDGETS}/a`, { spec: { color: null } }),
      jsonPatch(`${WIDGETS}/a`, [{ op: 'replace', path: '/spec/size', value: 4 }]),
      strategicPatch(`${WIDGETS}/a`, { spec: { size: 5 } }),
      mergePatch(`${WIDGETS}/a`, { spec: { size: 'x' } }),
    ],
    apply: [
      ...defined({
        schema: specOf({
          size: { type: 'integer' },
          list: {
            type: 'array',
            'x-kubernetes-list-type': 'map',
            'x-kubernetes-list-map-keys': ['k'],
            items: { type: 'object', required: ['k'], properties: { k: { type: 'string' }, v: { type: 'string' } } },
          },
          atomic: { type: 'array', items: { type: 'string' } },
          set: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
          whole: { type: 'object', 'x-kubernetes-map-type': 'atomic', properties: { a: { type: 'string' }, b: { type: 'string' } } },
        }),
      }),
      apply(
        `${WIDGETS}/a?fieldManager=one`,
        widget('a', { spec: { size: 1, list: [{ k: 'a', v: '1' }], atomic: ['x'], set: ['p'], whole: { a: '1' } } }),
      ),
      apply(`${WIDGETS}/a?fieldManager=two`, widget('a', { spec: { list: [{ k: 'b', v: '2' }], set: ['q'] } })),
      apply(
        `${WIDGETS}/a?fieldManager=two`,
        widget('a', { spec: { size: 2, atomic: ['y'], whole: { b: '2' }, list: [{ k: 'a', v: '9' }] } }),
      ),
      apply(`${WIDGETS}/a?fieldManager=one`, widget('a', { spec: { size: 1 } })),
      apply(`${WIDGETS}/a?fieldManager=one`, widget('a', { spec: { size: 'x' } })),
      apply(`${WIDGETS}/a?fieldManager=one`, widget('a', { spec: { nope: 'x' } })),
    ],
    'apply of the status': [
      ...defined({ version: subresources }),
      given(create(WIDGETS, widget('a', { spec: { size: 1 } }))),
      apply(`${WIDGETS}/a/status?fieldManager=one`, widget('a', { status: { ready: true } })),
      apply(`${WIDGETS}/a?fieldManager=one`, widget('a', { status: { ready: false }, spec: { color: 'x' } })),
    ],
    'wrong kind and version': [
      ...defined(),
      create(WIDGETS, { ...widget('a'), kind: 'Gadget' }),
      create(WIDGETS, { ...widget('a'), apiVersion: '$(ns).example.com/v9' }),
      create(WIDGETS, { ...widget('a'), apiVersion: 'v1' }),
      create(WIDGETS, { metadata: { name: 'a' } }),
    ],
    'bad metadata': [
      ...defined(),
      create(WIDGETS, widget('a', {}, { labels: { a: 1 } })),
      create(WIDGETS, widget('A_B')),
      create(WIDGETS, widget('a', {}, { finalizers: ['x'] })),
    ],
    'in a namespace that is not there': [...defined(), create('/apis/$(ns).example.com/v1/namespaces/nowhere/widgets', widget('a'))],
    'delete a collection': [
      ...defined(),
      given(create(WIDGETS, widget('a', {}, { labels: { x: 'y' } }))),
      given(create(WIDGETS, widget('b'))),
      remove(`${WIDGETS}?labelSelector=x%3Dy`),
      get(WIDGETS, { pick: names }),
    ],
    'a namespace goes': [
      ...defined(),
      given(create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: '$(ns)-b' } })),
      given(create('/apis/$(ns).example.com/v1/namespaces/$(ns)-b/widgets', widget('a'))),
      given(remove(`${NAMESPACES}/$(ns)-b`)),
      get('/apis/$(ns).example.com/v1/namespaces/$(ns)-b/widgets/a', { until: { status: 404 } }),
    ],
    'discovery of its group': [
      ...defined({
        spec: { names: { plural: 'widgets', kind: 'Widget', shortNames: ['wd'], categories: ['all'] } },
        version: { subresources: { status: {}, scale: { specReplicasPath: '.spec.size', statusReplicasPath: '.status.size' } } },
      }),
      get('/apis/$(ns).example.com/v1', { until: { status: 200 }, pick: withoutHash }),
      get('/apis/$(ns).example.com', { until: { status: 200 } }),
    ],
    'metadata only': [
      ...defined(),
      given(create(WIDGETS, widget('a', { spec: { size: 1 } }))),
      get(`${WIDGETS}/a`, { accept: 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1' }),
      get(WIDGETS, { accept: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1' }),
    ],
    yaml: [
      ...defined(),
      create(WIDGETS, 'apiVersion: $(ns).example.com/v1\nkind: Widget\nmetadata: {name: a}\nspec: {size: 3, nope: 1}\n', {
        contentType: 'application/yaml',
      }),
      get(`${WIDGETS}/a`, { accept: 'application/yaml', compare: 'status' }),
    ],
  }),
];

function conditions(body: unknown): unknown {
  const { status } = body as { status: { conditions: { lastTransitionTime: string }[] } };
  const found = status.conditions.map(({ lastTransitionTime: _, ...rest }) => rest);
  return { ...status, conditions: found.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) };
}

function names(body: unknown): unknown {
  const { items } = body as { items?: { metadata: { name: string } }[] };
  return items === undefined ? body : items.map((item) => item.metadata.name);
}

function withoutAge(body: unknown): unknown {
  const { rows, ...rest } = body as { rows?: { cells: unknown[] }[] | null };
  return {
    ...rest,
    rows: rows?.map((row) => ({ ...row, cells: row.cells.map((cell) => (/^\d+m?s$/.test(String(cell)) ? '<age>' : cell)) })),
  };
}

function withoutHash(body: unknown): unknown {
  const { resources, ...rest } = body as { resources?: { storageVersionHash?: string }[] };
  return { ...rest, resources: resources?.map(({ storageVersionHash: _, ...each }) => each) };
}
