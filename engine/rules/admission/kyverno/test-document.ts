import { any, boolean, type Infer, list, map, object, optional, string } from '../../../text/shape.ts';

const result = object(
  {
    policy: string(),
    rule: optional(string()),
    kind: optional(string()),
    resources: optional(list(string())),
    resource: optional(string()),
    namespace: optional(string()),
    result: optional(string()),
    status: optional(string()),
    patchedResources: optional(string()),
    patchedResource: optional(string()),
    generatedResource: optional(string()),
    isValidatingPolicy: optional(boolean()),
    isMutatingPolicy: optional(boolean()),
  },
  { open: true },
);
export type KyvernoTestRow = Infer<typeof result>;

/** Kyverno: `kyverno-test.yaml` of its command line. */
export const kyvernoTest = object(
  {
    apiVersion: optional(string()),
    kind: optional(string()),
    metadata: optional(object({ name: optional(string()) }, { open: true })),
    name: optional(string()),
    policies: optional(list(string())),
    resources: optional(list(string())),
    targetResources: optional(list(string())),
    parameterResources: optional(list(string())),
    exceptions: optional(list(string())),
    variables: optional(string()),
    userinfo: optional(string()),
    context: optional(string()),
    values: optional(any()),
    results: optional(list(result)),
  },
  { open: true },
);
export type KyvernoTestDocument = Infer<typeof kyvernoTest>;

/** The file behind `variables`: values per policy and resource, and namespaces. */
export const kyvernoValues = object(
  {
    policies: optional(
      list(
        object(
          {
            name: string(),
            resources: optional(list(object({ name: string(), values: optional(map(any())) }, { open: true }))),
          },
          { open: true },
        ),
      ),
    ),
    globalValues: optional(map(any())),
    namespaceSelector: optional(list(object({ name: string(), labels: optional(map(string())) }, { open: true }))),
    namespaces: optional(list(any())),
  },
  { open: true },
);
export type KyvernoValues = Infer<typeof kyvernoValues>;
