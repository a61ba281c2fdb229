import { describe, expect, it } from 'vitest';
import { describeFieldErrors } from '../field-error.ts';
import type { JsonObject } from '../json.ts';
import { checkSchema } from './check-schema.ts';

const schemaOf = (spec: JsonObject, more: JsonObject = {}): JsonObject => ({ type: 'object', properties: { spec }, ...more });
const errorsOf = (schema: JsonObject, hasStatus = false): string[] =>
  checkSchema(schema, 's', { hasStatus }).map((error) => describeFieldErrors([error]));
const rule = (text: string, more: JsonObject = {}): JsonObject => ({ 'x-kubernetes-validations': [{ rule: text, ...more }] });

describe('a schema that is good', () => {
  it.each<{ what: string; schema: JsonObject }>([
    { what: 'empty', schema: { type: 'object' } },
    { what: 'int-or-string', schema: schemaOf({ anyOf: [{ type: 'integer' }, { type: 'string' }], 'x-kubernetes-int-or-string': true }) },
    { what: 'free-form', schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
    {
      what: 'with names of metadata',
      schema: { type: 'object', properties: { metadata: { type: 'object', properties: { name: { type: 'string' } } } } },
    },
    {
      what: 'with junctors, defaults and rules',
      schema: schemaOf({
        type: 'object',
        default: { a: 3 },
        properties: { a: { type: 'integer', default: 2 } },
        oneOf: [{ required: ['a'] }, { properties: { a: { maximum: 1 } } }],
        ...rule('self.a > 0'),
      }),
    },
  ])('$what', ({ schema }) => {
    expect(errorsOf(schema)).toEqual([]);
  });
});

describe('a schema that is not', () => {
  it.each<{ schema: JsonObject; errors: string[] }>([
    { schema: {}, errors: ['s.type: Required value: must not be empty at the root'] },
    { schema: { type: 'string' }, errors: ['s.type: Invalid value: "string": must be object at the root'] },
    { schema: schemaOf({ type: 'array' }), errors: ['s.properties[spec].items: Required value: must be specified'] },
    {
      schema: schemaOf({ type: 'array', items: {} }),
      errors: ['s.properties[spec].items.type: Required value: must not be empty for specified array items'],
    },
    {
      schema: schemaOf({ type: 'object', anyOf: [{ type: 'object', properties: { a: {} } }] }),
      errors: ['s.properties[spec].anyOf[0].type: Forbidden: must be empty to be structural'],
    },
    {
      schema: { type: 'object', oneOf: [{ properties: { a: { minimum: 1 } } }] },
      errors: ['s.properties[a]: Required value: because it is defined in s.oneOf[0].properties[a]'],
    },
    {
      schema: { type: 'object', properties: { metadata: { type: 'object', properties: { labels: { type: 'object' } } } } },
      errors: [
        's.properties[metadata]: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified',
      ],
    },
    {
      schema: schemaOf({ type: 'string', pattern: '(' }),
      errors: [
        's.properties[spec].pattern: Invalid value: "(": must be a valid regular expression, but isn\'t: error parsing regexp: missing closing ): `(`',
      ],
    },
    {
      schema: schemaOf({ type: 'strange' }),
      errors: [
        's.properties[spec].type: Unsupported value: "strange": supported values: "array", "boolean", "integer", "number", "object", "string"',
      ],
    },
    {
      schema: schemaOf({ type: 'object', properties: { a: { type: 'string' } }, additionalProperties: { type: 'string' } }),
      errors: ['s.properties[spec].additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive'],
    },
    {
      schema: schemaOf({ type: 'array', items: { type: 'string' }, uniqueItems: true }),
      errors: [
        's.properties[spec].uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic',
      ],
    },
    {
      schema: schemaOf({
        type: 'array',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['n'],
        items: { type: 'object', properties: { n: { type: 'string' } } },
      }),
      errors: [
        's.properties[spec].items.properties[n].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property',
      ],
    },
    {
      schema: schemaOf({ type: 'string', 'x-kubernetes-list-type': 'some' }),
      errors: [
        's.properties[spec].type: Invalid value: "string": must be array if x-kubernetes-list-type is specified',
        's.properties[spec].x-kubernetes-list-type: Unsupported value: "some": supported values: "atomic", "set", "map"',
      ],
    },
    {
      schema: schemaOf({ type: 'object', properties: { a: { type: 'integer', default: 'x' } } }),
      errors: ['s.properties[spec].properties[a].default: Invalid value: "string":  in body must be of type integer: "string"'],
    },
    {
      schema: schemaOf({ type: 'object', default: { b: 1 }, properties: { a: { type: 'integer' } } }),
      errors: ['s.properties[spec].default: Invalid value: {"b":1}: must not have unknown fields'],
    },
    {
      schema: { type: 'object', properties: { metadata: { type: 'object', default: {} } } },
      errors: ['s.properties[metadata].default: Forbidden: must not be set in top-level metadata'],
    },
  ])('$errors', ({ schema, errors }) => {
    expect(errorsOf(schema)).toEqual(errors);
  });

  it('says at its root what a status would lose', () => {
    expect(errorsOf({ ...schemaOf({ type: 'object' }), oneOf: [{ required: ['spec'] }] }, true)[0]).toContain(
      'fields are allowed at the root of the schema if the status subresource is enabled',
    );
  });
});

describe('rules', () => {
  it.each<{ what: string; schema: JsonObject; errors: string[] }>([
    {
      what: 'that do not compile',
      schema: schemaOf({ type: 'object', properties: { a: { type: 'integer' } }, ...rule('self.b > 1') }),
      errors: [
        's.properties[spec].x-kubernetes-validations[0].rule: Invalid value: {"FieldPath":"","Message":"","MessageExpression":"","OptionalOldSelf":null,"Reason":null,"Rule":"self.b \\u003e 1"}: compilation failed: ERROR: <input>:1:5: undefined field \'b\'\n | self.b > 1\n | ....^',
      ],
    },
    {
      what: 'that answer something else than yes or no',
      schema: schemaOf({ type: 'integer', ...rule('self + 1') }),
      errors: [expect.stringContaining('cel expression must evaluate to a bool') as unknown as string],
    },
    {
      what: 'without a text',
      schema: schemaOf({ type: 'integer', ...rule(' ') }),
      errors: ['s.properties[spec].x-kubernetes-validations[0].rule: Required value: rule is not specified'],
    },
    {
      what: 'about a transition where old elements can not be told',
      schema: schemaOf({ type: 'array', maxItems: 3, items: { type: 'integer', ...rule('self >= oldSelf') } }),
      errors: [
        's.properties[spec].items.x-kubernetes-validations[0].rule: Invalid value: "self >= oldSelf": oldSelf cannot be used on the uncorrelatable portion of the schema within s.properties[spec]',
      ],
    },
    {
      what: 'that may cost too much',
      schema: schemaOf({ type: 'array', items: { type: 'string' }, ...rule('self.all(x, self.all(y, x == y))') }),
      errors: [
        expect.stringContaining('rule: Forbidden: estimated rule cost exceeds budget by factor of more than 100x') as unknown as string,
        's.properties[spec].x-kubernetes-validations[0].rule: Forbidden: contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema',
        expect.stringContaining(
          's: Forbidden: x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema exceeds budget by factor of more than 100x',
        ) as unknown as string,
      ],
    },
    {
      what: 'with a path that leads nowhere',
      schema: schemaOf({ type: 'object', properties: { a: { type: 'integer' } }, ...rule('true', { fieldPath: '.b' }) }),
      errors: ['s.properties[spec].x-kubernetes-validations[0].fieldPath: Invalid value: ".b": must be a valid path'],
    },
  ])('$what', ({ schema, errors }) => {
    expect(errorsOf(schema)).toEqual(errors);
  });
});
