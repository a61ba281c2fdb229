import { describe, expect, it } from 'vitest';
import { compileBundle } from '../../engine/bundle/compile.ts';
import { parseYaml } from '../../engine/text/yaml.ts';
import { type WebhookConfigurationOptions, webhookConfigurations, webhookRules } from './webhook-configuration.ts';

const options: WebhookConfigurationOptions = {
  name: 'policies',
  address: { kind: 'service', namespace: 'fairlead', name: 'hook' },
  caBundle: '-----BEGIN CERTIFICATE-----\n',
};

function configured(text: string, extra: Partial<WebhookConfigurationOptions> = {}) {
  const { documents, diagnostics } = parseYaml({ name: 'rules.yaml', text });
  const bundle = compileBundle(documents, { diagnostics });
  expect(bundle.diagnostics).toEqual([]);
  return webhookConfigurations(bundle.program!.admission, { ...options, ...extra });
}

const VALIDATION = `
apiVersion: fairlead.dev/v1alpha1
kind: AdmissionRule
metadata: { name: no-latest }
spec:
  matchConstraints:
    resourceRules:
    - { apiGroups: [""], apiVersions: [v1], resources: [pods], operations: [CREATE, UPDATE] }
  validations:
  - expression: object.spec.containers.all(c, !c.image.endsWith(':latest'))
`;

const MUTATION = `
apiVersion: fairlead.dev/v1alpha1
kind: AdmissionRule
metadata: { name: pull-policy }
spec:
  failurePolicy: Ignore
  matchConstraints:
    resourceRules:
    - { apiGroups: [""], apiVersions: [v1], resources: [pods], operations: [CREATE] }
  mutations:
  - set: { path: "$.spec.containers[*].imagePullPolicy", value: IfNotPresent }
`;

describe('webhook configurations', () => {
  it('ask for what the rules concern, with every field that the API server would default', () => {
    expect(configured(VALIDATION)).toEqual([
      {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'ValidatingWebhookConfiguration',
        metadata: { name: 'policies' },
        webhooks: [
          {
            name: 'validate.policies.fairlead.dev',
            admissionReviewVersions: ['v1', 'v1beta1'],
            clientConfig: {
              caBundle: Buffer.from('-----BEGIN CERTIFICATE-----\n').toString('base64'),
              service: { namespace: 'fairlead', name: 'hook', path: '/validate', port: 443 },
            },
            rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['pods'], scope: '*' }],
            failurePolicy: 'Fail',
            matchPolicy: 'Equivalent',
            namespaceSelector: {
              matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['fairlead', 'kube-system'] }],
            },
            objectSelector: {},
            sideEffects: 'None',
            timeoutSeconds: 10,
          },
        ],
      },
    ]);
  });

  it('are two when rules mutate and validate, each with its own rules and failure policy', () => {
    const [mutating, validating] = configured(`${VALIDATION}---${MUTATION}`);
    expect(mutating).toMatchObject({
      kind: 'MutatingWebhookConfiguration',
      webhooks: [
        {
          name: 'mutate.policies.fairlead.dev',
          failurePolicy: 'Ignore',
          reinvocationPolicy: 'IfNeeded',
          clientConfig: { service: { path: '/mutate' } },
          rules: [{ operations: ['CREATE'], resources: ['pods'] }],
        },
      ],
    });
    expect(validating).toMatchObject({ kind: 'ValidatingWebhookConfiguration', webhooks: [{ failurePolicy: 'Fail' }] });
    expect(validating!.webhooks[0]).not.toHaveProperty('reinvocationPolicy');
  });

  it('cover the pod controllers that a rule was rewritten for', () => {
    const [configuration] = configured(VALIDATION.replace('spec:', 'spec:\n  podControllers: true'));
    const resources = configuration!.webhooks[0]!.rules.flatMap((rule) => rule.resources);
    expect(resources).toEqual(expect.arrayContaining(['pods', 'deployments', 'daemonsets', 'statefulsets', 'jobs', 'cronjobs']));
  });

  it('may address a URL, other paths, other namespaces, and leave out their own account', () => {
    const [configuration] = configured(VALIDATION, {
      address: { kind: 'url', url: 'https://10.0.0.1:8443/' },
      paths: { validate: '/v' },
      excludedNamespaces: [],
      excludedUser: 'system:serviceaccount:fairlead:hook',
      timeoutSeconds: 3,
      failurePolicy: 'Ignore',
      labels: { a: 'b' },
    });
    expect(configuration).toMatchObject({ metadata: { labels: { a: 'b' } } });
    expect(configuration!.webhooks[0]).toMatchObject({
      clientConfig: { url: 'https://10.0.0.1:8443/v' },
      namespaceSelector: {},
      matchConditions: [
        { name: 'not-the-webhook-itself', expression: 'request.userInfo.username != "system:serviceaccount:fairlead:hook"' },
      ],
      timeoutSeconds: 3,
      failurePolicy: 'Ignore',
    });
  });

  it('ask for everything where a program does not say what it concerns', () => {
    const [mutating, validating] = webhookConfigurations({ rules: [{ kind: 'x', name: 'y' }] }, options);
    const everything = [{ apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*/*'], scope: '*' }];
    expect([mutating!.webhooks[0]!.rules, validating!.webhooks[0]!.rules]).toEqual([everything, everything]);
    expect(webhookConfigurations({ rules: [] }, options)).toEqual([]);
  });

  it.each([0, 31, 1.5])('refuse a timeout of %d seconds', (timeoutSeconds) => {
    expect(() => webhookConfigurations({ rules: [] }, { ...options, timeoutSeconds })).toThrow(RangeError);
  });
});

describe('the union of resource rules', () => {
  const rule = (resources: readonly string[], operations: readonly string[] = ['CREATE'], apiGroups: readonly string[] = ['']) => ({
    apiGroups,
    apiVersions: ['v1'],
    operations,
    resources,
  });
  const brief = (rules: Parameters<typeof webhookRules>[0]): readonly string[] =>
    webhookRules(rules).map(({ apiGroups, operations, resources }) => `${apiGroups.join()} ${operations.join()} ${resources.join()}`);

  it.each([
    ['joins what differs in resources only', [rule(['pods']), rule(['services', 'pods'])], [' CREATE pods,services']],
    ['joins what differs in operations only', [rule(['pods'], ['UPDATE']), rule(['pods'], ['CREATE'])], [' CREATE,UPDATE pods']],
    [
      'keeps apart what a join would widen',
      [rule(['pods'], ['UPDATE']), rule(['services'], ['CREATE'])],
      [' CREATE services', ' UPDATE pods'],
    ],
    ['keeps groups apart', [rule(['pods']), rule(['deployments'], ['CREATE'], ['apps'])], [' CREATE pods', 'apps CREATE deployments']],
    ['lets a wildcard stand alone', [rule(['pods'], ['*', 'CREATE'], ['*', 'apps'])], ['* * pods']],
    ['lets * cover resources, not subresources', [rule(['*', 'pods', 'pods/status'])], [' CREATE *,pods/status']],
    ['lets */* cover all', [rule(['*/*', 'pods', 'pods/*', '*'])], [' CREATE */*']],
    [
      'lets pods/* and */scale cover theirs',
      [rule(['pods/*', 'pods/exec', '*/scale', 'deployments/scale', 'pods'])],
      [' CREATE */scale,pods,pods/*'],
    ],
  ])('%s', (_, rules, expected) => expect(brief(rules)).toEqual(expected));

  it('does not depend on the order of the rules', () => {
    const rules = [rule(['pods']), rule(['deployments'], ['*'], ['apps']), rule(['services'], ['DELETE'])];
    expect(webhookRules([...rules].reverse())).toEqual(webhookRules(rules));
  });
});
