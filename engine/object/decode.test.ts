import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { TypeTableData } from './compact-schema.ts';
import { decodeObject } from './decode.ts';
import type { JsonObject } from './json.ts';
import type { MapSchema } from './schema.ts';
import { createTypeTable } from './type-table.ts';

const table = createTypeTable(
  JSON.parse(readFileSync(new URL('../../schemas/kubernetes/v1.37.json', import.meta.url), 'utf8')) as TypeTableData,
);
const decode = (object: JsonObject) => decodeObject(object, table.typeOf(object) as MapSchema);
const errorOf = (object: JsonObject): string | undefined => {
  const result = decode(object);
  return result.ok ? undefined : result.message;
};
const configMap = (parts: JsonObject): JsonObject => ({ apiVersion: 'v1', kind: 'ConfigMap', ...parts });
const pod = (spec: JsonObject, metadata: JsonObject = {}): JsonObject => ({ apiVersion: 'v1', kind: 'Pod', metadata, spec });

const lease = (spec: JsonObject): JsonObject => ({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', spec });

// Expected texts: apimachinery's strict JSON serializer, asked with the same objects.
describe('decodeObject', () => {
  it.each<[JsonObject, string | undefined]>([
    [configMap({ data: { a: 'x' }, immutable: null, metadata: { creationTimestamp: null, labels: null } }), undefined],
    [configMap({ data: 1 }), 'json: cannot unmarshal number into Go struct field ConfigMap.data of type map[string]string'],
    [configMap({ data: { a: 1 } }), 'json: cannot unmarshal number into Go struct field ConfigMap.data of type string'],
    [configMap({ data: { a: true }, immutable: 'x' }), 'json: cannot unmarshal bool into Go struct field ConfigMap.data of type string'],
    [configMap({ immutable: 'x' }), 'json: cannot unmarshal string into Go struct field ConfigMap.immutable of type bool'],
    [
      configMap({ metadata: { generation: 1.5 } }),
      'json: cannot unmarshal number 1.5 into Go struct field ObjectMeta.metadata.generation of type int64',
    ],
    [
      configMap({ metadata: { finalizers: 'x' } }),
      'json: cannot unmarshal string into Go struct field ObjectMeta.metadata.finalizers of type []string',
    ],
    [configMap({ binaryData: { a: '$' } }), 'illegal base64 data at input byte 0'],
    [configMap({ metadata: { creationTimestamp: 'x' } }), 'parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006"'],
    [
      configMap({ metadata: { creationTimestamp: 1 } }),
      'json: cannot unmarshal number into Go struct field ObjectMeta.metadata.creationTimestamp of type string',
    ],
    [lease({ renewTime: 'x' }), 'parsing time "x" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "x" as "2006"'],
    [
      lease({ renewTime: '2030-01-01T00:00:00Z' }),
      'parsing time "2030-01-01T00:00:00Z" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "Z" as ".000000"',
    ],
    [lease({ renewTime: '2030-01-01T00:00:00.000001Z', acquireTime: '2030-01-01T00:00:00.000001+01:00' }), undefined],
    [pod({ containers: {} }), 'json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container'],
    [pod({ containers: [1] }), 'json: cannot unmarshal number into Go struct field PodSpec.spec.containers of type v1.Container'],
    [
      pod({ containers: [{ image: 5 }] }),
      'json: cannot unmarshal number into Go struct field Container.spec.containers.image of type string',
    ],
    [
      pod({ containers: [{ ports: [{ containerPort: 3_000_000_000 }] }] }),
      'json: cannot unmarshal number 3000000000 into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32',
    ],
    [pod({ overhead: { cpu: '1mm' } }), "unable to parse quantity's suffix"],
    [pod({ overhead: { cpu: true } }), "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"],
    [pod({ overhead: { cpu: 1, memory: '2Gi' } }), undefined],
    [
      { apiVersion: 'v1', kind: 'Service', spec: { ports: [{ targetPort: true }] } },
      'json: cannot unmarshal bool into Go struct field ServicePort.spec.ports.targetPort of type int32',
    ],
    [{ apiVersion: 'v1', kind: 'Service', spec: { ports: [{ targetPort: 'http' }, { targetPort: 80 }] } }, undefined],
    [configMap({ nope: 1 }), 'strict decoding error: unknown field "nope"'],
    [
      pod({ zzz: 1, containers: [{ name: 'a' }, { nme: 'b' }] }, { labls: {} }),
      'strict decoding error: unknown field "metadata.labls", unknown field "spec.containers[1].nme", unknown field "spec.zzz"',
    ],
    [pod({ nope: 1, hostNetwork: 'x' }), 'json: cannot unmarshal string into Go struct field PodSpec.spec.hostNetwork of type bool'],
    [
      configMap(JSON.parse('{"__proto__": 1, "toString": 2}') as JsonObject),
      'strict decoding error: unknown field "__proto__", unknown field "toString"',
    ],
  ])('%j: %s', (object, message) => {
    expect(errorOf(object)).toBe(message);
  });

  it('drops null fields, and puts zero values in the place of other nulls', () => {
    const object = configMap({ immutable: null, data: { a: null, b: 'x' }, metadata: { labels: null, finalizers: ['a', null] } });
    expect(decode(object)).toEqual({ ok: true, object: configMap({ data: { a: '', b: 'x' }, metadata: { finalizers: ['a', ''] } }) });
    expect(decode(pod({ containers: [null, { name: 'a', ports: null }], overhead: { cpu: null } }))).toEqual({
      ok: true,
      object: pod({ containers: [{}, { name: 'a' }], overhead: { cpu: '0' } }),
    });
  });

  it('answers the object itself where decoding changes nothing', () => {
    const object = pod({ containers: [{ name: 'a' }] });
    expect(decode(object)).toEqual({ ok: true, object });
    const result = decode(object);
    expect(result.ok && result.object).toBe(object);
  });
});

describe('what Go does not write', () => {
  it.each<[string, JsonObject, JsonObject]>([
    ['empty maps', configMap({ data: {}, metadata: { labels: {}, name: 'x' } }), configMap({ metadata: { name: 'x' } })],
    ['empty lists', configMap({ metadata: { finalizers: [] } }), configMap({ metadata: {} })],
    [
      'structures stay',
      pod({ containers: [{ name: 'c', resources: { limits: {} } }] }),
      pod({ containers: [{ name: 'c', resources: {} }] }),
    ],
    ['required lists stay', pod({ containers: [] }), pod({ containers: [] })],
    [
      'pointers to structures stay',
      pod({ containers: [], volumes: [{ name: 'v', emptyDir: {} }] }),
      pod({ containers: [], volumes: [{ name: 'v', emptyDir: {} }] }),
    ],
  ])('%s', (_, given, expected) => {
    expect(decode(given)).toEqual({ ok: true, object: expected });
  });
});
