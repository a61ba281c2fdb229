import type { Draft } from './case.ts';

/** Custom kinds of the cases: what ConfigMap can't show (typed, list map, set, atomic and free-form fields; cluster-scoped parameters). */
export const CUSTOM_RESOURCES: readonly Draft[] = [
  customResource('Widget', 'Namespaced', {
    type: 'object',
    properties: {
      spec: {
        type: 'object',
        properties: {
          size: { type: 'integer' },
          ratio: { type: 'number' },
          name: { type: 'string' },
          enabled: { type: 'boolean' },
          defaulted: { type: 'string', default: 'standard' },
          port: { 'x-kubernetes-int-or-string': true },
          labels: { type: 'object', additionalProperties: { type: 'string' } },
          tags: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
          entries: {
            type: 'array',
            'x-kubernetes-list-type': 'map',
            'x-kubernetes-list-map-keys': ['name'],
            items: {
              type: 'object',
              required: ['name'],
              properties: { name: { type: 'string' }, value: { type: 'string' }, count: { type: 'integer' } },
            },
          },
          ports: {
            type: 'array',
            'x-kubernetes-list-type': 'map',
            'x-kubernetes-list-map-keys': ['port', 'protocol'],
            items: {
              type: 'object',
              required: ['port'],
              properties: { port: { type: 'integer' }, protocol: { type: 'string', default: 'TCP' }, name: { type: 'string' } },
            },
          },
          atoms: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'atomic' },
          plain: { type: 'array', items: { type: 'object', properties: { name: { type: 'string' } } } },
          atom: { type: 'object', 'x-kubernetes-map-type': 'atomic', properties: { a: { type: 'string' }, b: { type: 'string' } } },
          nested: {
            type: 'object',
            properties: { a: { type: 'string' }, b: { type: 'string' }, deep: { type: 'object', properties: { c: { type: 'integer' } } } },
          },
          any: { 'x-kubernetes-preserve-unknown-fields': true },
        },
      },
      status: { type: 'object', properties: { phase: { type: 'string' }, replicas: { type: 'integer' } } },
    },
  }),
  customResource('Limit', 'Namespaced', {
    type: 'object',
    properties: { spec: { type: 'object', properties: { max: { type: 'integer' }, names: { type: 'array', items: { type: 'string' } } } } },
  }),
  customResource('ClusterLimit', 'Cluster', {
    type: 'object',
    properties: { spec: { type: 'object', properties: { max: { type: 'integer' } } } },
  }),
];

function customResource(kind: string, scope: 'Namespaced' | 'Cluster', openAPIV3Schema: Draft): Draft {
  const plural = `${kind.toLowerCase()}s`;
  const version = { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema }, subresources: { status: {} } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.conformance.example` },
    spec: { group: 'conformance.example', scope, names: { kind, plural, singular: kind.toLowerCase() }, versions: [version] },
  };
}
