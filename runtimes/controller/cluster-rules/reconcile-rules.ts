import type { JsonObject } from '../../../engine/object/json.ts';
import { CONDITIONS_SCHEMA, condition, type RuleKind } from './rule-kind.ts';

const TEXT: JsonObject = { type: 'string' };

/**
 * Our own rules. The API server only keeps them: what a rule may say is known to the compiler, and what is wrong stands in `status`
 * with its path.
 */
export const RECONCILE_RULES: RuleKind = {
  apiVersion: 'fairlead.dev/v1alpha1',
  kind: 'ReconcileRule',
  definition: {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'reconcilerules.fairlead.dev' },
    spec: {
      group: 'fairlead.dev',
      scope: 'Cluster',
      names: { kind: 'ReconcileRule', listKind: 'ReconcileRuleList', plural: 'reconcilerules', singular: 'reconcilerule' },
      versions: [
        {
          name: 'v1alpha1',
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: [
            { name: 'Ready', jsonPath: '.status.conditions[?(@.type=="Ready")].status', type: 'string' },
            { name: 'Age', jsonPath: '.metadata.creationTimestamp', type: 'date' },
          ],
          schema: {
            openAPIV3Schema: {
              type: 'object',
              required: ['spec'],
              properties: {
                spec: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
                status: {
                  type: 'object',
                  properties: {
                    observedGeneration: { type: 'integer', format: 'int64' },
                    order: { type: 'array', items: TEXT },
                    conditions: CONDITIONS_SCHEMA,
                  },
                },
              },
            },
          },
        },
      ],
    },
  },
  hasObservedGeneration: true,
  leftTo: () => undefined,
  statusOf({ refused, order, kind, definitionProblem, serves }) {
    const accepted =
      refused === undefined
        ? condition('Accepted', 'True', 'Compiled', 'the rule compiles')
        : condition('Accepted', 'False', 'Refused', refused);
    const fields: JsonObject = order === undefined ? {} : { order };
    const problem = refused ?? definitionProblem;
    if (problem !== undefined) {
      const [ready, stalled] = (['Ready', 'Stalled'] as const).map((type) =>
        condition(type, type === 'Ready' ? 'False' : 'True', accepted.status === 'True' ? 'DefinitionRefused' : 'Refused', problem),
      );
      return { fields, conditions: [accepted, ready!, stalled!] };
    }
    if (serves) return { fields, conditions: [accepted, condition('Ready', 'True', 'Serving', `instances of ${kind} are served`)] };
    const message = `kind ${kind} is not made yet`;
    return {
      fields,
      conditions: [accepted, condition('Ready', 'False', 'Progressing', message), condition('Reconciling', 'True', 'Progressing', message)],
    };
  },
};
