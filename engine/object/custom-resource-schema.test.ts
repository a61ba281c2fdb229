import { describe, expect, it } from 'vitest';
import { compileCustomResourceSchema } from './custom-resource-schema.ts';
import { describeFieldErrors } from './field-error.ts';
import type { Json, JsonObject } from './json.ts';

const head = { apiVersion: 'g.io/v1', kind: 'K', metadata: { name: 'k' } };
const withSpec = (spec: Json): JsonObject => ({ ...head, spec });
const schemaOf = (spec: JsonObject, more: JsonObject = {}): JsonObject => ({ type: 'object', properties: { spec }, ...more });
const object = (properties: JsonObject, more: JsonObject = {}): JsonObject => ({ type: 'object', properties, ...more });

function errorsOf(spec: JsonObject, value: Json): string[] {
  return compileCustomResourceSchema(schemaOf(spec))
    .validate(withSpec(value))
    .errors.map((error) => describeFieldErrors([error]));
}

describe('values', () => {
  it.each<{ schema: JsonObject; value: Json; errors: string[] }>([
    { schema: { type: 'integer' }, value: 3, errors: [] },
    { schema: { type: 'number' }, value: 3, errors: [] },
    {
      schema: { type: 'integer' },
      value: 'string',
      errors: ['spec: Invalid value: "string": spec in body must be of type integer: "string"'],
    },
    { schema: { type: 'string' }, value: null, errors: ['spec: Invalid value: "null": spec in body must be of type string: "null"'] },
    { schema: { type: 'string', nullable: true }, value: null, errors: [] },
    {
      schema: object({ a: { type: 'string' } }, { required: ['a'] }),
      value: {},
      errors: ['spec.a: Required value'],
    },
    {
      schema: { type: 'string', enum: ['a', 'b'] },
      value: 'c',
      errors: ['spec: Unsupported value: "c": supported values: "a", "b"'],
    },
    {
      schema: { type: 'integer', maximum: 5 },
      value: 6,
      errors: ['spec: Invalid value: 6: spec in body should be less than or equal to 5'],
    },
    {
      schema: { type: 'number', exclusiveMinimum: true, minimum: 1.5 },
      value: 1.5,
      errors: ['spec: Invalid value: 1.5: spec in body should be greater than 1.5'],
    },
    { schema: { type: 'integer', multipleOf: 3 }, value: 4, errors: ['spec: Invalid value: 4: spec in body should be a multiple of 3'] },
    { schema: { type: 'string', maxLength: 2 }, value: 'äöü', errors: ['spec: Too long: may not be more than 2 bytes'] },
    {
      schema: { type: 'string', minLength: 1 },
      value: '',
      errors: ['spec: Invalid value: "": spec in body should be at least 1 chars long'],
    },
    { schema: { type: 'string', pattern: '^a+$' }, value: 'b', errors: ['spec: Invalid value: "b": spec in body should match \'^a+$\''] },
    {
      schema: { type: 'string', format: 'ipv4' },
      value: '1.2.3',
      errors: ['spec: Invalid value: "1.2.3": spec in body must be of type ipv4: "1.2.3"'],
    },
    { schema: { type: 'string', format: 'nonsense' }, value: 'x', errors: [] },
    {
      schema: { type: 'integer', format: 'int32' },
      value: 2147483648,
      errors: ['<nil>: Invalid value: "": Checked value must be of type integer with format int32 in spec'],
    },
    {
      schema: { type: 'array', items: { type: 'string' }, maxItems: 1 },
      value: ['a', 'b'],
      errors: ['spec: Too many: 2: must have at most 1 item'],
    },
    {
      schema: { type: 'array', items: { type: 'string' }, minItems: 1 },
      value: [],
      errors: ['spec: Invalid value: 0: spec in body should have at least 1 items'],
    },
    {
      schema: { type: 'array', items: object({ p: { type: 'integer' } }) },
      value: [{ p: 1 }, { p: true }],
      errors: ['spec[1].p: Invalid value: "boolean": spec[1].p in body must be of type integer: "boolean"'],
    },
    {
      schema: { type: 'object', additionalProperties: { type: 'string' }, minProperties: 1 },
      value: {},
      errors: ['spec: Invalid value: 0: spec in body should have at least 1 properties'],
    },
    {
      schema: { type: 'object', additionalProperties: { type: 'string' } },
      value: { a: 1 },
      errors: ['spec.a: Invalid value: "integer": spec.a in body must be of type string: "integer"'],
    },
    {
      schema: { 'x-kubernetes-int-or-string': true },
      value: true,
      errors: ['spec: Invalid value: "boolean": spec in body must be of type integer,string: "boolean"'],
    },
    {
      schema: object({ a: { type: 'string' }, b: { type: 'string' } }, { oneOf: [{ required: ['a'] }, { required: ['b'] }] }),
      value: { a: '1', b: '2' },
      errors: ['<nil>: Invalid value: "": "spec" must validate one and only one schema (oneOf). Found 2 valid alternatives'],
    },
    {
      schema: object({ a: { type: 'string' }, b: { type: 'string' } }, { anyOf: [{ required: ['a'] }, { required: ['b'] }] }),
      value: {},
      errors: ['<nil>: Invalid value: "": "spec" must validate at least one schema (anyOf)', 'spec.a: Required value'],
    },
    {
      schema: object({ a: { type: 'integer' } }, { not: { required: ['a'] } }),
      value: { a: 1 },
      errors: ['<nil>: Invalid value: "": "spec" must not validate the schema (not)'],
    },
    {
      schema: object({ a: { type: 'integer' } }, { allOf: [{ properties: { a: { minimum: 2 } } }] }),
      value: { a: 1 },
      errors: [
        'spec.a: Invalid value: 1: spec.a in body should be greater than or equal to 2',
        '<nil>: Invalid value: "": "spec" must validate all the schemas (allOf). None validated',
      ],
    },
    {
      schema: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
      value: ['a', 'b', 'a', 'a'],
      errors: ['spec[2]: Duplicate value: "a"'],
    },
    {
      schema: {
        type: 'array',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['n'],
        items: object({ n: { type: 'string' } }),
      },
      value: [{ n: 'a' }, { n: 'a' }],
      errors: ['spec[1]: Duplicate value: {"n":"a"}'],
    },
    {
      schema: { type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true },
      value: { kind: '' },
      errors: ['spec.apiVersion: Required value', 'spec.kind: Invalid value: "": must not be empty'],
    },
  ])('$errors', ({ schema, value, errors }) => {
    expect(errorsOf(schema, value)).toEqual(errors);
  });

  it('that an update leaves alone are not held against it', () => {
    const schema = compileCustomResourceSchema(
      schemaOf(object({ a: { type: 'integer', maximum: 5 }, b: { type: 'integer', maximum: 5 } })),
    );
    const { errors } = schema.validateUpdate(withSpec({ a: 9, b: 8 }), withSpec({ a: 9, b: 7 }));
    expect(describeFieldErrors(errors)).toBe('spec.b: Invalid value: 8: spec.b in body should be less than or equal to 5');
  });

  it('of a status are told where they stand', () => {
    const schema = compileCustomResourceSchema(object({ status: object({ n: { type: 'integer' } }) }));
    const { errors } = schema.validateStatusUpdate({ ...head, status: { n: 'x' } }, head);
    expect(describeFieldErrors(errors)).toBe('status.n: Invalid value: "string": n in body must be of type integer: "string"');
  });
});

describe('pruning', () => {
  const schema = compileCustomResourceSchema(
    schemaOf(
      object({
        known: { type: 'string' },
        open: object({ inner: object({ a: { type: 'string' } }) }, { 'x-kubernetes-preserve-unknown-fields': true }),
        embedded: object({ spec: object({ x: { type: 'string' } }) }, { 'x-kubernetes-embedded-resource': true }),
        list: { type: 'array', items: object({ a: { type: 'string' } }) },
      }),
    ),
  );

  it('takes away what is not declared, and says what', () => {
    const { object: pruned, unknown } = schema.prune({
      ...withSpec({
        known: '1',
        foo: 1,
        open: { anything: { b: 1 }, inner: { a: '1', b: '2' } },
        embedded: { apiVersion: 'v1', kind: 'X', metadata: { labels: {} }, spec: { x: '1', y: '2' }, status: {} },
        list: [{ a: '1' }, { a: '1', z: 1 }],
      }),
      other: true,
    });
    expect(pruned).toEqual(
      withSpec({
        known: '1',
        open: { anything: { b: 1 }, inner: { a: '1' } },
        embedded: { apiVersion: 'v1', kind: 'X', metadata: { labels: {} }, spec: { x: '1' } },
        list: [{ a: '1' }, { a: '1' }],
      }),
    );
    expect(unknown).toEqual(['other', 'spec.embedded.spec.y', 'spec.embedded.status', 'spec.foo', 'spec.list[1].z', 'spec.open.inner.b']);
  });

  it('leaves alone what is all declared', () => {
    const whole = withSpec({ known: '1', list: [{ a: '1' }] });
    expect(schema.prune(whole).object).toBe(whole);
  });
});

describe('defaults', () => {
  const schema = compileCustomResourceSchema(
    schemaOf(
      object({
        a: { type: 'string', default: 'A' },
        n: { type: 'string', nullable: true, default: 'N' },
        plain: { type: 'string' },
        inner: object({ b: { type: 'integer', default: 1 } }, { default: {} }),
        list: { type: 'array', items: object({ c: { type: 'boolean', default: false } }) },
        map: { type: 'object', additionalProperties: object({ d: { type: 'string', default: 'D' } }) },
      }),
    ),
  );

  it.each<{ spec: JsonObject; result: JsonObject }>([
    { spec: {}, result: { a: 'A', n: 'N', inner: { b: 1 } } },
    { spec: { a: null, n: null, plain: null }, result: { a: 'A', n: null, inner: { b: 1 } } },
    {
      spec: { a: 'x', n: 'y', inner: { b: 2 }, list: [{}], map: { k: {} } },
      result: { a: 'x', n: 'y', inner: { b: 2 }, list: [{ c: false }], map: { k: { d: 'D' } } },
    },
  ])('$spec', ({ spec, result }) => {
    expect(schema.applyDefaults(withSpec(spec))).toEqual(withSpec(result));
  });

  it('change nothing where nothing is missing', () => {
    const whole = schema.applyDefaults(withSpec({}));
    expect(schema.applyDefaults(whole)).toBe(whole);
  });
});

describe('rules', () => {
  const rules = (...list: readonly JsonObject[]): JsonObject => ({ 'x-kubernetes-validations': list });

  it.each<{ what: string; schema: JsonObject; value: Json; errors: string[] }>([
    {
      what: 'hold',
      schema: object({ a: { type: 'integer' } }, rules({ rule: 'self.a > 1' })),
      value: { a: 2 },
      errors: [],
    },
    {
      what: 'fail with their text',
      schema: object({ a: { type: 'integer' } }, rules({ rule: 'self.a > 1' })),
      value: { a: 1 },
      errors: ['spec: Invalid value: failed rule: self.a > 1'],
    },
    {
      what: 'fail with a message, at another place, for a reason',
      schema: object(
        { a: { type: 'integer' } },
        rules({ rule: 'self.a > 1', message: 'too small', fieldPath: '.a', reason: 'FieldValueForbidden' }),
      ),
      value: { a: 1 },
      errors: ['spec.a: Forbidden: too small'],
    },
    {
      what: 'compute their message',
      schema: { type: 'string', ...rules({ rule: "self == 'x'", message: 'no', messageExpression: "'not ' + self" }) },
      value: 'y',
      errors: ['spec: Invalid value: "y": not y'],
    },
    {
      what: 'know names that expressions escape',
      schema: object(
        { 'a-b': { type: 'integer' }, namespace: { type: 'string' } },
        rules({ rule: "self.a__dash__b == 1 && self.__namespace__ == 'n'" }),
      ),
      value: { 'a-b': 1, namespace: 'n' },
      errors: [],
    },
    {
      what: 'take whole numbers of a number for doubles, dates for times',
      schema: object(
        { x: { type: 'number' }, t: { type: 'string', format: 'date-time' }, d: { type: 'string', format: 'duration' } },
        rules({ rule: "self.x / 2.0 == 0.5 && self.t < timestamp('2030-01-01T00:00:00Z') && self.d > duration('1s')" }),
      ),
      value: { x: 1, t: '2026-01-01T00:00:00Z', d: '2s' },
      errors: [],
    },
    {
      what: 'stand at every element',
      schema: { type: 'array', maxItems: 5, items: { type: 'integer', ...rules({ rule: 'self < 3' }) } },
      value: [1, 5],
      errors: ['spec[1]: Invalid value: 5: failed rule: self < 3'],
    },
    {
      what: 'err',
      schema: object({ a: { type: 'integer' } }, rules({ rule: 'self.a > 1' })),
      value: {},
      errors: ['spec: Invalid value: "object": no such key: a evaluating rule: self.a > 1'],
    },
    {
      what: 'wait for values that they can rely on',
      schema: object({ a: { type: 'integer' } }, rules({ rule: 'self.a > 1' })),
      value: { a: 'x' },
      errors: [
        'spec.a: Invalid value: "string": spec.a in body must be of type integer: "string"',
        '<nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
      ],
    },
    {
      what: 'see the metadata of the object',
      schema: object({}, rules({ rule: 'true' })),
      value: {},
      errors: [],
    },
  ])('$what', ({ schema, value, errors }) => {
    expect(errorsOf(schema, value)).toEqual(errors);
  });

  it('at the root see names', () => {
    const schema = compileCustomResourceSchema({ ...schemaOf(object({})), ...rules({ rule: "self.metadata.name.startsWith('k')" }) });
    expect(schema.validate(withSpec({})).errors).toEqual([]);
    expect(schema.validate({ ...withSpec({}), metadata: { name: 'x' } }).errors).toMatchObject([{ field: '<nil>' }]);
  });

  it('about transitions are judged where there is an old value', () => {
    const schema = compileCustomResourceSchema(
      schemaOf(
        object({
          fixed: { type: 'string', ...rules({ rule: 'self == oldSelf', message: 'is immutable' }) },
          list: {
            type: 'array',
            'x-kubernetes-list-type': 'map',
            'x-kubernetes-list-map-keys': ['n'],
            items: object({ n: { type: 'string' }, v: { type: 'integer' } }, rules({ rule: 'self.v >= oldSelf.v' })),
          },
        }),
      ),
    );
    const old = withSpec({
      fixed: 'a',
      list: [
        { n: 'x', v: 1 },
        { n: 'y', v: 5 },
      ],
    });
    expect(schema.validate(old).errors).toEqual([]);
    const next = withSpec({
      fixed: 'b',
      list: [
        { n: 'y', v: 4 },
        { n: 'new', v: 0 },
        { n: 'x', v: 2 },
      ],
    });
    expect(schema.validateUpdate(next, old).errors.map((error) => describeFieldErrors([error]))).toEqual([
      'spec.fixed: Invalid value: "b": is immutable',
      'spec.list[0]: Invalid value: failed rule: self.v >= oldSelf.v',
    ]);
  });

  it('with an optional old value are judged for new ones, too', () => {
    const schema = compileCustomResourceSchema(
      schemaOf({ type: 'integer', ...rules({ rule: 'oldSelf.orValue(0) <= self', optionalOldSelf: true }) }),
    );
    expect(schema.validate(withSpec(-1)).errors).toHaveLength(1);
    expect(schema.validateUpdate(withSpec(3), withSpec(2)).errors).toEqual([]);
    expect(schema.validateUpdate(withSpec(1), withSpec(2)).errors).toHaveLength(1);
  });

  it('that a value broke before only warn while it stays as it is', () => {
    const schema = compileCustomResourceSchema(
      schemaOf(object({ a: { type: 'integer', ...rules({ rule: 'self < 3' }) }, b: { type: 'integer' } })),
    );
    const outcome = schema.validateUpdate(withSpec({ a: 5, b: 2 }), withSpec({ a: 5, b: 1 }));
    expect(outcome).toEqual({ errors: [], warnings: ['spec.a: Invalid value: 5: failed rule: self < 3'] });
  });

  it('stop when their cost is too high', () => {
    const schema = compileCustomResourceSchema(
      schemaOf({
        type: 'array',
        items: { type: 'integer' },
        ...rules({ rule: 'self.all(a, self.all(b, self.all(c, a + b + c < 1000000)))' }),
      }),
    );
    const value = Array.from({ length: 300 }, (_, i) => i);
    expect(schema.validate(withSpec(value)).errors.map((error) => describeFieldErrors([error]))).toEqual([
      expect.stringContaining('no further validation rules will be run due to call cost exceeds limit for rule: self.all(a'),
    ]);
  });
});
