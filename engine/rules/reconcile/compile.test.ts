import { describe, expect, test } from 'vitest';
import { compileBundle } from '../../bundle/compile.ts';
import { parseYaml } from '../../text/yaml.ts';
import { compileText, configMap, problemsOf, ruleOf, ruleText } from './compile.fixture.ts';

const objects = (...entries: readonly string[]) => ruleText(`objects:\n${entries.join('\n')}`);
const template = (text: string) => objects(`- id: it\n  template: ${text}`);
const POD = '{ apiVersion: v1, kind: Pod, metadata: { name: a }, spec: { containers: [{ name: c, image: "${self.spec.image}" }] } }';

/** Rows with the first thing that is expected as their title. */
const titled = (rows: readonly (readonly [text: string, expected: readonly unknown[]])[]) =>
  rows.map(([text, expected]) => [String(expected[0] ?? 'nothing is wrong'), text, expected] as const);

describe('what is wrong with', () => {
  describe('the instances', () => {
    test.each(
      titled([
        [
          ruleText('', 'description: nothing'),
          [
            'error reconcile-instance $.spec: the rule has neither resource nor for: expected exactly one of them (resource makes a kind of its own, for takes objects of a kind that exists)',
          ],
        ],
        [
          ruleText('', 'resource: { group: a.b, version: v1, kind: A, spec: { a: "strin | default=1", b: "integer | defalt=1" } }'),
          [
            'error reconcile-schema $.spec.resource.spec.a: unknown type "strin": expected string, integer, number, boolean, quantity, int-or-string, any, []type or map[string]type (did you mean string?)',
            'error reconcile-schema $.spec.resource.spec.b: unknown rule defalt: expected required, default, minimum, maximum, enum, immutable, nullable, validation, format, title or description (did you mean default?)',
          ],
        ],
        [
          ruleText('', 'resource: { group: a.b, version: v1, kind: A, types: { T: { self: "[]T" } }, spec: { a: T } }'),
          [
            'error reconcile-schema $.spec.resource.types.T.self: the type T contains itself: T, T',
            'error reconcile-schema $.spec.resource.spec.a: the type T contains itself: T, T',
          ],
        ],
        [
          ruleText('', 'for: { apiVersion: apps/v1, kind: Deploymnt }'),
          ['error reconcile-unknown-kind $.spec.for.kind: apps/v1 has no kind Deploymnt (did you mean Deployment?)'],
        ],
        [
          ruleText('', 'for: { apiVersion: v1, kind: Pod, selector: { matchExpressions: [{ key: a, operator: In }] } }'),
          [expect.stringContaining('error reconcile-selector $.spec.for.selector:')],
        ],
      ]),
    )('%s', (_title, text, expected) => {
      expect(problemsOf(text)).toEqual(expected);
    });
  });

  describe('entries', () => {
    test.each(
      titled([
        [
          objects(`${configMap('a')}\n  when: "\${self.spec.image != ''}"\n  ready: "\${a.data.x == 'y'} "`),
          [
            "error reconcile-expression $.spec.objects[0].when: expected an expression, found a template (write it without ${ and }: self.spec.image != '')",
            "error reconcile-expression $.spec.objects[0].ready: expected an expression, found a template (write it without ${ and }: a.data.x == 'y')",
          ],
        ],
        [
          objects(`${configMap('a')}\n  includeWhen: [a]\n  readyWhen: [b]`, '- id: b\n  externalRef: {}\n  dependsOn: [a]'),
          [
            'error schema-unknown-field $.spec.objects[0].includeWhen: unknown field "includeWhen" (did you mean when?)',
            'error schema-unknown-field $.spec.objects[0].readyWhen: unknown field "readyWhen" (did you mean ready?)',
            'error schema-unknown-field $.spec.objects[1].externalRef: unknown field "externalRef" (did you mean external?)',
            'error schema-unknown-field $.spec.objects[1].dependsOn: unknown field "dependsOn" (did you mean after?)',
          ],
        ],
        [
          objects(configMap('a', '{ x: "${schema.spec.image}" }'), configMap('b', '{ x: "${spec.image}" }')),
          [
            "error cel-undeclared-reference $.spec.objects[0].template.data.x: undeclared reference to 'schema' (in container '') (did you mean 'self'?)",
            "error cel-undeclared-reference $.spec.objects[1].template.data.x: undeclared reference to 'spec' (in container '') (did you mean 'self.spec'?)",
          ],
        ],
        [
          objects(configMap('a', '{ b: "${b.data.x}" }'), configMap('b', '{ c: "${c.data.x}" }'), configMap('c', '{ a: "${a.data.x}" }')),
          [
            'error reconcile-cycle $.spec.objects[2].template.data.a: the entries refer to each other in a circle: a → b → c → a (one of them has to do without the other)',
          ],
        ],
        [
          objects(configMap('a', '{ x: "${a.metadata.uid}" }')),
          ['error reconcile-cycle $.spec.objects[0].template.data.x: a refers to itself (only ready may read what became of the object)'],
        ],
        [objects(configMap('a'), configMap('a')), ['error reconcile-duplicate $.spec.objects[1].id: there is another entry with the id a']],
        [
          objects(configMap('a').replace('-a"', '"'), configMap('b').replace('-b"', '"')),
          [
            'error reconcile-duplicate $.spec.objects[1].template.metadata.name: the ConfigMap ${self.metadata.name} is made by a, too (give one of them another name)',
          ],
        ],
        [
          objects(configMap('my-config')),
          [`error reconcile-id $.spec.objects[0].id: the id "my-config" can't be used in expressions (letters, digits and _, as myConfig)`],
        ],
        [
          objects(configMap('self')),
          ['error reconcile-id $.spec.objects[0].id: the id self has a meaning of its own in expressions (choose another one)'],
        ],
        [
          objects(configMap('database', '{}', 'after: [databse]')),
          ['error reconcile-unknown-id $.spec.objects[0].after[0]: there is no entry with the id databse (did you mean database?)'],
        ],
        [
          objects(configMap('a', '{ x: "${databse.data.x}" }'), configMap('database')),
          [
            "error cel-undeclared-reference $.spec.objects[0].template.data.x: undeclared reference to 'databse' (in container '') (did you mean 'database'?)",
          ],
        ],
        [
          objects(configMap('a', '{}', 'forEach: self.spec.workers')),
          [
            'error reconcile-for-each-key $.spec.objects[0].forEach: the items are structures, and nothing tells them apart but their position (say by what with key, as key: item.name)',
          ],
        ],
        [
          objects(configMap('a', '{}', 'forEach: self.spec.replicas')),
          ['error reconcile-for-each $.spec.objects[0].forEach: forEach needs a list or a map, found int'],
        ],
        [
          objects(configMap('a', '{}', 'when: self.spec.replicas')),
          ['error cel-result-type $.spec.objects[0].when: must evaluate to one of [bool dyn] but got int'],
        ],
        [
          objects('- { id: a, external: { apiVersion: v1, kind: ConfigMap } }'),
          ['error reconcile-external $.spec.objects[0].external: expected exactly one of name and selector'],
        ],
      ]),
    )('%s', (_title, text, expected) => {
      expect(problemsOf(text)).toEqual(expected);
    });
  });

  describe('templates', () => {
    test.each(
      titled([
        [
          template('{ apiVersion: v1, metadata: { name: a } }'),
          ['error reconcile-template $.spec.objects[0].template: the template has no kind'],
        ],
        [
          template('{ apiVersion: v1, kind: ConfigMap, metadata: { generateName: a- } }'),
          [
            'error reconcile-template $.spec.objects[0].template.metadata: the template has no metadata.name (a name that the server makes up would be another one every time)',
          ],
        ],
        [
          template('{ apiVersion: v1, kind: Namespace, metadata: { name: a, namespace: b } }'),
          ['error reconcile-template $.spec.objects[0].template.metadata.namespace: objects of the kind Namespace are in no namespace'],
        ],
        [
          template('{ apiVersion: apps/v1, kind: Deploymnt, metadata: { name: a } }'),
          ['error reconcile-unknown-kind $.spec.objects[0].template.kind: apps/v1 has no kind Deploymnt (did you mean Deployment?)'],
        ],
        [
          template('{ apiVersion: v1, kind: Statefulset, metadata: { name: a } }'),
          [
            'error reconcile-unknown-kind $.spec.objects[0].template.kind: v1 has no kind Statefulset (did you mean StatefulSet of apiVersion: apps/v1?)',
          ],
        ],
        [
          template('{ apiVersion: v1, kind: Service, metadata: { name: a }, spec: { healthCheckNodePort: self.spec.port } }'),
          [
            'error schema-wrong-type $.spec.objects[0].template.spec.healthCheckNodePort: expected an integer, found the string "self.spec.port" (in Service) (an expression stands between ${ and }: "${self.spec.port}")',
          ],
        ],
        [
          template('{ apiVersion: apps/v2, kind: Deployment, metadata: { name: a } }'),
          ['error reconcile-unknown-kind $.spec.objects[0].template.kind: apps has no version v2 (did you mean apiVersion: apps/v1?)'],
        ],
        [
          template('{ apiVersion: example.org/v1, kind: Widget, metadata: { name: a } }'),
          [
            'warning reconcile-unknown-kind $.spec.objects[0].template.kind: the kind Widget of example.org/v1 is not known here, so that nothing about it is checked (put its CustomResourceDefinition into the bundle)',
          ],
        ],
        [
          template(POD.replace('image:', 'imag:')),
          [
            'error schema-unknown-field $.spec.objects[0].template.spec.containers[0].imag: unknown field imag of Container (in Pod) (did you mean image?)',
          ],
        ],
        [
          template(POD.replace('name: c,', '')),
          ['error schema-missing-field $.spec.objects[0].template.spec.containers[0]: missing field name (in Pod)'],
        ],
        [
          template('{ apiVersion: v1, kind: Service, metadata: { name: a }, spec: { ports: [{ port: "80" }] } }'),
          [
            'error schema-wrong-type $.spec.objects[0].template.spec.ports[0].port: expected an integer, found the string "80" (in Service)',
          ],
        ],
        [
          template(POD.replace('self.spec.image', 'self.spec.replicas')),
          [
            'error cel-template-type $.spec.objects[0].template.spec.containers[0].image: expected a string, found int (in Pod) (convert it with string(...))',
          ],
        ],
        [
          template('{ apiVersion: v1, kind: Service, metadata: { name: a }, spec: { ports: [{ port: "x${self.spec.replicas}" }] } }'),
          [
            'error cel-template-type $.spec.objects[0].template.spec.ports[0].port: expected an integer, found text (in Service) (a string that is one whole ${...} stands for the value itself)',
          ],
        ],
        [
          template('{ apiVersion: v1, kind: ConfigMap, metadata: { name: a }, data: "${self.spec.hosts}" }'),
          ['error cel-template-type $.spec.objects[0].template.data: expected a map, found list(string) (in ConfigMap)'],
        ],
        [
          template('{ apiVersion: v1, kind: ConfigMap, metadata: { name: a }, data: { x: "${self.spec.imag}" } }'),
          ["error cel-undefined-field $.spec.objects[0].template.data.x: undefined field 'imag' (did you mean 'image'?)"],
        ],
        [
          template('{ apiVersion: v1, kind: ConfigMap, metadata: { name: a }, data: { x: "${self.spec.image" } }'),
          [
            'error cel-template-unclosed $.spec.objects[0].template.data.x: expected } to end the expression that ${ begins (close it with }, or write $${ for the text ${)',
          ],
        ],
      ]),
    )('%s', (_title, text, expected) => {
      expect(problemsOf(text)).toEqual(expected);
    });
  });

  describe('the rest', () => {
    const password = 'generate: [{ id: password, random: {} }]';
    test.each(
      titled([
        [
          ruleText('conditions: [{ type: Ready, expression: "true" }]'),
          [
            'error reconcile-condition $.spec.conditions[0].type: the condition Ready is made of what became of the objects (give the condition another type)',
          ],
        ],
        [
          ruleText('status: { conditions: [] }'),
          [
            'error reconcile-status $.spec.status.conditions: conditions is written by Fairlead (conditions of your own stand in spec.conditions)',
          ],
        ],
        [
          ruleText(`${password}\nstatus: { password: "\${password.value}" }`),
          [
            'error reconcile-secret $.spec.status.password: what password holds is secret, and everybody who may read the instance would read it here (tell the name of the Secret instead)',
          ],
        ],
        [
          ruleText(
            `${password}\nvariables: [{ name: p, expression: "'x' + password.value" }]\nconditions: [{ type: A, expression: "true", message: "\${variables.p}" }]`,
          ),
          [expect.stringContaining('error reconcile-secret $.spec.conditions[0].message:')],
        ],
        [ruleText(`${password}\nstatus: { secret: "\${password.secretName}", isSet: "\${password.value != ''}" }`), []],
        [
          ruleText('requeueAfter: "${self.spec.replicas}"'),
          ["error reconcile-duration $.spec.requeueAfter: requeueAfter is a duration, found int (as duration('5m'))"],
        ],
        [
          ruleText('generate: [{ id: tls, x509: { commonName: a, duration: 1h, renewBefore: 2h } }]'),
          [
            'error reconcile-renewal $.spec.generate[0].x509.renewBefore: renewBefore is as long as the certificate lasts, so that it would be renewed all the time (make it shorter than duration)',
          ],
        ],
        [
          ruleText('generate: [{ id: tls, x509: { commonName: a, duration: 90 days } }]'),
          [
            'error reconcile-duration $.spec.generate[0].x509.duration: expected a duration, found "90 days" (write it as 90s, 15m or 2160h)',
          ],
        ],
        [
          `${ruleText('')}---\n${ruleText('').replace('name: app', 'name: other')}`,
          ['error reconcile-duplicate $.spec.resource.kind: the kind App of apps.example.com is made by the rule app, too'],
        ],
        [
          `${ruleText('')}---\n${ruleText('').replace('kind: App', 'kind: Other')}`,
          ['error reconcile-duplicate $.metadata.name: there is another rule called app'],
        ],
      ]),
    )('%s', (_title, text, expected) => {
      expect(problemsOf(text)).toEqual(expected);
    });

    test('status against the schema that the rule declares', () => {
      const resource = 'resource: { group: a.b, version: v1, kind: A, spec: { n: integer }, status: { ready: integer } }';
      expect(problemsOf(ruleText('status: { redy: 1, ready: "${self.metadata.name}" }', resource))).toEqual([
        'error schema-unknown-field $.spec.status.redy: unknown field redy (in A) (did you mean ready?)',
        'error cel-template-type $.spec.status.ready: expected an integer, found string (in A) (convert it with int(...))',
      ]);
    });
  });
});

test('a mistake is shown where it stands', () => {
  const [found] = compileText(template(POD.replace('self.spec.image', 'self.spec.imgae'))).diagnostics;
  expect(found!.source!.text.slice(found!.span!.start, found!.span!.end)).toBe('self.spec.imgae');
  expect(found!.source!.text.split('\n').findIndex((line) => line.includes('imgae')) + 1).toBe(18);
});

test('kinds that another rule of the bundle makes are typed', () => {
  const other = ruleText(
    'objects: [{ id: app, template: { apiVersion: apps.example.com/v1, kind: App, metadata: { name: a }, spec: { imag: x } } }]',
    'resource: { group: b.c, version: v1, kind: B }',
  );
  expect(problemsOf(`${ruleText('')}---\n${other.replace('name: app }', 'name: b }')}`)).toEqual([
    'error schema-unknown-field $.spec.objects[0].template.spec.imag: unknown field imag (in App) (did you mean image?)',
    'error schema-missing-field $.spec.objects[0].template.spec: missing field image (in App)',
  ]);
});

describe('what a runtime is told of a rule', () => {
  const deployment = `- id: deployment
  template:
    apiVersion: apps/v1
    kind: Deployment
    metadata: { name: a }
    spec:
      replicas: "\${self.spec.replicas}"
      selector: { matchLabels: { app: a } }
      template: { metadata: { labels: { app: a } }, spec: { containers: [{ name: a, image: b }] } }
  ready: deployment.status.?conditions.orValue([]).exists(c, c.type == 'Available')`;

  test('which fields it reads and writes', () => {
    const rule = ruleOf(
      objects(deployment, '- { id: config, external: { apiVersion: v1, kind: ConfigMap, name: "${self.spec.env.config}" } }'),
    );
    expect(rule.instance.fields).toEqual({ spec: { replicas: true, env: { config: true } } });
    expect(rule.touches).toEqual([
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        use: 'write',
        fields: {
          status: { conditions: { '*': { type: true } } },
          spec: {
            replicas: true,
            selector: { matchLabels: { app: true } },
            template: { metadata: { labels: { app: true } }, spec: { containers: true } },
          },
        },
      },
      { apiVersion: 'v1', kind: 'ConfigMap', use: 'read', fields: expect.objectContaining({ status: true }) },
    ]);
  });

  test.each<[string, boolean]>([
    [objects(configMap('a')), false],
    [objects(configMap('a', '{}', 'deletion: { policy: Orphan }')), true],
    [template('{ apiVersion: v1, kind: Namespace, metadata: { name: a } }'), true],
    [template('{ apiVersion: v1, kind: ConfigMap, metadata: { name: a, namespace: other } }'), true],
    [template('{ apiVersion: v1, kind: ConfigMap, metadata: { name: a, namespace: "${self.metadata.namespace}" } }'), false],
    [objects('- { id: a, patch: { apiVersion: v1, kind: ConfigMap, metadata: { name: a, labels: { a: b } } } }'), true],
    [ruleText('calls: [{ id: a, http: { url: "http://x" } }]'), false],
    [ruleText('calls: [{ id: a, http: { url: "http://x" }, undo: { method: DELETE, url: "http://x/${a.body.id}" } }]'), true],
    [ruleText('deletion: { policy: Orphan }'), true],
  ])('rule %# needs a finalizer: $1', (text, expected) => {
    expect(ruleOf(text).needsFinalizer).toBe(expected);
  });

  test('its revision follows what it means', () => {
    const revision = (text: string) => ruleOf(text).revision;
    const text = objects(configMap('a', '{ x: v }'));
    expect(revision(text)).toMatch(/^[0-9a-f]{16}$/);
    expect(revision(text.replace('x: v', 'x:    v'))).toBe(revision(text));
    expect(revision(text.replace('x: v', 'x: z'))).not.toBe(revision(text));
    const bundle = `apiVersion: fairlead.dev/v1alpha1\nkind: RuleBundle\nmetadata: { name: b }\nspec: { params: { p: "string | default=x" } }\n---\n${text}`;
    const withParam = (p: string) =>
      compileBundle(parseYaml({ name: 'b.yaml', text: bundle }).documents, { params: { p } }).program?.reconcile.rules[0]?.revision;
    expect(withParam('y')).not.toBe(withParam('x'));
  });
});
