import type { Json, JsonObject } from '../../engine/object/json.ts';
import type { TestCluster } from './cluster.fixture.ts';

export const GROUP = 'tests.example.com';

/** A rule named as the lower-case kind, that makes the kind with `spec: { value: string, names: "[]string" }`; `body`: YAML of its other fields. */
export function ruleFor(kind: string, body: string, schema = '{ value: string | default=x, names: "[]string | default=[]" }'): string {
  return `
apiVersion: fairlead.dev/v1alpha1
kind: ReconcileRule
metadata: { name: ${kind.toLowerCase()} }
spec:
  resource: { group: ${GROUP}, version: v1, kind: ${kind}, spec: ${schema} }
${body.replace(/^/gm, '  ')}
`;
}

/** An entry of `objects` that makes a ConfigMap `<instance>-<id>` with this data. */
export const configMapEntry = (id: string, data = '{ value: "${self.spec.value}" }', more = ''): string => `
- id: ${id}
${more.replace(/^(?=.)/gm, '  ')}
  template: { apiVersion: v1, kind: ConfigMap, metadata: { name: "\${self.metadata.name}-${id}" }, data: ${data} }`;

export const instanceOf = (kind: string, namespace: string, spec: JsonObject = {}, name = 'a'): JsonObject => ({
  apiVersion: `${GROUP}/v1`,
  kind,
  metadata: { namespace, name },
  spec,
});

interface Condition {
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

export function conditionOf(object: JsonObject | null, type: string): Condition | undefined {
  const status = (object?.['status'] ?? {}) as { readonly conditions?: readonly (Condition & { readonly type: Json })[] };
  return status.conditions?.find((each) => each.type === type);
}

/** Makes an instance once its kind is served. */
export function createInstance(cluster: TestCluster, instance: JsonObject): Promise<JsonObject> {
  return cluster.until(async () => {
    cluster.client.discovery.invalidate(GROUP);
    return cluster.create(instance);
  });
}

/** Waits until a condition of an instance is as wanted, and answers the instance. */
export function untilCondition(
  cluster: TestCluster,
  { kind, metadata }: JsonObject,
  type: string,
  wanted: Partial<Condition>,
): Promise<JsonObject> {
  const { namespace, name } = metadata as { readonly namespace: string; readonly name: string };
  return cluster.until(async () => {
    const object = await cluster.get(`${GROUP}/v1`, String(kind), namespace, name);
    const found = conditionOf(object, type);
    const fits = found !== undefined && Object.entries(wanted).every(([field, value]) => found[field as keyof Condition].includes(value));
    if (!fits) throw new Error(`condition ${type} is ${JSON.stringify(found)}`);
    return object ?? undefined;
  });
}
