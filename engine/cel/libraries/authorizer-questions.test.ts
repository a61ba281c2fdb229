import { describe, expect, it } from 'vitest';
import { createEnvironment } from '../create-environment.ts';
import {
  AUTHORIZER_VARIABLES,
  type AuthorizationAttributes,
  AuthorizationNeeded,
  AuthorizerValue,
  ResourceCheckValue,
} from './authorizer.ts';

const environment = createEnvironment({ variables: AUTHORIZER_VARIABLES });
const user = { username: 'jane', groups: ['devs'] };

/** Evaluates with an authorizer that knows nothing, and gives back what it was asked. */
function questionOf(expression: string): AuthorizationAttributes {
  const compiled = environment.compile(expression);
  if (!compiled.ok) throw new Error(compiled.issues.map(({ message }) => message).join('; '));
  const authorizer = new AuthorizerValue(user, () => undefined);
  const requestResource = new ResourceCheckValue(authorizer, { group: 'apps', resource: 'deployments', namespace: 'ns', name: 'web' });
  const { outcome } = compiled.program.trace({ authorizer, 'authorizer.requestResource': requestResource });
  if (outcome.ok || !(outcome.error instanceof AuthorizationNeeded)) throw new Error('nothing was asked');
  expect(outcome.error.code).toBe('needs-fact');
  return outcome.error.question;
}

describe('what an authorizer is asked', () => {
  it.each<[string, AuthorizationAttributes]>([
    ["authorizer.path('/healthz').check('get').allowed()", { user, verb: 'get', path: '/healthz' }],
    ["authorizer.group('').resource('pods').check('list').allowed()", { user, verb: 'list', group: '', version: '*', resource: 'pods' }],
    [
      "authorizer.group('').resource('pods').subresource('log').namespace('ns').name('p').check('get').reason() == ''",
      { user, verb: 'get', group: '', version: '*', resource: 'pods', subresource: 'log', namespace: 'ns', name: 'p' },
    ],
    [
      "authorizer.group('').resource('pods').fieldSelector('spec.nodeName=a').labelSelector('x in (y)').check('list').errored()",
      { user, verb: 'list', group: '', version: '*', resource: 'pods', fieldSelector: 'spec.nodeName=a', labelSelector: 'x in (y)' },
    ],
    [
      "authorizer.requestResource.check('delete').allowed()",
      { user, verb: 'delete', group: 'apps', version: '*', resource: 'deployments', namespace: 'ns', name: 'web' },
    ],
    [
      "authorizer.serviceAccount('ns', 'bot').group('').resource('secrets').check('get').allowed()",
      {
        user: { username: 'system:serviceaccount:ns:bot', groups: ['system:serviceaccounts', 'system:serviceaccounts:ns'] },
        verb: 'get',
        group: '',
        version: '*',
        resource: 'secrets',
      },
    ],
  ])('%s', (expression, question) => {
    expect(questionOf(expression)).toEqual(question);
  });

  it('nothing that another operand has decided', () => {
    expect(() => questionOf("true || authorizer.path('/a').check('get').allowed()")).toThrow('nothing was asked');
  });
});
