import { describe, expect, it } from 'vitest';
import { parseFieldSelector, readField } from './field-selector.ts';

const pod = {
  metadata: { name: 'web', namespace: 'a,b=c\\' },
  spec: { hostNetwork: true, replicas: 3, containers: [] },
  status: { phase: 'Running' },
};

describe('parseFieldSelector', () => {
  it.each<[string, string, boolean]>([
    ['', '', true],
    ['metadata.name=web', 'metadata.name=web', true],
    ['status.phase!=Running,metadata.name==web', 'metadata.name=web,status.phase!=Running', false],
    ['metadata.namespace=a\\,b\\=c\\\\', 'metadata.namespace=a\\,b\\=c\\\\', true],
    [',metadata.name=web,', 'metadata.name=web', true],
    ['spec.hostNetwork=true,spec.replicas=3', 'spec.hostNetwork=true,spec.replicas=3', true],
    ['spec.nope=', 'spec.nope=', true],
    ['spec.containers=', 'spec.containers=', true],
    ['toString=', 'toString=', true],
    ['=', '', true],
  ])('%j', (text, printed, matched) => {
    const result = parseFieldSelector(text);
    expect(result).toMatchObject({ ok: true, selector: { text: printed } });
    if (result.ok) expect(result.selector.matches(pod)).toBe(matched);
  });

  it.each([
    ['metadata.name', "invalid selector: 'metadata.name'; can't understand 'metadata.name'"],
    ['a=b=c', 'invalid field selector: unescaped character in value: 61'],
    ['a=\\x', 'invalid field selector: invalid escape sequence: \\x'],
    ['a=\\', 'invalid field selector: invalid escape sequence: \\'],
  ])('refuses %j', (text, message) => {
    expect(parseFieldSelector(text)).toEqual({ ok: false, message });
  });
});

it('reads fields as text', () => {
  expect(['metadata.name', 'spec.replicas', 'spec', 'metadata.constructor', ''].map((field) => readField(pod, field))).toEqual([
    'web',
    '3',
    '',
    '',
    '',
  ]);
});
