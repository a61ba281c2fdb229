import { type AdmissionCase, createConfigMap, single, vap } from '../case.ts';

type Variables = Readonly<Record<string, string>>;

function variable(name: string, variables: Variables, expression: string, messageExpression = '"no"'): AdmissionCase {
  const list = Object.entries(variables).map(([each, text]) => ({ name: each, expression: text }));
  return single(
    `variable/${name}`,
    vap([{ expression, messageExpression }], { variables: list }),
    createConfigMap({ a: '1', b: '2' }, { labels: { app: 'x' } }),
  );
}

/** Named expressions: lazy, evaluated once, composed. */
export const variableCases: readonly AdmissionCase[] = [
  variable('string', { v: 'object.data.a' }, 'variables.v == "2"', 'string(variables.v)'),
  variable('int', { v: 'int(object.data.a) + 1' }, 'variables.v == 1', 'string(variables.v)'),
  variable('list', { v: '["x", "y"]' }, 'variables.v.size() == 1', 'variables.v.join("-")'),
  variable('map', { v: '{"x": object.data.a}' }, 'variables.v.x == "2"', 'string(variables.v["x"])'),
  variable('map with optional key', { v: '{?"x": object.data[?"nope"], "y": "1"}' }, 'has(variables.v.x)', 'string(variables.v.size())'),
  variable(
    'map with optional key, typed',
    { v: '{?"x": optional.of("1"), ?"z": optional.none(), "y": "1"}' },
    'has(variables.v.z)',
    'string(variables.v.size())',
  ),
  variable('optional', { v: 'object.data[?"nope"]' }, 'variables.v.hasValue()', 'variables.v.orValue("none")'),
  variable('chain', { a: 'object.data.a', b: 'variables.a + "b"', c: 'variables.b + variables.a' }, 'variables.c == ""', 'variables.c'),
  variable('not used errs', { bad: 'object.data.nope' }, 'object.data.a == "1"'),
  variable('used behind or errs', { bad: 'object.data.nope == "1"' }, 'object.data.a == "1" || variables.bad'),
  variable(
    'in a macro',
    { keys: 'object.data.map(k, k)' },
    'variables.keys.all(k, object.data[k] == "1")',
    'variables.keys.sort().join(",")',
  ),
  variable('shadowed by a macro variable', { k: '"outer"' }, 'object.data.all(k, k == "a")', 'variables.k'),
  variable('bool', { ok: 'object.data.a == "2"' }, 'variables.ok'),
  variable('bool of dyn is refused or not', { ok: 'object.data.a == "2" || dyn(false)' }, 'variables.ok'),
  variable('type of object', { o: 'object' }, 'variables.o.metadata.labels.app == "y"', 'string(variables.o.metadata.labels.app)'),
  variable('missing field of a dyn variable', { m: 'object.metadata' }, 'variables.m.annotations.x == "y"'),
  variable(
    'timestamp',
    { t: 'timestamp("2024-02-29T12:00:00Z")' },
    'variables.t.getFullYear() == 2023',
    'string(variables.t + duration("24h"))',
  ),
  variable('duration', { d: 'duration("90m")' }, 'variables.d.getHours() == 2', 'string(variables.d)'),
  variable('quantity', { q: 'quantity("1.5Gi")' }, 'variables.q.isLessThan(quantity("1Gi"))', 'string(variables.q.asApproximateFloat())'),
  variable('null', { n: 'null' }, 'variables.n != null'),
  variable('namespace', { n: 'namespaceObject.metadata.labels' }, '!("case" in variables.n)', 'variables.n["case"]'),
];
