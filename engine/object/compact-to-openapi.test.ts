import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { CompactSchema, TypeTableData } from './compact-schema.ts';
import { compactSchemaToOpenApi } from './compact-to-openapi.ts';
import { compactOpenApi } from './openapi-schema.ts';

const data = JSON.parse(readFileSync(new URL('../../schemas/kubernetes/v1.37.json', import.meta.url), 'utf8')) as TypeTableData;
const refOf = (name: string): string => `#/components/schemas/${name.replaceAll('.', '_')}`;
const nameOf = (ref: string): string => ref.replaceAll('_', '.');

describe('a compact schema as OpenAPI', () => {
  it('shows how lists and maps merge', () => {
    const compact: CompactSchema = {
      fields: {
        list: { list: '#a.b', by: ['name'], patch: 'name' },
        map: { map: 'string', atomic: true },
        size: 'quantity',
        n: 'integer/int32',
      },
      required: ['list'],
      defaults: { n: 3 },
    };
    expect(compactSchemaToOpenApi(compact, refOf)).toEqual({
      type: 'object',
      properties: {
        list: {
          type: 'array',
          items: { $ref: '#/components/schemas/a_b' },
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name'],
          'x-kubernetes-patch-strategy': 'merge',
          'x-kubernetes-patch-merge-key': 'name',
        },
        map: { type: 'object', additionalProperties: { type: 'string' }, 'x-kubernetes-map-type': 'atomic' },
        size: { $ref: '#/components/schemas/quantity' },
        n: { type: 'integer', format: 'int32', default: 3 },
      },
      required: ['list'],
    });
  });

  it.each(Object.keys(data.definitions).filter((name) => name !== 'meta.v1.FieldsV1'))('%s reads back as itself', (name) => {
    const compact = data.definitions[name] as CompactSchema;
    expect(compactOpenApi(compactSchemaToOpenApi(compact, refOf), { nameOf, goTypes: true })).toEqual(compact);
  });
});
