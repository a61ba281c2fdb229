import { type AdmissionCase, createConfigMap, type Draft, single, type ValidationDraft, vap } from '../case.ts';

const denied = 'object.data.a == "2"';

function message(name: string, validation: Draft): AdmissionCase {
  return single(`message/${name}`, vap([{ expression: denied, ...validation }]));
}

const long = 'x'.repeat(5 * 1024);

/** Where the text, the reason and the code of a denial come from. */
export const messageCases: readonly AdmissionCase[] = [
  message('none: the expression', {}),
  message('none: the expression, trimmed', { expression: `  ${denied}  ` }),
  message('none: inner line breaks are kept', { expression: 'object.data.a == "2"\n  || object.data.a == "3"' }),
  message('none: tabs and line ends around', { expression: '\n\tobject.data.a == "2"\n' }),
  message('text', { message: 'a must be 2' }),
  message('text is trimmed', { message: '  a must be 2 \t' }),
  message('text of spaces', { message: '   ' }),
  message('text with quotes and unicode', { message: 'say "ä" \\ 日本 \u{1F600} <&>' }),
  message('expression', { messageExpression: '"a is " + object.data.a' }),
  message('expression wins over text', { message: 'text', messageExpression: '"expression"' }),
  message('expression is trimmed', { messageExpression: '"  spaces \\t"' }),
  message('expression empty', { messageExpression: '""' }),
  message('expression empty, with text', { message: 'text', messageExpression: '""' }),
  message('expression of spaces', { message: 'text', messageExpression: '"   "' }),
  message('expression with line break', { message: 'text', messageExpression: '"a\\nb"' }),
  message('expression with line break, no text', { messageExpression: '"a\\nb"' }),
  message('expression with line break at the end', { message: 'text', messageExpression: '"ab\\n"' }),
  message('expression with carriage return', { message: 'text', messageExpression: '"a\\rb"' }),
  message('expression with line separator', { message: 'text', messageExpression: '"a\\u2028b"' }),
  message('expression errs', { message: 'text', messageExpression: 'string(object.data.nope)' }),
  message('expression errs, no text', { messageExpression: 'object.data["nope"] + "x"' }),
  message('expression divides by zero', { message: 'text', messageExpression: 'string(1 / int(object.data.zero))' }),
  message('expression of dyn', { messageExpression: 'object.data.long' }),
  message('expression with a verb that is not there', { messageExpression: '"%t".format([true])' }),
  message('expression of exactly 5 KiB', { message: 'text', messageExpression: 'string(object.data.long)' }),
  message('expression of 5 KiB and one', { message: 'text', messageExpression: 'object.data.long + "x"' }),
  message('expression of 5 KiB of two-byte characters', { message: 'text', messageExpression: 'string(object.data.wide)' }),
  message('expression with unicode', { messageExpression: '"größe \\U0001F600 " + object.data.a' }),
  message('expression uses variables', { messageExpression: 'variables.v' }),
  message('expression ternary of strings', { messageExpression: 'object.data.a == "1" ? "one" : "other"' }),
  message('expression with format', { messageExpression: '"%s=%d %.2f %x %b %s %s".format(["a", 1, 2.345, 255, 5, true, [1, 2]])' }),
  message('expression joins a list', { messageExpression: 'object.data.map(k, k).sort().join(",")' }),
].map((each) => ({
  ...each,
  policies: each.policies.map((policy) => ({
    ...policy,
    spec: { ...policy.spec, variables: [{ name: 'v', expression: '"v" + object.data.a' }] },
  })),
  requests: [createConfigMap({ a: '1', zero: '0', long, wide: 'ä'.repeat(2561) })],
}));

/** Reasons, their codes, and which of several validations speaks. */
export const reasonCases: readonly AdmissionCase[] = [
  ...['Invalid', 'Forbidden', 'RequestEntityTooLarge', 'Unauthorized'].map((reason) =>
    single(`reason/${reason}`, vap([{ expression: 'false', reason, message: `because ${reason}` }])),
  ),
  several('the first that fails speaks', ['true', { expression: 'false', message: 'second' }, { expression: 'false', message: 'third' }]),
  several('reason of the one that speaks', [
    { expression: 'false', message: 'first', reason: 'Forbidden' },
    { expression: 'false', message: 'second', reason: 'RequestEntityTooLarge' },
  ]),
  several('an error before a denial', [{ expression: 'object.data.nope == "1"' }, { expression: 'false', message: 'second' }]),
  several('a denial before an error', [{ expression: 'false', message: 'first', reason: 'Forbidden' }, 'object.data.nope == "1"']),
  several('an error with a reason', [{ expression: 'object.data.nope == "1"', reason: 'Forbidden', message: 'unused' }]),
  several('all true', ['true', 'object.data.a == "1"', 'size(object.data) == 1']),
];

function several(name: string, validations: readonly ValidationDraft[]): AdmissionCase {
  return single(`reason/${name}`, vap(validations));
}
