import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../../engine/object/json.ts';
import type { StrategyContext } from '../definition.ts';
import { webhookClientErrors, webhookConfigurationStrategy } from './webhook-configurations.ts';

const RULE = { operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] };
const SOUND = {
  name: 'a.example.test',
  clientConfig: { url: 'https://127.0.0.1:1/x' },
  sideEffects: 'None',
  admissionReviewVersions: ['v1'],
  rules: [RULE],
};
const errorsOf = (...webhooks: readonly JsonObject[]): readonly string[] =>
  webhookConfigurationStrategy.validate!({ webhooks }, {} as StrategyContext).map(({ field, body }) => `${field}: ${body}`);

describe('a webhook', () => {
  it('that is sound has no errors', () => expect(errorsOf(SOUND)).toEqual([]));

  it.each<readonly [JsonObject, string]>([
    [{ name: '' }, 'name: Required value'],
    [{ name: 'short' }, 'name: Invalid value: "short": should be a domain with at least three segments separated by dots'],
    [{ sideEffects: 'Some' }, 'sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun"'],
    [{ sideEffects: '' }, 'sideEffects: Required value: must specify one of None, NoneOnDryRun'],
    [{ failurePolicy: 'Sometimes' }, 'failurePolicy: Unsupported value: "Sometimes": supported values: "Fail", "Ignore"'],
    [{ timeoutSeconds: 31 }, 'timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds'],
    [{ admissionReviewVersions: [] }, 'admissionReviewVersions: Required value: must specify one of v1, v1beta1'],
    [{ admissionReviewVersions: ['v1', 'v1'] }, 'admissionReviewVersions[1]: Invalid value: "v1": duplicate version'],
    [{ admissionReviewVersions: ['v7'] }, 'admissionReviewVersions: Invalid value: ["v7"]: must include at least one of v1, v1beta1'],
    [{ clientConfig: {} }, 'clientConfig: Required value: exactly one of url or service is required'],
    [{ rules: [{ ...RULE, operations: [] }] }, 'rules[0].operations: Required value'],
    [
      { rules: [{ ...RULE, apiGroups: ['*', 'apps'] }] },
      'rules[0].apiGroups: Invalid value: ["*","apps"]: if \'*\' is present, must not specify other API groups',
    ],
    [{ rules: [{ ...RULE, scope: 'Here' }] }, 'rules[0].scope: Unsupported value: "Here": supported values: "*", "Cluster", "Namespaced"'],
    [
      { rules: [{ ...RULE, resources: ['pods/*', 'pods/log'] }] },
      'rules[0].resources[1]: Invalid value: "pods/log": if \'pods/*\' is present, must not specify pods/log',
    ],
    [
      { rules: [{ ...RULE, resources: ['*/*', 'pods'] }] },
      'rules[0].resources: Invalid value: ["*/*","pods"]: if \'*/*\' is present, must not specify other resources',
    ],
  ])('with %j', (part, expected) => expect(errorsOf({ ...SOUND, ...part })).toEqual([`webhooks[0].${expected}`]));

  it('has a name of its own', () => expect(errorsOf(SOUND, SOUND)).toEqual(['webhooks[1].name: Duplicate value: "a.example.test"']));
});

describe('where a webhook is', () => {
  const service = { name: 'a', namespace: 'b' };

  it.each<readonly [JsonObject, readonly string[]]>([
    [{ url: 'https://a.test:8443/x/y' }, []],
    [{ service: { ...service, path: '/a/b/', port: 8443 } }, []],
    [{ url: 'https://a.test', service }, ['c: Required value: exactly one of url or service is required']],
    [
      { url: 'http://a.test' },
      ['c.url: Invalid value: "http": \'https\' is the only allowed URL scheme; desired format: https://host[/path]'],
    ],
    [{ url: 'https:///x' }, ['c.url: Invalid value: "": host must be specified; desired format: https://host[/path]']],
    [
      { url: 'https://me@a.test/x?y=1#z' },
      [
        'c.url: Invalid value: "me": user information is not permitted in the URL',
        'c.url: Invalid value: "z": fragments are not permitted in the URL',
        'c.url: Invalid value: "y=1": query parameters are not permitted in the URL',
      ],
    ],
    [{ service: { namespace: 'b' } }, ['c.service.name: Required value']],
    [{ service: { ...service, port: 0 } }, ['c.service.port: Invalid value: 0: port is not valid: must be between 1 and 65535, inclusive']],
    [{ service: { ...service, path: 'xy' } }, ['c.service.path: Invalid value: "xy": must start with a \'/\'']],
    [{ service: { ...service, path: '/a//b' } }, ['c.service.path: Invalid value: "/a//b": segment[1] may not be empty']],
  ])('%j', (config, expected) => {
    expect(webhookClientErrors(config, 'c').map(({ field, body }) => `${field}: ${body}`)).toEqual(expected);
  });
});
