import { any, doc, type Infer, integer, list, map, object, oneOf, optional, string } from '../../../text/shape.ts';

/** What the API server keeps about an object; read and not looked into. */
const metadata = object(
  { name: string({ minLength: 1 }), labels: optional(map(string())), annotations: optional(map(string())) },
  { open: true },
);

const schema = object({
  apiVersion: string({ doc: 'Version of the API, as v1alpha1.' }),
  group: optional(string({ doc: 'API group. Default: kro.run.' })),
  kind: string({ doc: 'Kind of the instances.' }),
  scope: optional(oneOf('Namespaced', 'Cluster')),
  spec: optional(any({ doc: 'SimpleSchema of spec.' })),
  types: optional(map(any(), { doc: 'SimpleSchemas with a name.' })),
  status: optional(map(any(), { doc: 'Fields of status, each an expression.' })),
  additionalPrinterColumns: optional(
    list(
      object({
        name: string(),
        jsonPath: string(),
        type: string(),
        format: optional(string()),
        description: optional(string()),
        priority: optional(integer()),
      }),
    ),
  ),
  shortNames: optional(list(string())),
  categories: optional(list(string())),
  metadata: optional(object({ labels: optional(map(string())), annotations: optional(map(string())) })),
});

const externalRef = object({
  apiVersion: string(),
  kind: string(),
  metadata: object({ name: optional(string()), namespace: optional(string()), selector: optional(any()) }),
});

export const resourceGraphResource = object({
  id: string(),
  template: optional(map(any(), { doc: 'An object that is to exist.' })),
  externalRef: optional(doc('An object that others made.', externalRef)),
  readyWhen: optional(list(string(), { doc: 'Expressions that must all be true for the object to be ready. Default: it exists.' })),
  includeWhen: optional(list(string(), { doc: 'Expressions that must all be true for there to be the object.' })),
  forEach: optional(list(map(string()), { doc: 'Names, and the lists that their items come from: every combination.' })),
});
export type ResourceGraphResource = Infer<typeof resourceGraphResource>;

/** kro: `ResourceGraphDefinition` (kro.run/v1alpha1). */
export const resourceGraphDefinition = object({
  apiVersion: oneOf('kro.run/v1alpha1'),
  kind: oneOf('ResourceGraphDefinition'),
  metadata,
  spec: object({
    schema: doc('The kind that the definition makes.', schema),
    resources: optional(list(resourceGraphResource, { doc: 'What an instance stands for.' })),
  }),
  status: optional(any()),
});
export type ResourceGraphDefinitionDocument = Infer<typeof resourceGraphDefinition>;
