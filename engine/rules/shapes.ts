import { type Infer, list, map, named, object, oneOf, optional, string } from '../text/shape.ts';

/*
 * Parts of documents that several kinds of rules have.
 */

/** Kubernetes: apimachinery pkg/apis/meta/v1 LabelSelector. */
export const labelSelector = named(
  'LabelSelector',
  object({
    matchLabels: optional(map(string(), { doc: 'Labels that must have exactly these values.' })),
    matchExpressions: optional(
      list(
        object({
          key: string(),
          operator: oneOf('In', 'NotIn', 'Exists', 'DoesNotExist'),
          values: optional(list(string(), { doc: 'For In and NotIn.' })),
        }),
        { doc: 'Requirements that must all hold.' },
      ),
    ),
  }),
);
export type LabelSelector = Infer<typeof labelSelector>;

export const variable = object({
  name: string({ doc: 'Read as variables.<name> by what follows.' }),
  expression: string({ doc: 'CEL, evaluated at most once and only when used.' }),
});
export type VariableDocument = Infer<typeof variable>;
