import type { JsonObject } from '../../../engine/object/json.ts';
import { finalizersOf } from '../ownership.ts';
import { CONDITIONS_SCHEMA, condition, type RuleKind } from './rule-kind.ts';

/** kro puts it on every definition that it serves. */
const KRO_FINALIZER = 'kro.run/finalizer';

const OPEN: JsonObject = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
const TEXT: JsonObject = { type: 'string' };
const TEXTS: JsonObject = { type: 'array', items: TEXT };
const NAMES: JsonObject = { type: 'array', items: { type: 'string', maxLength: 63 }, maxItems: 32, 'x-kubernetes-list-type': 'set' };

const fixed = (field: string, schema: JsonObject): JsonObject => ({
  ...schema,
  'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: `${field} cannot change` }],
});

/** As in `kro.run/v1alpha1`: fields, defaults and what may not change. Objects fit into kro's own definition, and kro's into this. */
const SPEC: JsonObject = {
  type: 'object',
  required: ['schema'],
  properties: {
    schema: {
      type: 'object',
      required: ['apiVersion', 'kind'],
      properties: {
        apiVersion: fixed('apiVersion', { type: 'string', pattern: '^v[0-9]+((alpha|beta)[0-9]+)?$' }),
        group: fixed('group', { type: 'string', default: 'kro.run' }),
        kind: fixed('kind', { type: 'string', pattern: '^[A-Z][a-zA-Z0-9]*$', maxLength: 63 }),
        scope: fixed('scope', { type: 'string', enum: ['Namespaced', 'Cluster'], default: 'Namespaced' }),
        spec: OPEN,
        types: OPEN,
        status: OPEN,
        metadata: {
          type: 'object',
          properties: {
            labels: { type: 'object', additionalProperties: TEXT },
            annotations: { type: 'object', additionalProperties: TEXT },
          },
        },
        shortNames: NAMES,
        categories: NAMES,
        additionalPrinterColumns: {
          type: 'array',
          items: {
            type: 'object',
            required: ['name', 'type', 'jsonPath'],
            properties: {
              name: TEXT,
              type: TEXT,
              jsonPath: TEXT,
              description: TEXT,
              format: TEXT,
              priority: { type: 'integer', format: 'int32' },
            },
          },
        },
      },
    },
    resources: {
      type: 'array',
      items: {
        type: 'object',
        required: ['id'],
        properties: {
          id: TEXT,
          template: OPEN,
          externalRef: {
            type: 'object',
            required: ['apiVersion', 'kind', 'metadata'],
            properties: {
              apiVersion: TEXT,
              kind: TEXT,
              metadata: {
                type: 'object',
                properties: {
                  name: { type: 'string', minLength: 1 },
                  namespace: TEXT,
                  selector: { 'x-kubernetes-preserve-unknown-fields': true },
                },
              },
            },
          },
          readyWhen: TEXTS,
          includeWhen: TEXTS,
          forEach: {
            type: 'array',
            items: { type: 'object', minProperties: 1, maxProperties: 1, additionalProperties: TEXT },
          },
        },
        'x-kubernetes-validations': [
          { rule: 'has(self.template) != has(self.externalRef)', message: 'expected exactly one of template and externalRef' },
        ],
      },
    },
  },
};

const STATUS: JsonObject = {
  type: 'object',
  properties: { state: TEXT, topologicalOrder: TEXTS, conditions: CONDITIONS_SCHEMA },
};

const column = (name: string, jsonPath: string, type = 'string'): JsonObject => ({ name, jsonPath, type });

/** kro's definitions. What kro itself serves is left to it. */
export const GRAPH_DEFINITIONS: RuleKind = {
  apiVersion: 'kro.run/v1alpha1',
  kind: 'ResourceGraphDefinition',
  definition: {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'resourcegraphdefinitions.kro.run' },
    spec: {
      group: 'kro.run',
      scope: 'Cluster',
      names: {
        kind: 'ResourceGraphDefinition',
        listKind: 'ResourceGraphDefinitionList',
        plural: 'resourcegraphdefinitions',
        singular: 'resourcegraphdefinition',
        shortNames: ['rgd'],
      },
      versions: [
        {
          name: 'v1alpha1',
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: [
            column('APIVERSION', '.spec.schema.apiVersion'),
            column('KIND', '.spec.schema.kind'),
            column('STATE', '.status.state'),
            column('READY', '.status.conditions[?(@.type=="Ready")].status'),
            column('AGE', '.metadata.creationTimestamp', 'date'),
          ],
          schema: { openAPIV3Schema: { type: 'object', properties: { spec: SPEC, status: STATUS } } },
        },
      ],
    },
  },
  hasObservedGeneration: false,
  leftTo(object) {
    if (!finalizersOf(object).includes(KRO_FINALIZER)) return undefined;
    return `kro serves it, as its finalizer ${KRO_FINALIZER} says; where kro is gone, remove the finalizer`;
  },
  /** The conditions and states are kro's: pkg/controller/resourcegraphdefinition/controller_status.go. */
  statusOf({ refused, order, kind, definitionProblem, serves }) {
    const accepted =
      refused === undefined
        ? condition('GraphAccepted', 'True', 'Valid', 'resource graph and schema are valid')
        : condition('GraphAccepted', 'False', 'InvalidResourceGraph', refused);
    const made = order !== undefined && serves && definitionProblem === undefined;
    const kindReady = made
      ? condition('KindReady', 'True', 'Ready', `kind ${kind} has been accepted and ready`)
      : condition('KindReady', 'False', 'Failed', definitionProblem ?? `kind ${kind} is not made yet`);
    const running =
      order !== undefined && serves
        ? condition('ControllerReady', 'True', 'Running', 'controller is running')
        : condition('ControllerReady', 'False', 'FailedToStart', 'instances are not looked at');
    const missing = [accepted, kindReady, running].find(({ status }) => status !== 'True');
    return {
      fields: { state: missing === undefined ? 'Active' : 'Inactive', ...(order === undefined ? {} : { topologicalOrder: order }) },
      conditions: [
        accepted,
        kindReady,
        running,
        missing === undefined ? condition('Ready', 'True', 'Ready', '') : condition('Ready', 'False', missing.reason, missing.message),
      ],
    };
  },
};
