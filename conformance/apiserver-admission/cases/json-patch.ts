import {
  type AdmissionCase,
  apply,
  constraints,
  createConfigMap,
  type Draft,
  jsonPatch,
  map,
  type RequestDraft,
  rule,
  single,
  vap,
} from '../case.ts';

/** JSON Patches on a config map `{metadata: {labels: {app: "old"}}, data: {a: "1", "b/c": "2", "d~e": "3"}}`, by the expression. */
const PATCHES: Readonly<Record<string, string>> = {
  add: '[JSONPatch{op: "add", path: "/data/new", value: "v"}]',
  'add over': '[JSONPatch{op: "add", path: "/data/a", value: "v"}]',
  replace: '[JSONPatch{op: "replace", path: "/data/a", value: "v"}]',
  'replace missing': '[JSONPatch{op: "replace", path: "/data/nope", value: "v"}]',
  remove: '[JSONPatch{op: "remove", path: "/data/a"}]',
  'remove missing': '[JSONPatch{op: "remove", path: "/data/nope"}]',
  'remove below missing': '[JSONPatch{op: "remove", path: "/nope/nope"}]',
  'add below missing': '[JSONPatch{op: "add", path: "/metadata/annotations/x", value: "v"}]',
  'add the parent first':
    '[JSONPatch{op: "add", path: "/metadata/annotations", value: {}}, JSONPatch{op: "add", path: "/metadata/annotations/x", value: "v"}]',
  move: '[JSONPatch{op: "move", from: "/data/a", path: "/data/moved"}]',
  'move missing': '[JSONPatch{op: "move", from: "/data/nope", path: "/data/moved"}]',
  copy: '[JSONPatch{op: "copy", from: "/data/a", path: "/data/copied"}]',
  'copy missing': '[JSONPatch{op: "copy", from: "/data/nope", path: "/data/copied"}]',
  'test passes': '[JSONPatch{op: "test", path: "/data/a", value: "1"}, JSONPatch{op: "add", path: "/data/x", value: "tested"}]',
  'test fails':
    '[JSONPatch{op: "add", path: "/data/x", value: "before"}, JSONPatch{op: "test", path: "/data/a", value: "2"}, JSONPatch{op: "add", path: "/data/y", value: "after"}]',
  'test of a missing path': '[JSONPatch{op: "test", path: "/data/nope", value: "2"}]',
  'test of null for a missing path': '[JSONPatch{op: "test", path: "/data/nope", value: null}]',
  'escaped key': '[JSONPatch{op: "replace", path: "/data/" + jsonpatch.escapeKey("b/c"), value: "v"}]',
  'escaped tilde': '[JSONPatch{op: "replace", path: "/data/" + jsonpatch.escapeKey("d~e"), value: "v"}]',
  'key that is not escaped': '[JSONPatch{op: "add", path: "/data/b/c", value: "v"}]',
  'label with a slash': '[JSONPatch{op: "add", path: "/metadata/labels/" + jsonpatch.escapeKey("example.com/team"), value: "x"}]',
  'no operations': '[]',
  'an object as the value': '[JSONPatch{op: "add", path: "/metadata/annotations", value: {"x": "1", "y": object.data.a}}]',
  'an Object as the value':
    '[JSONPatch{op: "add", path: "/metadata", value: Object.metadata{name: object.metadata.name, namespace: object.metadata.namespace, labels: {"whole": "yes"}}}]',
  'a map of dyn as the value': '[JSONPatch{op: "add", path: "/metadata/annotations", value: {"x": dyn("1"), "y": object.data.a}}]',
  'a list as the value': '[JSONPatch{op: "add", path: "/metadata/finalizers", value: ["example.com/a", "example.com/b"]}]',
  'append to a list':
    '[JSONPatch{op: "add", path: "/metadata/finalizers", value: ["example.com/a"]}, JSONPatch{op: "add", path: "/metadata/finalizers/-", value: "example.com/b"}]',
  'insert into a list':
    '[JSONPatch{op: "add", path: "/metadata/finalizers", value: ["example.com/a"]}, JSONPatch{op: "add", path: "/metadata/finalizers/0", value: "example.com/b"}]',
  'list index out of range':
    '[JSONPatch{op: "add", path: "/metadata/finalizers", value: ["example.com/a"]}, JSONPatch{op: "add", path: "/metadata/finalizers/5", value: "example.com/b"}]',
  'list index that is no number':
    '[JSONPatch{op: "add", path: "/metadata/finalizers", value: ["example.com/a"]}, JSONPatch{op: "add", path: "/metadata/finalizers/x", value: "example.com/b"}]',
  'remove from a list':
    '[JSONPatch{op: "add", path: "/metadata/finalizers", value: ["example.com/a", "example.com/b"]}, JSONPatch{op: "remove", path: "/metadata/finalizers/0"}]',
  'remove beyond a list':
    '[JSONPatch{op: "add", path: "/metadata/finalizers", value: ["example.com/a"]}, JSONPatch{op: "remove", path: "/metadata/finalizers/1"}]',
  conditional: 'object.data.a == "1" ? [JSONPatch{op: "add", path: "/data/x", value: "one"}] : []',
  'conditional, not': 'object.data.a == "2" ? [JSONPatch{op: "add", path: "/data/x", value: "two"}] : []',
  'computed list': 'object.data.map(k, JSONPatch{op: "replace", path: "/data/" + jsonpatch.escapeKey(k), value: object.data[k] + "!"})',
  'concatenated lists': '[JSONPatch{op: "add", path: "/data/x", value: "1"}] + [JSONPatch{op: "add", path: "/data/y", value: "2"}]',
  'unknown operation': '[JSONPatch{op: "merge", path: "/data/x", value: "1"}]',
  'operation missing': '[JSONPatch{path: "/data/x", value: "1"}]',
  'path missing': '[JSONPatch{op: "add", value: "1"}]',
  'value missing': '[JSONPatch{op: "add", path: "/data/x"}]',
  'path without a slash': '[JSONPatch{op: "add", path: "data", value: "1"}]',
  'empty path': '[JSONPatch{op: "add", path: "", value: {"apiVersion": "v1", "kind": "ConfigMap"}}]',
  'unknown field of the object': '[JSONPatch{op: "add", path: "/dat", value: {"x": "1"}}]',
  'wrong type: number in data': '[JSONPatch{op: "add", path: "/data/x", value: 1}]',
  'wrong type: text for data': '[JSONPatch{op: "replace", path: "/data", value: "text"}]',
  'null value': '[JSONPatch{op: "add", path: "/data/x", value: null}]',
  'null data': '[JSONPatch{op: "replace", path: "/data", value: null}]',
  'bool value': '[JSONPatch{op: "add", path: "/immutable", value: true}]',
  'bytes value': '[JSONPatch{op: "add", path: "/binaryData", value: {"x": b"bytes"}}]',
  'timestamp value': '[JSONPatch{op: "add", path: "/data/x", value: timestamp("2024-01-01T00:00:00Z")}]',
  'duration value': '[JSONPatch{op: "add", path: "/data/x", value: duration("1h")}]',
  'run-time error': '[JSONPatch{op: "add", path: "/data/x", value: object.data.nope}]',
  'run-time error in a path': '[JSONPatch{op: "add", path: "/data/" + object.data.nope, value: "1"}]',
  'kind changed': '[JSONPatch{op: "replace", path: "/kind", value: "Secret"}]',
  'apiVersion removed': '[JSONPatch{op: "remove", path: "/apiVersion"}]',
  'name changed': '[JSONPatch{op: "replace", path: "/metadata/name", value: "other"}]',
  'data removed': '[JSONPatch{op: "remove", path: "/data"}]',
  'move into itself': '[JSONPatch{op: "move", from: "/data", path: "/data/x"}]',
  'optional field': '[JSONPatch{op: "add", path: "/data/x", ?value: optional.of("1")}]',
  'optional element': '[?optional.none(), ?optional.of(JSONPatch{op: "add", path: "/data/x", value: "1"})]',
  'uint value': '[JSONPatch{op: "add", path: "/data/x", value: string(5u)}]',
};

const configMap = createConfigMap({ a: '1', 'b.c': '2' }, { labels: { app: 'old' } });

/** JSON Patches on free-form custom objects, where any value may stand. */
const VALUES: Readonly<Record<string, string>> = {
  int: '1',
  'large int': '9007199254740993',
  negative: '-5',
  uint: '5u',
  double: '1.5',
  'whole double': '2.0',
  'large double': '1e300',
  text: '"text"',
  bool: 'true',
  null: 'null',
  list: '[1, 2]',
  'mixed list': '[dyn(1), "a", null, 1.5]',
  'list of dyn': '[dyn(1), dyn("a"), dyn(null), dyn(1.5), dyn({"a": [true]})]',
  'empty list': '[]',
  map: '{"a": 1}',
  'empty map': '{}',
  'nested map': '{"a": {"b": [{"c": 1}]}}',
  'map with int keys': '{1: "a"}',
  'map with bool keys': '{true: "a"}',
  bytes: 'b"abc"',
  timestamp: 'timestamp("2024-01-01T00:00:00Z")',
  duration: 'duration("90s")',
  'part of the object': 'object.metadata.labels',
  type: 'type(1)',
  optional: 'optional.of(1)',
  'optional none': 'optional.none()',
  quantity: 'quantity("1")',
  Object: 'Object.spec{size: 1}',
  jsonPatch: 'JSONPatch{op: "add", path: "/x", value: 1}',
};

const widget: RequestDraft = {
  name: 'create',
  resource: 'widgets',
  verb: 'create',
  object: { metadata: { labels: { app: 'x' } }, spec: { any: { x: 0 } } },
};

/** Patches of MutatingAdmissionPolicies. */
export const jsonPatchCases: readonly AdmissionCase[] = [
  ...Object.entries(PATCHES).flatMap(([name, expression]) => [
    single(`patch/${name}`, map([jsonPatch(expression)]), configMap),
    ...(/missing|fails|error|unknown|wrong/.test(name)
      ? [single(`patch ignored/${name}`, map([jsonPatch(expression)], { failurePolicy: 'Ignore' }), configMap)]
      : []),
  ]),
  ...Object.entries(VALUES).map(([name, expression]) =>
    single(
      `patch/value: ${name}`,
      map([jsonPatch(`[JSONPatch{op: "add", path: "/spec/any/value", value: ${expression}}]`)], {
        matchConstraints: constraints(rule('widgets')),
      }),
      widget,
    ),
  ),
];

const append = (text: string): string => `[JSONPatch{op: "replace", path: "/data/a", value: object.data.a + "${text}"}]`;
const label = (key: string, value: string): string => `Object{metadata: Object.metadata{labels: {"${key}": ${value}}}}`;

function chain(
  name: string,
  mutations: readonly Draft[],
  spec: Draft = {},
  more: Partial<AdmissionCase> = {},
  bindings: readonly Draft[] = [{}],
): AdmissionCase {
  return single(`chain/${name}`, map(mutations, spec, bindings), createConfigMap({ a: '1' }, { labels: { app: 'x' } }), more);
}

const limitKind = { apiVersion: 'conformance.example/v1', kind: 'Limit' };
const limit = (name: string, max: number): Draft => ({ ...limitKind, metadata: { name }, spec: { max, names: ['n'] } });

/** Several mutations, policies and bindings on one object; params, conditions and failure policies of mutating policies. */
export const chainCases: readonly AdmissionCase[] = [
  chain('two patches in order', [jsonPatch(append('b')), jsonPatch(append('c'))]),
  chain('apply, then patch sees it', [
    apply(label('first', '"1"')),
    jsonPatch('[JSONPatch{op: "copy", from: "/metadata/labels/first", path: "/data/seen"}]'),
  ]),
  chain('patch, then apply sees it', [jsonPatch(append('b')), apply(label('seen', 'object.data.a'))]),
  chain('a failed test does not stop the next', [
    jsonPatch('[JSONPatch{op: "test", path: "/data/a", value: "9"}]'),
    jsonPatch(append('b')),
  ]),
  chain('an error stops the next', [jsonPatch('[JSONPatch{op: "remove", path: "/data/nope"}]'), jsonPatch(append('b'))]),
  chain('an error after a change, Ignore', [jsonPatch(append('b')), jsonPatch('[JSONPatch{op: "remove", path: "/data/nope"}]')], {
    failurePolicy: 'Ignore',
  }),
  chain('an error before a change, Ignore', [jsonPatch('[JSONPatch{op: "remove", path: "/data/nope"}]'), jsonPatch(append('b'))], {
    failurePolicy: 'Ignore',
  }),
  chain('variables see the object as it came', [jsonPatch(append('b')), apply(label('v', 'variables.v'))], {
    variables: [{ name: 'v', expression: '"v" + object.data.a' }],
  }),
  chain('variables read before and after', [apply(label('v', 'variables.v')), jsonPatch(append('b')), apply(label('w', 'variables.v'))], {
    variables: [{ name: 'v', expression: '"v" + object.data.a' }],
  }),
  chain('a false condition', [jsonPatch(append('b'))], { matchConditions: [{ name: 'no', expression: 'false' }] }),
  chain('a condition that errs', [jsonPatch(append('b'))], { matchConditions: [{ name: 'no', expression: 'object.data.nope == "1"' }] }),
  chain('a condition that errs, Ignore', [jsonPatch(append('b'))], {
    failurePolicy: 'Ignore',
    matchConditions: [{ name: 'no', expression: 'object.data.nope == "1"' }],
  }),
  chain('two bindings run twice', [jsonPatch(append('b'))], {}, {}, [{}, {}]),
  chain('a parameter by name', [apply(label('max', 'string(params.spec.max)'))], { paramKind: limitKind }, { objects: [limit('l', 5)] }, [
    { paramRef: { name: 'l', parameterNotFoundAction: 'Deny' } },
  ]),
  chain('a parameter that is missing, Deny', [apply(label('max', 'string(params.spec.max)'))], { paramKind: limitKind }, {}, [
    { paramRef: { name: 'l', parameterNotFoundAction: 'Deny' } },
  ]),
  chain('a parameter that is missing, Allow', [apply(label('max', 'string(params.spec.max)'))], { paramKind: limitKind }, {}, [
    { paramRef: { name: 'l', parameterNotFoundAction: 'Allow' } },
  ]),
  chain('two parameters run twice', [jsonPatch(append('b'))], { paramKind: limitKind }, { objects: [limit('l', 5), limit('m', 6)] }, [
    { paramRef: { selector: {}, parameterNotFoundAction: 'Deny' } },
  ]),
  chain(
    'a kind of parameters that is not served',
    [jsonPatch(append('b'))],
    { paramKind: { apiVersion: 'nowhere.example/v1', kind: 'Nothing' } },
    {},
    [{ paramRef: { name: 'l', parameterNotFoundAction: 'Deny' } }],
  ),
  chain('reinvocation IfNeeded, alone', [jsonPatch(append('b'))], { reinvocationPolicy: 'IfNeeded' }),
  chain('beyond the cost limit', [
    apply(
      label(
        'x',
        '[0,1,2,3,4,5,6,7,8,9].map(a, [0,1,2,3,4,5,6,7,8,9].map(b, [0,1,2,3,4,5,6,7,8,9].map(c, [0,1,2,3,4,5,6,7,8,9].map(d, [0,1,2,3,4,5,6,7,8,9].map(e, [0,1,2,3,4,5,6,7,8,9].map(f, a+b+c+d+e+f)))))).size() > 0 ? "a" : "b"',
      ),
    ),
  ]),
  chain('excluded by a selector', [jsonPatch(append('b'))], {}, {}, [
    { matchResources: { objectSelector: { matchLabels: { app: 'y' } } } },
  ]),
  {
    name: 'chain/two policies, either order gives the same',
    policies: [map([apply(label('one', '"1"'))]), map([apply(label('two', '"2"'))])],
    requests: [createConfigMap({ a: '1' })],
  },
  {
    name: 'chain/IfNeeded runs again after a later change',
    policies: [
      map(
        [apply('Object{data: {?"both": has(object.data.one) && has(object.data.two) ? optional.of("yes") : optional.none(), "one": "1"}}')],
        { reinvocationPolicy: 'IfNeeded' },
      ),
      map(
        [apply('Object{data: {?"both": has(object.data.one) && has(object.data.two) ? optional.of("yes") : optional.none(), "two": "2"}}')],
        { reinvocationPolicy: 'IfNeeded' },
      ),
    ],
    requests: [createConfigMap({ a: '1' })],
  },
  {
    name: 'chain/a validating policy sees the mutated object',
    policies: [map([jsonPatch(append('b'))]), vap([{ expression: 'object.data.a == "1"', messageExpression: '"a is " + object.data.a' }])],
    requests: [createConfigMap({ a: '1' })],
  },
  {
    name: 'chain/a validating policy passes what was mended',
    policies: [
      map([apply(label('team', '"x"'))]),
      vap([{ expression: 'object.metadata.?labels["team"].orValue("") == "x"', message: 'no team' }]),
    ],
    requests: [createConfigMap({ a: '1' })],
  },
  single('chain/on update', map([jsonPatch(append('b'))]), [
    { name: 'update', resource: 'configmaps', verb: 'update', stored: { data: { a: '0' } }, object: { data: { a: '1' } } },
    { name: 'patch', resource: 'configmaps', verb: 'patch', stored: { data: { a: '0', b: '5' } }, object: { data: { a: '2' } } },
  ]),
  single('chain/old object in a mutation', map([apply('Object{data: {"was": oldObject == null ? "nothing" : oldObject.data.a}}')]), [
    createConfigMap({ a: '1' }),
    { name: 'update', resource: 'configmaps', verb: 'update', stored: { data: { a: '0' } }, object: { data: { a: '1' } } },
  ]),
];
