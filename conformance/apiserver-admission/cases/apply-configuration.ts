import { type AdmissionCase, apply, constraints, createConfigMap, type Draft, map, type RequestDraft, rule, single } from '../case.ts';
import { deployment } from './matching.ts';

const widget = (spec: Draft, metadata: Draft = {}): RequestDraft => ({
  name: 'create',
  resource: 'widgets',
  verb: 'create',
  object: { metadata, spec },
});
const onWidgets = { matchConstraints: constraints(rule('widgets')) };
const rich = widget({
  size: 1,
  name: 'n',
  labels: { a: '1' },
  tags: ['x', 'y'],
  entries: [
    { name: 'one', value: '1' },
    { name: 'two', value: '2' },
  ],
  ports: [{ port: 80 }, { port: 80, protocol: 'UDP' }],
  atoms: ['a', 'b'],
  plain: [{ name: 'p' }],
  atom: { a: '1' },
  nested: { a: '1', deep: { c: 1 } },
  any: { x: 1 },
});

/** ApplyConfiguration on config maps, by the expression. */
const ON_CONFIG_MAPS: Readonly<Record<string, string>> = {
  'add a label': 'Object{metadata: Object.metadata{labels: {"added": "yes"}}}',
  'replace a label': 'Object{metadata: Object.metadata{labels: {"app": "new"}}}',
  'add data': 'Object{data: {"new": "value"}}',
  'replace data': 'Object{data: {"a": "changed"}}',
  'computed key and value': 'Object{data: {"key-" + object.data.a: object.metadata.name + "!"}}',
  nothing: 'Object{}',
  'the same value': 'Object{data: {"a": "1"}}',
  'empty map': 'Object{metadata: Object.metadata{labels: {}}}',
  'annotation beside label': 'Object{metadata: Object.metadata{labels: {"l": "1"}, annotations: {"a": "2"}}}',
  'optional field that is there': 'Object{?data: optional.of({"opt": "yes"})}',
  'optional field that is absent': 'Object{?data: optional.none()}',
  'optional key of dyn': 'Object{data: {?"opt": object.data[?"nope"], "b": "2"}}',
  'optional key': 'Object{data: {?"opt": optional.none(), ?"more": optional.of("m"), "b": "2"}}',
  ternary: 'object.data.a == "1" ? Object{data: {"branch": "one"}} : Object{data: {"branch": "other"}}',
  immutable: 'Object{immutable: true}',
  'binary data': 'Object{binaryData: {"b": b"bytes"}}',
  'finalizers are a set': 'Object{metadata: Object.metadata{finalizers: ["example.com/new"]}}',
  'owner references are a list map':
    'Object{metadata: Object.metadata{ownerReferences: [Object.metadata.ownerReferences{apiVersion: "v1", kind: "ConfigMap", name: "o", uid: "u"}]}}',
  'field that is not in the schema': 'Object{dat: {"a": "1"}}',
  'value of a wrong type': 'Object{data: {"a": 1}}',
  'wrong type by dyn': 'Object{data: {"a": dyn(1)}}',
  'null value': 'Object{data: null}',
  'null in a map': 'Object{data: {"a": dyn(null)}}',
  'run-time error': 'Object{data: {"x": object.data.nope}}',
  'name cannot change': 'Object{metadata: Object.metadata{name: "other"}}',
  'resource version': 'Object{metadata: Object.metadata{resourceVersion: "1"}}',
  'managed fields': 'Object{metadata: Object.metadata{managedFields: []}}',
  'uses variables': 'Object{data: {"v": variables.v}}',
  'field of a constructed object': 'Object{data: {"x": Object.metadata{name: "inner"}.name}}',
};

/** ApplyConfiguration on custom objects with every list and map type, by the expression. */
const ON_WIDGETS: Readonly<Record<string, string>> = {
  number: 'Object{spec: Object.spec{size: 5}}',
  double: 'Object{spec: Object.spec{ratio: 1.5}}',
  'double that is whole': 'Object{spec: Object.spec{ratio: 2.0}}',
  'int for a number': 'Object{spec: Object.spec{ratio: dyn(2)}}',
  'int or string, int': 'Object{spec: Object.spec{port: dyn(80)}}',
  'int or string, string': 'Object{spec: Object.spec{port: dyn("http")}}',
  boolean: 'Object{spec: Object.spec{enabled: true}}',
  'set: a new member': 'Object{spec: Object.spec{tags: ["z"]}}',
  'set: a member that is there': 'Object{spec: Object.spec{tags: ["y"]}}',
  'set: several, in another order': 'Object{spec: Object.spec{tags: ["z", "y", "w"]}}',
  'set: a duplicate': 'Object{spec: Object.spec{tags: ["z", "z"]}}',
  'list map: a new item': 'Object{spec: Object.spec{entries: [Object.spec.entries{name: "three", value: "3"}]}}',
  'list map: an item that is there': 'Object{spec: Object.spec{entries: [Object.spec.entries{name: "one", value: "changed"}]}}',
  'list map: another field of an item': 'Object{spec: Object.spec{entries: [Object.spec.entries{name: "two", count: 7}]}}',
  'list map: new and old in another order':
    'Object{spec: Object.spec{entries: [Object.spec.entries{name: "three"}, Object.spec.entries{name: "two", count: 2}, Object.spec.entries{name: "zero"}]}}',
  'list map: without its key': 'Object{spec: Object.spec{entries: [Object.spec.entries{value: "1"}]}}',
  'list map: a duplicate key': 'Object{spec: Object.spec{entries: [Object.spec.entries{name: "x"}, Object.spec.entries{name: "x"}]}}',
  'list map: all items by map':
    'Object{spec: Object.spec{entries: object.spec.entries.map(e, Object.spec.entries{name: e.name, value: e.value + "!"})}}',
  'list map: default of a key': 'Object{spec: Object.spec{ports: [Object.spec.ports{port: 80, name: "http"}]}}',
  'list map: two keys': 'Object{spec: Object.spec{ports: [Object.spec.ports{port: 80, protocol: "UDP", name: "dns"}]}}',
  'list map: new with two keys': 'Object{spec: Object.spec{ports: [Object.spec.ports{port: 81, protocol: "TCP"}]}}',
  'atomic list': 'Object{spec: Object.spec{atoms: ["c"]}}',
  'atomic list, same': 'Object{spec: Object.spec{atoms: ["a", "b"]}}',
  'list without a type': 'Object{spec: Object.spec{plain: [Object.spec.plain{name: "q"}]}}',
  'atomic map': 'Object{spec: Object.spec{atom: Object.spec.atom{b: "2"}}}',
  'nested struct': 'Object{spec: Object.spec{nested: Object.spec.nested{b: "2"}}}',
  'deep struct': 'Object{spec: Object.spec{nested: Object.spec.nested{deep: Object.spec.nested.deep{c: 9}}}}',
  'empty struct': 'Object{spec: Object.spec{nested: Object.spec.nested{}}}',
  'map of strings': 'Object{spec: Object.spec{labels: {"b": "2"}}}',
  'free-form field': 'Object{spec: Object.spec{any: {"y": 2}}}',
  'free-form field, mixed': 'Object{spec: Object.spec{any: {"y": dyn([dyn(1), dyn("a")]), "z": dyn(true)}}}',
  'field that is not in the schema': 'Object{spec: Object.spec{nope: 1}}',
  'wrong type: string for int': 'Object{spec: Object.spec{size: dyn("a")}}',
  'wrong type: list for map': 'Object{spec: Object.spec{labels: dyn(["a"])}}',
  'wrong type: map for list': 'Object{spec: Object.spec{tags: dyn({"a": "b"})}}',
  'wrong type: int in a set of strings': 'Object{spec: Object.spec{tags: [dyn(1)]}}',
  status: 'Object{status: Object.status{phase: "x"}}',
  'type name that does not follow the path': 'Object{spec: Object.metadata{name: "x"}}',
};

const container = (fields: string): string =>
  `Object{spec: Object.spec{template: Object.spec.template{spec: Object.spec.template.spec{${fields}}}}}`;

/** ApplyConfiguration on a Deployment, by the expression. */
const ON_DEPLOYMENTS: Readonly<Record<string, string>> = {
  replicas: 'Object{spec: Object.spec{replicas: 7}}',
  'a sidecar': container('containers: [Object.spec.template.spec.containers{name: "sidecar", image: "registry.example/s:1"}]'),
  'image of a container': container('containers: [Object.spec.template.spec.containers{name: "c", image: "registry.example/new:2"}]'),
  'environment of all containers': container(
    'containers: object.spec.template.spec.containers.map(c, Object.spec.template.spec.containers{name: c.name, env: [Object.spec.template.spec.containers.env{name: "E", value: c.image}]})',
  ),
  'a volume': container('volumes: [Object.spec.template.spec.volumes{name: "v", emptyDir: Object.spec.template.spec.volumes.emptyDir{}}]'),
  'node selector': container('nodeSelector: {"disk": "ssd"}'),
  'tolerations are atomic': container('tolerations: [Object.spec.template.spec.tolerations{key: "k", operator: "Exists"}]'),
  'command is atomic': container('containers: [Object.spec.template.spec.containers{name: "c", command: ["run"]}]'),
  resources: container(
    'containers: [Object.spec.template.spec.containers{name: "c", resources: Object.spec.template.spec.containers.resources{limits: {"cpu": "1"}}}]',
  ),
  'selector is atomic': 'Object{spec: Object.spec{selector: Object.spec.selector{matchLabels: {"more": "x"}}}}',
  'security context': container('securityContext: Object.spec.template.spec.securityContext{runAsNonRoot: true}'),
  'misspelt field': container('containerz: []'),
};

const variables = [{ name: 'v', expression: '"v" + object.data.a' }];

/** Merges as server-side apply would merge them. */
export const applyCases: readonly AdmissionCase[] = [
  ...Object.entries(ON_CONFIG_MAPS).map(([name, expression]) =>
    single(
      `apply/config map: ${name}`,
      map([apply(expression)], { variables }),
      createConfigMap({ a: '1' }, { labels: { app: 'old' }, finalizers: ['example.com/old'] }),
    ),
  ),
  ...Object.entries(ON_WIDGETS).flatMap(([name, expression]) => [
    single(`apply/widget: ${name}`, map([apply(expression)], onWidgets), rich),
    single(`apply/bare widget: ${name}`, map([apply(expression)], onWidgets), widget({})),
  ]),
  ...Object.entries(ON_DEPLOYMENTS).map(([name, expression]) =>
    single(`apply/deployment: ${name}`, map([apply(expression)], { matchConstraints: constraints(rule('deployments')) }), {
      name: 'create',
      resource: 'deployments',
      verb: 'create',
      object: deployment,
    }),
  ),
];
