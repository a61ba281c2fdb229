import { expect, test } from 'vitest';
import { podRequest, programOf, rule } from './decide.fixture.ts';
import { recordedFacts } from './recorded-facts.ts';

const program = programOf(
  rule(`
matchConditions: [{name: not-root, expression: "request.userInfo.username != 'root'"}]
variables: [{name: names, expression: "object.spec.containers.map(c, c.name)"}]
validations: [{expression: "variables.names.all(n, n.size() < 3)", messageExpression: "'too long: ' + variables.names.join(',')"}]
`),
);
const request = podRequest({ spec: { containers: [{ name: 'a' }, { name: 'long' }] } });

test('every expression is shown, with what its parts were', () => {
  const [explained] = program.explain!(request, recordedFacts([]));
  expect(explained!.expressions.map(({ role, label, value }) => [role, label, value])).toEqual([
    ['matchCondition', 'not-root', 'true'],
    ['validation', '0', 'false'],
    ['variable', 'names', '[a, long]'],
    ['messageExpression', '0', 'too long: a,long'],
    ['variable', 'names', '[a, long]'],
  ]);
  const { text, parts } = explained!.expressions[1]!;
  expect(parts.slice(0, 5).map(({ start, end, depth, value, count }) => [text.slice(start, end), depth, value, count])).toEqual([
    ['variables.names.all(n, n.size() < 3)', 0, 'false', 1],
    ['variables.names', 1, '[a, long]', 1],
    ['variables', 2, 'kubernetes.variables', 1],
    ['n.size() < 3', 1, 'false', 2],
    ['n.size()', 2, '4', 2],
  ]);
});

test('what is skipped says why', () => {
  const [explained] = program.explain!({ ...request, userInfo: { username: 'root' } }, recordedFacts([]));
  expect(explained!.expressions.map(({ role, value }) => [role, value])).toEqual([['matchCondition', 'false']]);
  const selective = programOf(rule('namespaces: [other]\nvalidations: [{expression: "true"}]'));
  expect(selective.explain!(request, recordedFacts([]))).toEqual([
    { ruleKind: 'AdmissionRule', rule: 'r', skipped: 'namespace', expressions: [] },
  ]);
});

test('an error is shown where it came up', () => {
  const [explained] = programOf(rule('validations: [{expression: "object.metadata.labels.x == object.spec.nodeName"}]')).explain!(
    request,
    recordedFacts([]),
  );
  const { text, error, parts } = explained!.expressions[0]!;
  expect(error).toBe('no such key: labels');
  expect(parts.filter((part) => part.error !== undefined).map(({ start, end }) => text.slice(start, end))).toContain(
    'object.metadata.labels.x',
  );
});

test('outcomes of a decision say why a rule was skipped, when asked', () => {
  const answer = program.admit({ ...request, userInfo: { username: 'root' } }, recordedFacts([]), { phase: 'all', explain: true });
  expect(answer).toMatchObject({ decision: { outcomes: [{ rule: 'r', result: 'skip', skipped: 'matchCondition "not-root"' }] } });
});
