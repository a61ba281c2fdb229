import { testOutcomes } from './evaluation.testing.ts';

testOutcomes('authorizer', [
  ["authorizer.path('').check('get')", 'error: path must not be empty  cost 350002, estimated 350002..350002'],
  ["authorizer.path('/healthz').check('get').allowed()", 'true  cost 350003, estimated 350003..350003'],
  ["authorizer.group('').resource(' ').check('get').allowed()", 'error: resource must not be empty  cost 350004, estimated 350004..350004'],
  ["authorizer.group('').resource('pods').name('broken').check('get').errored()", 'true  cost 350005, estimated 350005..350005'],
  ["authorizer.group('').resource('pods').name('broken').check('get').error()", '"test error"  cost 350005, estimated 350005..350005'],
  ["authorizer.group('').resource('pods').name('endpoint1').check('get').reason()", '"because"  cost 350005, estimated 350005..350005'],
  [
    "authorizer.serviceAccount('ns', 'bad name').path('/healthz').check('get').allowed()",
    'error: Invalid service account name  cost 350004, estimated 350004..350004',
  ],
  [
    "authorizer.serviceAccount('ns_', 'name').path('/healthz').check('get').allowed()",
    'error: Invalid service account namespace  cost 350004, estimated 350004..350004',
  ],
  ['authorizer == authorizer', 'error: no such overload  cost 3, estimated 3..3'],
  ["authorizer.path('/a') == authorizer.path('/a')", 'error: no such overload  cost 5, estimated 5..5'],
  ['[authorizer] == [authorizer]', 'true  cost 23, estimated 23..23'],
  ['type(authorizer)', 'type(kubernetes.authorization.Authorizer)  cost 2, estimated 2..2'],
  ["authorizer.group('').resource('pods').labelSelector('a in (').check('list').allowed()", 'false  cost 350165, estimated 350165..350165'],
  ["authorizer.group('').resource('pods').fieldSelector('a in (').check('list').allowed()", 'false  cost 350165, estimated 350165..350165'],
  ['authorizer.path(dyn(1))', 'error: no such overload: path(kubernetes.authorization.Authorizer, int)  cost 2, estimated 3..3'],
  [
    "authorizer.group('').resource('pods').name(dyn(1))",
    'error: no such overload: name(kubernetes.authorization.ResourceCheck, int)  cost 4, estimated 5..5',
  ],
  ['authorizer.foo', "ERROR: <input>:1:11: unexpected failed resolution of 'kubernetes.authorization.Authorizer'"],
]);
