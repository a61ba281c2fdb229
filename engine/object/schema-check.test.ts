import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { formatPath } from '../text/document.ts';
import type { TypeTableData } from './compact-schema.ts';
import { applyDefaults } from './defaults.ts';
import type { Json, JsonObject } from './json.ts';
import type { MapSchema } from './schema.ts';
import { checkSchema, type SchemaCheckOptions } from './schema-check.ts';
import { createTypeTable, customResourceTypes } from './type-table.ts';

const data = JSON.parse(readFileSync(new URL('../../schemas/kubernetes/v1.37.json', import.meta.url), 'utf8')) as TypeTableData;
const table = createTypeTable(data);
const pod = table.kind('', 'v1', 'Pod') as MapSchema;

const issues = (value: Json, options?: SchemaCheckOptions): string[] =>
  checkSchema(value, pod, options).map(
    ({ path, part, message, hint }) => `${formatPath(path)}${part === 'key' ? ' (key)' : ''}: ${message}${hint ? `; ${hint}` : ''}`,
  );

describe('checkSchema', () => {
  it('accepts an object as the API server prints it', () => {
    expect(
      issues({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'p', labels: { a: 'b' }, creationTimestamp: null },
        spec: {
          containers: [
            {
              name: 'a',
              ports: [{ containerPort: 80 }, { containerPort: 80, protocol: 'UDP' }],
              resources: { limits: { cpu: 1, memory: '1Gi' } },
              livenessProbe: { httpGet: { port: 'http' } },
            },
          ],
          terminationGracePeriodSeconds: 30n,
        },
      }),
    ).toEqual([]);
  });

  it('finds everything, in document order', () => {
    expect(
      issues({
        metadata: { lables: { a: 'b' }, labels: { ok: true, n: 1 }, annotations: [] },
        spec: {
          containers: [{ name: 'a', imagee: 'x', args: 'x', ports: [{ containerPort: '80' }] }, { name: 'a' }, 5],
          hostNetwork: 'yes',
          priority: 1.5,
          overhead: { cpu: true },
          nodeSelector: 'a long text that would not help anyone in a message',
        },
        status: { podIPs: [{ ip: '::1' }, { ip: '::1' }] },
        zzz: 1,
      }),
    ).toEqual([
      '$.metadata.lables (key): unknown field lables of ObjectMeta; did you mean labels?',
      '$.metadata.labels.ok: expected a string, found true; write "true" in quotes',
      '$.metadata.labels.n: expected a string, found 1; write "1" in quotes',
      '$.metadata.annotations: expected a map, found a list',
      '$.spec.containers[0].imagee (key): unknown field imagee of Container; did you mean image?',
      '$.spec.containers[0].args: expected a list, found the string "x"',
      '$.spec.containers[0].ports[0].containerPort: expected an integer, found the string "80"',
      '$.spec.containers[1]: a second item [name="a"]: items of this list are told apart by name',
      '$.spec.containers[2]: expected an object, found 5',
      '$.spec.hostNetwork: expected true or false, found the string "yes"',
      '$.spec.priority: expected an integer, found 1.5',
      '$.spec.overhead.cpu: expected a quantity, as 500m or 2Gi, found true',
      '$.spec.nodeSelector: expected a map, found a string',
      '$.status.podIPs[1]: a second item [ip="::1"]: items of this list are told apart by ip',
      '$.zzz (key): unknown field zzz of Pod',
    ]);
  });

  it('tells what is missing, unless it is to be merged', () => {
    expect(issues({ spec: {} })).toEqual(['$.spec: missing field containers']);
    expect(issues({ spec: {} }, { required: false })).toEqual([]);
  });

  it('passes over what is not known yet', () => {
    const skip = (value: Json): boolean => typeof value === 'string' && value.includes('${');
    const template = {
      metadata: { labels: '${x}' },
      '${key}': 1,
      spec: { containers: [{ name: '${a}' }, { name: '${a}' }, '${c}', '${c}'], hostNetwork: '${b}', nodeNam: '${d}' },
    };
    expect(issues(template, { skip })).toEqual(['$.spec.nodeNam (key): unknown field nodeNam of PodSpec; did you mean nodeName?']);
  });
});

describe('applyDefaults', () => {
  const thing = createTypeTable(
    data,
    customResourceTypes([
      {
        spec: {
          group: 'example.com',
          names: { kind: 'Thing', plural: 'things' },
          versions: [
            {
              name: 'v1',
              schema: {
                openAPIV3Schema: {
                  type: 'object',
                  properties: {
                    spec: {
                      type: 'object',
                      default: {},
                      properties: {
                        size: { type: 'integer', default: 0 },
                        on: { type: 'boolean', default: false },
                        list: {
                          type: 'array',
                          items: { type: 'object', properties: { name: { type: 'string' }, mode: { type: 'string', default: 'rw' } } },
                        },
                        map: {
                          type: 'object',
                          additionalProperties: { type: 'object', properties: { a: { type: 'integer', default: 1 } } },
                        },
                        nested: { type: 'object', properties: { deep: { type: 'string', default: 'x' } } },
                      },
                    },
                  },
                },
              },
            },
          ],
        },
      },
    ]),
  ).kind('example.com', 'v1', 'Thing') as MapSchema;

  it.each<[JsonObject, JsonObject]>([
    [{}, { spec: { size: 0, on: false } }],
    [{ spec: null }, { spec: { size: 0, on: false } }],
    [{ spec: { size: 3, nested: {} } }, { spec: { size: 3, on: false, nested: { deep: 'x' } } }],
    [
      { spec: { list: [{ name: 'a' }, { mode: 'ro' }], map: { k: {} } } },
      { spec: { size: 0, on: false, list: [{ name: 'a', mode: 'rw' }, { mode: 'ro' }], map: { k: { a: 1 } } } },
    ],
    [{ spec: 'wrong' }, { spec: 'wrong' }],
  ])('%j', (value, expected) => {
    const before = structuredClone(value);
    expect(applyDefaults(value, thing)).toEqual(expected);
    expect(value).toEqual(before);
  });

  it('answers the value itself when nothing is missing', () => {
    const full = applyDefaults({ spec: { list: [{ name: 'a' }] } }, thing);
    expect(applyDefaults(full, thing)).toBe(full);
  });

  it('sets of the built-in kinds what their schemas publish, and no zero values', () => {
    expect(
      applyDefaults({ apiVersion: 'v1', kind: 'Service', spec: { ports: [{ name: 'a' }] } }, table.kind('', 'v1', 'Service') as MapSchema),
    ).toEqual({
      apiVersion: 'v1',
      kind: 'Service',
      spec: { ports: [{ name: 'a', protocol: 'TCP' }] },
    });
  });
});
