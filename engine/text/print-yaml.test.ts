import fc from 'fast-check';
import { load, YAML11_SCHEMA } from 'js-yaml';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { printYaml } from './print-yaml.ts';
import { parseYaml } from './yaml.ts';

test('looks like what kubectl prints', () => {
  const pod = {
    apiVersion: 'v1',
    metadata: { name: 'x', annotations: { a: 'true', b: '', c: 'x: y', d: '08:00', e: '2020-01-01', port: '8080' }, labels: {} },
    spec: {
      args: ['-c', '--flag=1', 'a\nb\n'],
      script: 'one\n  two',
      containers: [{ name: 'a', ports: [{ containerPort: 80 }], env: [] }],
      nested: [['a', 'b'], []],
      nothing: null,
    },
  };
  expect(`\n${printYaml(pod)}`).toBe(`
apiVersion: v1
metadata:
  name: x
  annotations:
    a: "true"
    b: ""
    c: "x: y"
    d: "08:00"
    e: "2020-01-01"
    port: "8080"
  labels: {}
spec:
  args:
  - "-c"
  - "--flag=1"
  - |
    a
    b
  script: |-
    one
      two
  containers:
  - name: a
    ports:
    - containerPort: 80
    env: []
  nested:
  - - a
    - b
  - []
  nothing: null
`);
});

test('is read back as it was, by every parser', () => {
  const text = fc.oneof(
    fc.string(),
    fc.string({ unit: fc.constantFrom('a', ' ', '\n', ':', '-', '#', '1', '.', '"', "'", 'é', '😀', '\t', 'y', '~', '\u0085') }),
  );
  const { value: json } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      text,
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(text, tie('value'), { maxKeys: 4 }),
    ),
  }));
  fc.assert(
    fc.property(json, (value) => {
      fc.pre(JSON.stringify(value)?.includes('"<<"') !== true);
      const printed = printYaml(value);
      const { documents, diagnostics } = parseYaml({ name: 'x', text: printed });
      expect(diagnostics).toEqual([]);
      expect(documents[0]?.value ?? null).toEqual(value);
      expect(parse(printed)).toEqual(value);
      expect(load(printed, { schema: YAML11_SCHEMA })).toEqual(value);
    }),
    { numRuns: 500 },
  );
});
