import { type AdmissionCase, createConfigMap, type Draft, single, vap } from '../case.ts';

const request = createConfigMap({ a: '1', long: 'y'.repeat(300), bad: 'zz(' });
const first = { expression: 'object.data.a == "2"', message: 'first' };
const second = { expression: 'object.data.a == "3"', messageExpression: '"second " + object.data.a', reason: 'Forbidden' };

function act(
  name: string,
  actions: readonly (readonly string[])[],
  validations: readonly Draft[] = [first, second],
  spec: Draft = {},
): AdmissionCase {
  return single(
    `action/${name}`,
    vap(
      validations,
      spec,
      actions.map((validationActions) => ({ validationActions })),
    ),
    request,
  );
}

/** Deny, Warn and Audit alone and together, over one and several bindings. */
export const actionCases: readonly AdmissionCase[] = [
  act('Deny', [['Deny']]),
  act('Warn', [['Warn']]),
  act('Audit', [['Audit']]),
  act('Deny and Audit', [['Deny', 'Audit']]),
  act('Warn and Audit', [['Warn', 'Audit']]),
  act('Deny; Warn', [['Deny'], ['Warn']]),
  act('Warn; Warn', [['Warn'], ['Warn']]),
  act('Audit; Audit', [['Audit'], ['Audit']]),
  act('Deny; Deny', [['Deny'], ['Deny']]),
  act('Warn; Audit; Deny', [['Warn'], ['Audit'], ['Deny']]),
  act('Warn with a long message', [['Warn']], [{ expression: 'false', messageExpression: 'string(object.data.long)' }]),
  act('Warn with quotes', [['Warn']], [{ expression: 'false', message: 'say "no" \\ and, comma' }]),
  act('Warn with unicode', [['Warn']], [{ expression: 'false', message: 'größe 日本 \u{1F600}' }]),
  act('Warn with a tab', [['Warn']], [{ expression: 'false', messageExpression: '"a\\tb"' }]),
  act('Warn with an inner line break of the expression', [['Warn']], [{ expression: 'object.data.a == "2"\n  && true' }]),
  act(
    'Warn the same twice',
    [['Warn']],
    [
      { expression: 'false', message: 'same' },
      { expression: 'false && true', message: 'same' },
    ],
  ),
  act('Warn and pass', [['Warn']], [{ expression: 'true' }]),
  act('Audit and pass', [['Audit']], [{ expression: 'true' }]),
];

const noted = (
  name: string,
  auditAnnotations: readonly Draft[],
  more: { validations?: readonly Draft[]; spec?: Draft; bindings?: readonly Draft[] } = {},
): AdmissionCase =>
  single(`annotation/${name}`, vap(more.validations ?? [], { auditAnnotations, ...more.spec }, more.bindings ?? [{}]), request);

/** Audit annotations: their values, and what their errors do. */
export const annotationCases: readonly AdmissionCase[] = [
  noted('text', [{ key: 'k', valueExpression: '"a is " + object.data.a' }]),
  noted('several', [
    { key: 'one', valueExpression: '"1"' },
    { key: 'two', valueExpression: '"2"' },
  ]),
  noted('null is left out', [{ key: 'k', valueExpression: 'object.data.a == "1" ? null : null' }]),
  noted('null or text is refused', [{ key: 'k', valueExpression: 'object.data.a == "1" ? null : "x"' }]),
  noted('empty is left out', [{ key: 'k', valueExpression: '""' }]),
  noted('spaces are trimmed', [{ key: 'k', valueExpression: '"  x  "' }]),
  noted('only spaces', [{ key: 'k', valueExpression: '"   "' }]),
  noted('with a line break', [{ key: 'k', valueExpression: '"a\\nb"' }]),
  noted('error', [{ key: 'k', valueExpression: 'string(object.data.nope)' }]),
  noted('error, Ignore', [{ key: 'k', valueExpression: 'string(object.data.nope)' }], { spec: { failurePolicy: 'Ignore' } }),
  noted('error, binding warns', [{ key: 'k', valueExpression: 'string(object.data.nope)' }], {
    bindings: [{ validationActions: ['Warn'] }],
  }),
  noted('error, binding audits', [{ key: 'k', valueExpression: 'string(object.data.nope)' }], {
    bindings: [{ validationActions: ['Audit'] }],
  }),
  noted('error beside a good one', [
    { key: 'k', valueExpression: '"good"' },
    { key: 'l', valueExpression: 'string(1 / (int(object.data.a) - 1))' },
  ]),
  noted('with a denial', [{ key: 'k', valueExpression: '"noted"' }], { validations: [first] }),
  noted('with a warning', [{ key: 'k', valueExpression: '"noted"' }], {
    validations: [first],
    bindings: [{ validationActions: ['Warn'] }],
  }),
  noted('error with a denial', [{ key: 'k', valueExpression: 'string(object.data.nope)' }], { validations: [first] }),
  noted('two bindings, same value', [{ key: 'k', valueExpression: '"same"' }], { bindings: [{}, { validationActions: ['Warn'] }] }),
  noted('of 10 KiB', [{ key: 'k', valueExpression: '(object.data.long + object.data.long).replace("y", "yyyyyyyyyyyyyyyyyyyy")' }]),
  noted('of a variable', [{ key: 'k', valueExpression: 'variables.v' }], {
    spec: { variables: [{ name: 'v', expression: '"v" + object.data.a' }] },
  }),
];
