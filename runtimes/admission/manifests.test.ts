import { describe, expect, it } from 'vitest';
import { builtInTypes } from '../../engine/bundle/built-in-types.ts';
import type { JsonObject } from '../../engine/object/json.ts';
import { checkSchema } from '../../engine/object/schema-check.ts';
import { deploymentManifests, serviceAddress } from './manifests.ts';
import { webhookConfigurations } from './webhook-configuration.ts';

const options = {
  namespace: 'fairlead',
  name: 'hook',
  image: 'fairlead:1',
  tlsSecret: 'hook-tls',
  rulesConfigMap: 'rules',
  lookups: [{ apiGroup: '', resource: 'configmaps' }],
};

describe('manifests', () => {
  const types = builtInTypes([]);
  const manifests = deploymentManifests(options) as readonly JsonObject[];
  const configurations = webhookConfigurations(
    { rules: [{ kind: 'AdmissionRule', name: 'x' }] },
    { name: 'hook', address: serviceAddress(options), caBundle: 'pem', excludedUser: 'system:serviceaccount:fairlead:hook' },
  ) as unknown as readonly JsonObject[];

  it.each([...manifests, ...configurations].map((object) => [object['kind'], object] as const))(
    '%s has only fields that Kubernetes knows, of their types',
    (_, object) => {
      const type = types.typeOf(object);
      expect(type).toBeDefined();
      expect(checkSchema(object, type!)).toEqual([]);
    },
  );

  it('agree with each other on names, labels and ports', () => {
    const find = (kind: string): JsonObject => manifests.find((object) => object['kind'] === kind)!;
    const spec = (kind: string) =>
      find(kind)['spec'] as {
        readonly selector: unknown;
        readonly template: {
          readonly metadata: { readonly labels: unknown };
          readonly spec: { readonly containers: readonly { readonly ports: readonly { readonly name: string }[] }[] };
        };
      };
    const { labels } = spec('Deployment').template.metadata;
    expect(spec('Service').selector).toEqual(labels);
    expect(spec('Deployment').selector).toEqual({ matchLabels: labels });
    expect(spec('PodDisruptionBudget').selector).toEqual({ matchLabels: labels });
    expect(spec('Deployment').template.spec.containers[0]!.ports.map(({ name }) => name)).toEqual(['https', 'health']);
    expect(find('ClusterRole')['rules']).toContainEqual({ apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list'] });
  });
});
