import { expect, test } from 'vitest';
import { createEnvironment } from '../../cel/create-environment.ts';
import { DYN } from '../../cel/types.ts';
import type { CelValue } from '../../cel/values.ts';
import { CONTROLLER_TEMPLATE, CRON_JOB_TEMPLATE, rewriteForTemplate } from './pod-template.ts';

const environment = createEnvironment({ variables: { object: DYN, oldObject: DYN } });

const template = { metadata: { labels: { a: 'inner' } }, spec: { hostNetwork: true, containers: [{ name: 'c', spec: 'x' }] } };
const deployment = { kind: 'Deployment', metadata: { name: 'own', labels: { a: 'outer' } }, spec: { template } };

function evaluate(text: string, place = CONTROLLER_TEMPLATE, object: CelValue = deployment): CelValue {
  const parsed = environment.parse(text);
  if (!parsed.ok) throw new Error(parsed.issues[0]!.message);
  const compiled = environment.compileAst(rewriteForTemplate(parsed.ast, place));
  if (!compiled.ok) throw new Error(compiled.issues[0]!.message);
  const { program } = compiled;
  const traced = program.trace({ object, oldObject: null }).outcome;
  if (!traced.ok) throw new Error(traced.error.message);
  // Both back ends take the rewritten tree.
  expect(program.run({ object, oldObject: null }, { remaining: 1_000_000 })).toEqual(traced.value);
  return traced.value;
}

test.each<[string, CelValue]>([
  ['object.spec.hostNetwork', true],
  ["object['spec']['hostNetwork']", true],
  ['object.?spec.?hostNetwork.orValue(false)', true],
  ["object[?'spec'].?nope.orValue(1)", 1],
  ['has(object.spec.hostNetwork)', true],
  ['has(object.spec)', true],
  ['object.metadata.labels.a', 'inner'],
  ["object.metadata.?labels[?'a'].orValue('')", 'inner'],
  // What a template does not have is asked of the controller.
  ['object.metadata.name', 'own'],
  ["object.metadata.?name.orValue('')", 'own'],
  ['object.kind', 'Deployment'],
  // Fields of other things that are called the same, and text.
  ['object.spec.containers.all(c, c.spec == "x")', true],
  ['"object.spec" + "!"', 'object.spec!'],
  ['{"spec": 1}.spec', 1],
  // A loop variable hides the object.
  ['[{"spec": 1}].map(object, object.spec)[0]', 1],
  ['object.spec.containers.map(object, object.spec)[0]', 'x'],
  ['[1].all(x, object.spec.containers.exists(c, c.name == "c") && x == 1)', true],
  ['object.spec.containers.filter(c, object.spec.hostNetwork).size()', 1],
  ['oldObject == null', true],
])('%s', (text, value) => {
  expect(evaluate(text)).toEqual(value);
});

test('a template of a CronJob', () => {
  const object = { spec: { jobTemplate: { spec: { template } } } };
  expect(evaluate('object.spec.containers[0].name + object.metadata.labels.a', CRON_JOB_TEMPLATE, object)).toBe('cinner');
});

test('what is not about the object stays the same tree', () => {
  const parsed = environment.parse('1 + 1 == 2');
  if (!parsed.ok) throw new Error('it parses');
  expect(rewriteForTemplate(parsed.ast, CONTROLLER_TEMPLATE)).toBe(parsed.ast);
});
