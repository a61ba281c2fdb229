import { describe, expect, test } from 'vitest';
import { typesWith } from '../../bundle/compile.ts';
import type { JsonObject } from '../../object/json.ts';
import { SHORT_CERTIFICATE } from '../../object/x509.fixture.ts';
import { configMap, ruleOf, ruleText } from './compile.fixture.ts';
import type { CallResult, ReconcilePlan } from './program.ts';
import { recordedReconcileFacts } from './recorded-facts.ts';

interface Given {
  readonly spec?: JsonObject;
  readonly objects?: readonly JsonObject[];
  readonly generated?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly calls?: Readonly<Record<string, CallResult>>;
  readonly now?: number;
  readonly self?: JsonObject;
}

const SELF = { apiVersion: 'apps.example.com/v1', kind: 'App', metadata: { name: 'shop', namespace: 'ns', uid: 'uid-1', generation: 3 } };

/** What a rule wants, with a cluster in which there are these objects and no others. */
function planOf(spec: string, given: Given = {}, resource?: string): ReconcilePlan {
  const facts = recordedReconcileFacts(given.objects ?? [], {
    now: given.now ?? 0,
    types: typesWith([]),
    generated: ({ id }) => given.generated?.[id],
    call: ({ id }) => given.calls?.[id],
  });
  const self = given.self ?? { ...SELF, spec: { image: 'nginx', replicas: 1, ...given.spec } };
  const answer = ruleOf(ruleText(spec, resource)).reconcile(self, facts);
  if (answer.kind === 'needs') throw new Error(`asked for ${JSON.stringify(answer.needs)}`);
  return answer.plan;
}

const observedConfig = (name: string, data: JsonObject = {}, metadata: JsonObject = {}): JsonObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'ns', ...metadata },
  data,
});
const names = ({ objects }: ReconcilePlan) => objects.map(({ reference }) => reference.name);
const conditionOf = (plan: ReconcilePlan, type: string) => plan.conditions.find((condition) => condition.type === type);
const objects = (...entries: readonly string[]) => `objects:\n${entries.join('\n')}`;

describe('entries that refer to each other', () => {
  const chain = objects(configMap('b', '{ x: "${a.data.x}" }'), configMap('a', '{ x: "1" }'));

  test('wait for what they read, and keep what exists of them', () => {
    const plan = planOf(chain, { objects: [observedConfig('shop-b')] });
    expect(names(plan)).toEqual(['shop-a']);
    expect(plan.waiting).toEqual([{ id: 'b', reason: 'ConfigMap ns/shop-a does not exist yet' }]);
    expect(plan.retain).toEqual(['b']);
    expect(conditionOf(plan, 'Ready')).toMatchObject({ status: 'False', reason: 'NotReady' });
  });

  test('come after it', () => {
    const plan = planOf(chain, { objects: [observedConfig('shop-a', { x: '1' })] });
    expect(plan.objects.map(({ id, level }) => [id, level])).toEqual([
      ['a', 0],
      ['b', 1],
    ]);
  });

  test('wait until it is ready, or only until it exists', () => {
    const entries = (waitFor: string) =>
      objects(configMap('a', '{}', 'ready: a.data.ok == "yes"'), configMap('b', '{ x: "${a.metadata.name}" }', waitFor));
    const given = { objects: [observedConfig('shop-a', { ok: 'no' })] };
    expect(planOf(entries(''), given).waiting).toEqual([
      { id: 'b', reason: 'a is not ready: ConfigMap shop-a is not ready: a.data.ok == "yes"' },
    ]);
    expect(names(planOf(entries('waitFor: Exists'), given))).toEqual(['shop-a', 'shop-b']);
  });

  test('by after, without reading anything', () => {
    const plan = planOf(objects(configMap('b', '{}', 'after: [a]'), configMap('a')));
    expect(names(plan)).toEqual(['shop-a']);
    expect(plan.waiting.map(({ id }) => id)).toEqual(['b']);
  });

  test('wait for a field that is not there yet, and fail for one of the instance', () => {
    const plan = planOf(chain, { objects: [observedConfig('shop-a')] });
    expect(plan.waiting).toEqual([{ id: 'b', reason: 'a has no such field yet: no such key: x' }]);
    expect(plan.failures).toEqual([]);
    const failed = planOf(objects(configMap('a', '{ x: "${self.spec.env.x}" }')));
    expect(failed.failures).toEqual([{ path: ['spec', 'objects', 0, 'template', 'data', 'x'], message: 'no such key: env' }]);
    expect(failed.retain).toEqual(['a']);
    expect(conditionOf(failed, 'Stalled')).toMatchObject({ status: 'True', reason: 'RuleFailed' });
  });
});

describe('when', () => {
  const entries = (data: string) => objects(configMap('a', '{ x: "1" }', 'when: self.spec.?expose.orValue(false)'), configMap('b', data));

  test.each<[string, readonly string[], JsonObject | undefined]>([
    ['{ x: "${a.data.x}" }', [], undefined],
    ['{ x: "${a.?data.?x}" }', ['shop-b'], {}],
    ['{ x: "${a.?data.?x.orValue(\'none\')}" }', ['shop-b'], { x: 'none' }],
    ['{ x: "${self.spec.?expose.orValue(false) ? a.data.x : \'none\'}" }', ['shop-b'], { x: 'none' }],
    ['{ x: "${has(a.data) ? a.data.x : \'none\'}" }', ['shop-b'], { x: 'none' }],
  ])('leaves an entry out, and with it what cannot do without: %s', (data, expected, rendered) => {
    const plan = planOf(entries(data));
    expect(names(plan)).toEqual(expected);
    expect(plan.objects[0]?.object['data']).toEqual(rendered);
    expect([plan.waiting, plan.retain, plan.failures]).toEqual([[], [], []]);
    expect(conditionOf(plan, 'Ready')?.status).toBe(expected.length === 0 ? 'True' : 'False');
  });

  test('may ask for another entry', () => {
    const spec = objects(configMap('a'), configMap('b', '{}', 'when: a.?data.?b.orValue("") == "yes"'));
    expect(planOf(spec).waiting.map(({ id }) => id)).toEqual(['b']);
    expect(names(planOf(spec, { objects: [observedConfig('shop-a')] }))).toEqual(['shop-a']);
    expect(names(planOf(spec, { objects: [observedConfig('shop-a', { b: 'yes' })] }))).toEqual(['shop-a', 'shop-b']);
  });
});

describe('forEach', () => {
  const worker = (further: string) => `- id: worker
  template: { apiVersion: v1, kind: ConfigMap, metadata: { name: "w-\${item.name}" }, data: { size: "\${string(item.size)}" } }
${further.replace(/^(?=.)/gm, '  ')}`;
  const workers = (...list: readonly string[]) => ({ spec: { workers: list.map((name) => ({ name, size: 1 })) } });

  test('gives each item an identity that does not move', () => {
    const keys = (...list: readonly string[]) =>
      planOf(objects(worker('forEach: self.spec.workers\nkey: item.name')), workers(...list)).objects.map(({ key, reference }) => [
        key,
        reference.name,
      ]);
    expect(keys('a', 'b', 'c')).toEqual([
      ['a', 'w-a'],
      ['b', 'w-b'],
      ['c', 'w-c'],
    ]);
    expect(keys('b', 'c')).toEqual([
      ['b', 'w-b'],
      ['c', 'w-c'],
    ]);
  });

  test.each<[string, JsonObject, readonly string[]]>([
    ['forEach: self.spec.hosts', { hosts: ['x', 'y'] }, ['x', 'y']],
    ['forEach: self.spec.env', { env: { A: '1', B: '2' } }, ['A', 'B']],
    ['forEach: lists.range(self.spec.replicas)', { replicas: 2 }, ['0', '1']],
    ["forEach: { host: self.spec.hosts, key2: \"['p', 'q']\" }", { hosts: ['x', 'y'] }, ['x/p', 'x/q', 'y/p', 'y/q']],
  ])('%s', (forEach, spec, expected) => {
    const name = forEach.includes('host:')
      ? '${host}-${key2}'
      : forEach.includes('env')
        ? '${key.lowerAscii()}-${item}'
        : 'n-${item}-${index}';
    const plan = planOf(objects(`- id: it\n  ${forEach}\n  template: { apiVersion: v1, kind: ConfigMap, metadata: { name: "${name}" } }`), {
      spec,
    });
    expect(plan.objects.map(({ key }) => key)).toEqual(expected);
  });

  test('shows others a list, once all of it exists; status sees what there is', () => {
    const spec = `${objects(worker('forEach: self.spec.workers\nkey: item.name'), configMap('all', '{ names: "${worker.map(w, w.metadata.name).join(\',\')}" }'))}
status: { count: "\${worker.size()}" }`;
    const given = workers('a', 'b');
    const partial = planOf(spec, { ...given, objects: [observedConfig('w-a')] });
    expect(partial.status).toEqual({ count: 1 });
    expect(partial.waiting).toEqual([{ id: 'all', reason: '1 of 2 objects of worker are missing: ConfigMap ns/w-b does not exist yet' }]);
    const plan = planOf(spec, { ...given, objects: [observedConfig('w-a'), observedConfig('w-b')] });
    expect(plan.objects.at(-1)?.object['data']).toEqual({ names: 'w-a,w-b' });
  });

  test('over nothing makes nothing, and nobody waits for it', () => {
    const spec = objects(worker('forEach: self.spec.workers\nkey: item.name'), configMap('all', '{ n: "${string(worker.size())}" }'));
    expect(names(planOf(spec, workers()))).toEqual(['shop-all']);
  });

  test('judges each object by itself', () => {
    const spec = objects(worker('forEach: self.spec.workers\nkey: item.name\nready: worker.data.size == string(item.size)'));
    const plan = planOf(spec, {
      ...workers('a', 'b'),
      objects: [observedConfig('w-a', { size: '1' }), observedConfig('w-b', { size: '2' })],
    });
    expect(plan.objects.map(({ ready }) => ready)).toEqual([true, false]);
  });

  test.each<[string, JsonObject, string]>([
    ['forEach: self.spec.workers\nkey: string(item.size)', workers('a', 'b').spec, 'two items have the key "1": key must tell them apart'],
    [
      'forEach: self.spec.workers\nkey: item.name',
      { workers: Array.from({ length: 1001 }, (_, i) => ({ name: `n${i}`, size: 1 })) },
      'the entry has more than 1000 items',
    ],
  ])('fails where items are not told apart, or too many: %#', (further, spec, message) => {
    const plan = planOf(objects(worker(further)), { spec });
    expect(plan.failures.map((failure) => failure.message)).toEqual([message]);
    expect(plan.retain).toEqual(['worker']);
  });
});

describe('objects of others', () => {
  const external = (further: string) => `- { id: config, external: { apiVersion: v1, kind: ConfigMap, ${further} } }`;
  const reader = configMap('a', '{ x: "${config.data.x}" }');

  test('are waited for by name', () => {
    const spec = objects(external('name: "${self.spec.image}"'), reader);
    expect(planOf(spec).waiting).toEqual([
      { id: 'config', reason: 'ConfigMap ns/nginx is not found' },
      { id: 'a', reason: 'ConfigMap ns/nginx is not found' },
    ]);
    expect(planOf(spec, { objects: [observedConfig('nginx', { x: '1' })] }).objects[0]?.object['data']).toEqual({ x: '1' });
  });

  test('may be absent', () => {
    const spec = objects(external('name: c, optional: true'), configMap('a', '{ x: "${config.?data.?x.orValue(\'no\')}" }'));
    expect(planOf(spec).objects[0]?.object['data']).toEqual({ x: 'no' });
  });

  test('by label, in the namespace of the instance or in all', () => {
    const elsewhere = observedConfig('c', {}, { namespace: 'other', labels: { app: 'x' } });
    const given = { objects: [observedConfig('a', {}, { labels: { app: 'x' } }), observedConfig('b'), elsewhere] };
    const count = (further: string) =>
      planOf(`${objects(external(`selector: { matchLabels: { app: x } }${further}`))}\nstatus: { count: "\${config.size()}" }`, given)
        .status;
    expect(count('')).toEqual({ count: 1 });
    expect(count(', allNamespaces: true')).toEqual({ count: 2 });
    expect(count(', namespace: other')).toEqual({ count: 1 });
  });

  test('get fields of ours, and are never made', () => {
    const spec = objects('- { id: mark, patch: { apiVersion: v1, kind: ConfigMap, metadata: { name: c, labels: { seen: "yes" } } } }');
    expect(planOf(spec).waiting).toEqual([{ id: 'mark', reason: 'ConfigMap ns/c is not found' }]);
    expect(planOf(spec, { objects: [observedConfig('c')] }).objects).toMatchObject([{ partial: true, ready: true }]);
  });

  test('decorated ones are the instances', () => {
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace: 'ns', uid: 'u' } };
    const plan = planOf(objects(configMap('a')), { self: pod }, 'for: { apiVersion: v1, kind: Pod, selector: { matchLabels: { a: b } } }');
    expect(names(plan)).toEqual(['p-a']);
  });
});

describe('generated values', () => {
  const password = 'generate: [{ id: password, random: { length: 16 } }]';
  const uses = objects(
    '- id: secret\n  template: { apiVersion: v1, kind: Secret, metadata: { name: s }, stringData: { p: "${password.value}" } }',
  );

  test('are asked for, and used once they are made', () => {
    const plan = planOf(`${password}\n${uses}`);
    expect(plan.generate).toMatchObject([
      { id: 'password', secret: { namespace: 'ns', name: 'shop-password' }, value: { kind: 'random', key: 'value', length: 16 } },
    ]);
    expect(plan.waiting.map(({ id }) => id)).toEqual(['password', 'secret']);
    const made = planOf(`${password}\n${uses}`, { generated: { password: { value: 'abc' } } });
    expect(made.generate).toEqual([]);
    expect(made.kept.map(({ id }) => id)).toEqual(['password']);
    expect(made.objects[0]?.object['stringData']).toEqual({ p: 'abc' });
  });

  const certificateOf = (more: string): string => `generate: [{ id: tls, x509: { duration: 2160h, renewBefore: 720h, ${more} } }]
status: { notAfter: "\${tls.notAfter}", secret: "\${tls.secretName}" }`;
  const certificate = certificateOf('commonName: test');
  const DAY = 86_400_000;
  const END = Date.UTC(2027, 1, 24, 15, 5, 10);
  const made = { tls: { 'tls.crt': SHORT_CERTIFICATE, 'tls.key': 'key', 'ca.crt': 'ca' } };

  test.each<[number, readonly string[], number | undefined]>([
    [END - 31 * DAY, [], DAY],
    [END - 30 * DAY, ['tls'], undefined],
    [END + DAY, ['tls'], undefined],
  ])('a certificate is renewed before its end: at %i', (now, generate, requeueAfter) => {
    const plan = planOf(certificate, { generated: made, now });
    expect(plan.generate.map(({ id }) => id)).toEqual(generate);
    expect(plan.requeueAfter).toBe(requeueAfter);
    expect(plan.status).toEqual({ notAfter: '2027-02-24T15:05:10Z', secret: 'shop-tls' });
  });

  test.each([
    'commonName: "${self.metadata.name}"',
    'commonName: test, dnsNames: ["${self.metadata.name}.ns.svc"]',
    'commonName: test, ipAddresses: [10.0.0.1]',
  ])('a certificate for other names is made anew at once, and serves until then: %s', (more) => {
    const plan = planOf(certificateOf(more), { generated: made, now: END - 80 * DAY });
    expect(plan.generate.map(({ id }) => id)).toEqual(['tls']);
    expect(plan.status).toEqual({ notAfter: '2027-02-24T15:05:10Z', secret: 'shop-tls' });
  });

  test('a certificate is signed by another, which comes before', () => {
    const spec = `generate:
- { id: tls, x509: { commonName: a, issuer: { name: "\${ca.secretName}" } } }
- { id: ca, x509: { commonName: test, isCA: true } }`;
    expect(planOf(spec).generate.map(({ id }) => id)).toEqual(['ca']);
    const plan = planOf(spec, { generated: { ca: made.tls }, now: END - 80 * DAY });
    expect(plan.generate).toMatchObject([{ id: 'tls', value: { issuer: { namespace: 'ns', name: 'shop-ca' } } }]);
  });
});

describe('calls', () => {
  const spec = `calls:
- id: database
  http: { method: POST, url: "http://api/databases", headers: { X-Name: "\${self.metadata.name}" }, body: { size: "\${self.spec.replicas}" } }
  undo: { method: DELETE, url: "http://api/databases/\${database.body.id}" }
  refresh: 1h
  when: self.spec.?expose.orValue(true)
${objects(configMap('a', '{ id: "${database.body.id}" }'))}`;
  const answered = (status: number, at = 0) => ({ calls: { database: { status, body: { id: 'db-1' }, at } } });

  test('are asked for with a key that stays', () => {
    const plan = planOf(spec);
    expect(plan.calls).toEqual([
      {
        id: 'database',
        key: 'uid-1/database',
        request: { method: 'POST', url: 'http://api/databases', headers: { 'X-Name': 'shop' }, body: { size: 1 }, timeout: 10_000 },
        refreshAfter: 3_600_000,
      },
    ]);
    expect(plan.waiting.map(({ id, reason }) => `${id}: ${reason}`)).toEqual([
      'database: database has no answer yet',
      'a: database has no answer yet',
    ]);
  });

  test('are done when the answer is as expected, and their undoing is known from then on', () => {
    const plan = planOf(spec, answered(201));
    expect(plan.calls).toEqual([]);
    expect(plan.undo).toMatchObject([
      { id: 'database', key: 'uid-1/database', request: { method: 'DELETE', url: 'http://api/databases/db-1' } },
    ]);
    expect(plan.objects[0]?.object['data']).toEqual({ id: 'db-1' });
    expect(plan.requeueAfter).toBe(3_600_000);
  });

  test('are made again after an answer that is not expected, and when it is old', () => {
    const refused = planOf(spec, answered(503));
    expect(refused.calls).toHaveLength(1);
    expect(conditionOf(refused, 'Ready')?.message).toContain('database answered 503');
    const old = planOf(spec, { ...answered(200), now: 3_600_000 });
    expect(old.calls).toHaveLength(1);
    expect(old.objects).toHaveLength(1);
  });

  test('are revoked when they are left out', () => {
    expect(planOf(spec, { ...answered(200), spec: { expose: false } })).toMatchObject({ revoked: ['database'], calls: [], objects: [] });
  });

  test.each([
    ['url: "ftp://x"', 'the url must begin with http:// or https://'],
    ['url: "http://x", headers: { A: "${self.spec.image}" }', 'the header A must be text of one line'],
  ])('are refused where a request cannot be made: %s', (http, message) => {
    const plan = planOf(`calls: [{ id: it, http: { ${http} } }]`, { spec: { image: 'a\r\nB: c' } });
    expect(plan.failures.map((failure) => failure.message)).toEqual([message]);
  });
});

describe('status and conditions', () => {
  test('each field of status is there as soon as what it reads is', () => {
    const plan = planOf(`${objects(configMap('a'))}
status: { name: "\${self.metadata.name}", a: "\${a.data.x}", text: "is \${a.data.x}", list: ["\${a.data.x}", b], fixed: 1 }`);
    expect(plan.status).toEqual({ name: 'shop', fixed: 1 });
  });

  test('conditions of the rule, then those of kstatus', () => {
    const spec = `${objects(configMap('a'))}
conditions:
- { type: Known, expression: a.data.x == '1', message: "x is \${a.data.x}" }
- { type: Small, expression: self.spec.replicas < 3, reason: "\${self.spec.replicas < 3 ? 'Few' : 'Many'}" }`;
    expect(planOf(spec).conditions.map(({ type, status, reason }) => [type, status, reason])).toEqual([
      ['Known', 'Unknown', 'Waiting'],
      ['Small', 'True', 'Few'],
      ['Ready', 'False', 'NotReady'],
      ['Reconciling', 'True', 'NotReady'],
      ['Stalled', 'False', 'Reconciling'],
    ]);
    const plan = planOf(spec, { objects: [observedConfig('shop-a', { x: '2' })], spec: { replicas: 5 } });
    expect(plan.conditions.slice(0, 3)).toEqual([
      { type: 'Known', status: 'False', reason: 'NotKnown', message: 'x is 2' },
      { type: 'Small', status: 'False', reason: 'Many', message: '' },
      { type: 'Ready', status: 'True', reason: 'Ready', message: 'the object is ready' },
    ]);
  });

  test('an object that failed stalls the instance', () => {
    const job = {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'j', namespace: 'ns' },
      status: { conditions: [{ type: 'Failed', status: 'True' }] },
    };
    const spec = objects(
      '- { id: job, template: { apiVersion: batch/v1, kind: Job, metadata: { name: j }, spec: { template: { spec: { containers: [{ name: a }] } } } } }',
    );
    expect(conditionOf(planOf(spec, { objects: [job] }), 'Stalled')).toMatchObject({ status: 'True', reason: 'ObjectFailed' });
  });

  test('an object that is being deleted is not ready, whatever its rule says', () => {
    const spec = objects(configMap('a', '{}', 'ready: "true"'));
    const plan = planOf(spec, { objects: [observedConfig('shop-a', {}, { deletionTimestamp: '2025-01-01T00:00:00Z' })] });
    expect(conditionOf(plan, 'Ready')?.message).toBe('ConfigMap shop-a is being deleted');
  });

  test('messages hold nothing of what is secret', () => {
    const spec = `generate: [{ id: password, random: {} }]
${objects(configMap('a', '{ x: "${string(int(password.value))}" }'))}`;
    const plan = planOf(spec, { generated: { password: { value: 'hunter2' } } });
    expect(plan.failures).toMatchObject([{ message: 'the expression failed; its values are secret' }]);
    expect(JSON.stringify([plan.conditions, plan.failures, plan.waiting])).not.toContain('hunter2');
  });
});

describe('time', () => {
  test.each<[string, number | undefined]>([
    ['requeueAfter: 5m', 300_000],
    ['requeueAfter: "${duration(\'90s\')}"', 90_000],
    ['requeueAfter: "${self.spec.replicas}m"', 60_000],
    ['requeueAfter: "${optional.none()}"', undefined],
    ['requeueAfter: "${timestamp(\'2025-01-01T01:00:00Z\') - now}"', 3_600_000],
  ])('%s', (spec, expected) => {
    expect(planOf(spec, { now: Date.UTC(2025, 0, 1) }).requeueAfter).toBe(expected);
  });

  test('of no duration fails', () => {
    expect(planOf('requeueAfter: soon').failures.map(({ message }) => message)).toEqual(['expected a duration, as 5m, found "soon"']);
  });
});

describe('what cannot be', () => {
  test.each<[string, string]>([
    [
      objects(configMap('a', '{}', 'when: "true"').replace('-a"', '"'), configMap('b', '{}', 'when: "true"').replace('-b"', '"')),
      'ConfigMap ns/shop is made by a, too',
    ],
    [
      objects('- { id: a, template: { apiVersion: v1, kind: ConfigMap, metadata: { name: "${self.spec.?env.?x.orValue(\'\')}" } } }'),
      'the ConfigMap has no metadata.name',
    ],
    [
      objects('- { id: a, template: { apiVersion: v1, kind: ConfigMap, metadata: { name: "${self.metadata.name}/status" } } }'),
      '"shop/status" can\'t be the name of a ConfigMap: it may not contain /',
    ],
    [
      objects('- { id: a, template: { apiVersion: v1, kind: ConfigMap, metadata: { name: a, namespace: "${\'..\'}" } } }'),
      '".." can\'t be a namespace',
    ],
    [
      objects('- { id: a, external: { apiVersion: v1, kind: Secret, name: "${self.spec.image}%2f", namespace: b } }'),
      '"nginx%2f" can\'t be the name of a Secret: it may not contain %',
    ],
    [
      objects('- { id: a, external: { apiVersion: v1, kind: Secret, selector: { a: b }, namespace: "a/${self.spec.image}" } }'),
      '"a/nginx" can\'t be a namespace: it may not contain /',
    ],
    [
      'generate: [{ id: a, random: {}, secret: { name: "${self.spec.image}/a" } }]',
      '"nginx/a" can\'t be the name of a Secret: it may not contain /',
    ],
    [
      'generate: [{ id: a, x509: { commonName: a, issuer: { name: "${self.spec.image}/a" } } }]',
      '"nginx/a" can\'t be the name of a Secret: it may not contain /',
    ],
    [objects('- { id: a, template: { apiVersion: v1, kind: "${self.spec.image}", metadata: { name: a, namespace: b } } }'), ''],
  ])('%#: %s', (spec, message) => {
    const plan = planOf(spec);
    if (message === '') expect(plan.waiting).toEqual([{ id: 'a', reason: 'the cluster does not serve nginx of v1' }]);
    else expect(plan.failures.map((failure) => failure.message)).toEqual([message]);
  });

  test('an expression that costs too much fails, and nothing hangs', () => {
    const plan = planOf(
      `${objects(configMap('a', '{ n: "${string(lists.range(1000).map(x, lists.range(1000).map(y, lists.range(1000).size())).size())}" }'))}`,
    );
    expect(plan.failures.map(({ message }) => message)).toEqual([expect.stringMatching(/cost limit/)]);
  });
});

test('facts that are not known yet are asked for together', () => {
  const spec = objects(configMap('a'), configMap('b'), '- { id: c, external: { apiVersion: v1, kind: Secret, selector: { a: b } } }');
  const unknown = { ...recordedReconcileFacts([], { now: 0, types: typesWith([]) }), object: () => undefined, objects: () => undefined };
  expect(ruleOf(ruleText(spec)).reconcile({ ...SELF, spec: { image: 'x' } }, unknown)).toEqual({
    kind: 'needs',
    needs: {
      objects: [
        { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'ns', name: 'shop-a' },
        { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'ns', name: 'shop-b' },
      ],
      queries: [{ apiVersion: 'v1', kind: 'Secret', namespace: 'ns', labelSelector: 'a=b' }],
      scopes: [],
    },
  });
});

test('the same facts give the same answer', () => {
  const spec = `${objects(configMap('b', '{ x: "${a.data.x}" }'), configMap('a', '{ x: "1" }'))}\nstatus: { x: "\${a.data.x}" }`;
  const given = { objects: [observedConfig('shop-a', { x: '1' })] };
  expect(planOf(spec, given)).toEqual(planOf(spec, given));
});

test('hostile keys are data', () => {
  const spec = objects(
    '- id: it\n  forEach: self.spec.env\n  template: { apiVersion: v1, kind: ConfigMap, metadata: { name: "${\'n-\' + item}" }, data: { "${key}": "${item}", constructor: x } }',
  );
  const env = JSON.parse('{"__proto__": "a", "toString": "b"}') as JsonObject;
  const plan = planOf(spec, { spec: { env } });
  expect(plan.objects.map(({ key, object }) => [key, JSON.stringify(object['data'])])).toEqual([
    ['__proto__', '{"__proto__":"a","constructor":"x"}'],
    ['toString', '{"toString":"b","constructor":"x"}'],
  ]);
});

test('objects are no more than a cluster could take', () => {
  const spec = `variables: [{ name: long, expression: "lists.range(1000).map(i, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx').join(',')" }]
${objects('- { id: it, forEach: lists.range(900), template: { apiVersion: v1, kind: ConfigMap, metadata: { name: "n-${item}" }, data: { x: "${variables.long}" } } }')}`;
  expect(planOf(spec).failures.map(({ message }) => message)).toContain(
    'the objects of the rule have more than 33554432 characters together',
  );
});
