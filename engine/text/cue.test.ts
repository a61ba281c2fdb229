import { describe, expect, test } from 'vitest';
import { type CueBackend, type CueResult, readCue } from './cue.ts';
import { cueTextTree } from './cue-labels.ts';
import type { DocumentPath } from './document.ts';
import { lazyDocument } from './text-tree.ts';

/** A back end that answers what it is told, and remembers what it was asked. */
function backend(result: CueResult): CueBackend & { asked: string[] } {
  const asked: string[] = [];
  return {
    name: 'test CUE',
    asked,
    async evaluate(text) {
      asked.push(text);
      return result;
    },
  };
}

describe('documents of a source', () => {
  const read = (json: string) => readCue({ name: 'x.cue', text: 'a: 1' }, backend({ ok: true, json }));

  test.each<[string, string, unknown[]]>([
    ['an object with kind', '{"kind":"A","x":1}', [{ kind: 'A', x: 1 }]],
    ['a list', '[{"kind":"A"},{"kind":"B"}]', [{ kind: 'A' }, { kind: 'B' }]],
    ['fields with kind', '{"limit":5,"one":{"kind":"A"},"two":{"kind":"B"}}', [{ kind: 'A' }, { kind: 'B' }]],
  ])('%s', async (_name, json, expected) => {
    expect((await read(json)).documents.map((d) => d.value)).toEqual(expected);
  });

  test('none', async () => {
    const { documents, diagnostics } = await read('{"limit":5}');
    expect([documents, diagnostics.map((d) => d.code)]).toEqual([[], ['cue-no-documents']]);
  });

  test('positions are those of the labels', async () => {
    const text = 'rule: {\n\tkind: "A"\n\tspec: replicas: _n + 1\n}\n_n: 4\n';
    const { documents } = await readCue(
      { name: 'x.cue', text },
      backend({ ok: true, json: '{"rule":{"kind":"A","spec":{"replicas":5}}}' }),
    );
    const span = documents[0]!.locate(['spec', 'replicas'])!;
    expect(text.slice(span.start, span.end)).toBe('_n + 1');
    expect(text.slice(...Object.values(documents[0]!.locate(['kind'], 'key')!))).toBe('kind');
  });
});

describe('errors', () => {
  const marked = async (text: string, error: { message: string; line?: number; column?: number }) => {
    const { documents, diagnostics } = await readCue({ name: 'x.cue', text }, backend({ ok: false, errors: [error] }));
    expect(documents).toEqual([]);
    const [diagnostic] = diagnostics;
    return [diagnostic?.message, diagnostic?.path, diagnostic?.span && text.slice(diagnostic.span.start, diagnostic.span.end)];
  };

  test.each<[string, string, { message: string; line?: number; column?: number }, unknown[]]>([
    ['with a position', 'é: "😀" & 1\n', { message: 'conflict', line: 1, column: 14 }, ['conflict', undefined, '1']],
    ['with a path only', 'a: b: 1 & 2\n', { message: 'a.b: conflicting values 2 and 1' }, ['conflicting values 2 and 1', '$.a.b', 'b']],
    ['with a quoted path', '"x-y": 1 & 2\n', { message: '"x-y": conflicting values' }, ['conflicting values', '$.x-y', '"x-y"']],
    ['with an index', 'l: [1, 2 & 3]\n', { message: 'l.1: conflicting values' }, ['conflicting values', '$.l[1]', '2 & 3']],
    [
      'when marshalling',
      'a: int\n',
      { message: 'cue: marshal error: a: cannot convert incomplete value "int" to JSON' },
      ['cannot convert incomplete value "int" to JSON', '$.a', 'a'],
    ],
    ['without either', 'a: [\n', { message: "expected ']', found 'EOF'" }, ["expected ']', found 'EOF'", undefined, undefined]],
    ['beyond the end', 'a: 1\n', { message: 'odd', line: 99, column: 1 }, ['odd', undefined, undefined]],
  ])('%s', async (_name, text, error, expected) => {
    expect(await marked(text, error)).toEqual(expected);
  });

  test('no back end', async () => {
    const { diagnostics } = await readCue({ name: 'x.cue', text: 'a: 1' }, undefined);
    expect(diagnostics.map((d) => d.code)).toEqual(['cue-unavailable']);
  });

  test('a back end that prints no JSON', async () => {
    const { diagnostics } = await readCue({ name: 'x.cue', text: 'a: 1' }, backend({ ok: true, json: 'oops' }));
    expect(diagnostics.map((d) => d.message)).toEqual(['test CUE did not print JSON']);
  });
});

test('definitions are added behind what uses them, unless it has its own', async () => {
  const definitions = '#AdmissionRule: {\n}\n#Other: {\n}\n';
  const asked = async (text: string) => {
    const cue = backend({ ok: true, json: '{}' });
    await readCue({ name: 'x.cue', text }, cue, { definitions });
    return cue.asked[0];
  };
  expect(await asked('x: #AdmissionRule')).toBe(`x: #AdmissionRule\n${definitions}`);
  expect(await asked('x: 1')).toBe('x: 1');
  expect(await asked('#AdmissionRule: {a: 1}\nx: #AdmissionRule')).toBe('#AdmissionRule: {a: 1}\nx: #AdmissionRule');
});

test('of a document that does not fit its definition, those who check documents have more to say', async () => {
  const definitions = '#Rule: {\n\t// Which.\n\tkind: "Rule"\n\tspec: #Spec\n}\n#Spec: {\n\tsteps: [...int]\n}\n';
  const text = '#Rule & {spec: steps: ["a"]}';
  const asked: string[] = [];
  const cue: CueBackend = {
    name: 'test CUE',
    async evaluate(given) {
      asked.push(given);
      if (given.includes('[...int]')) return { ok: false, errors: [{ message: 'spec.steps.0: 9 errors in empty disjunction' }] };
      return { ok: true, json: '{"kind":"Rule","spec":{"steps":["a"]}}' };
    },
  };
  const { documents, diagnostics } = await readCue({ name: 'x.cue', text }, cue, { definitions });
  expect([documents.map((d) => d.value), diagnostics]).toEqual([[{ kind: 'Rule', spec: { steps: ['a'] } }], []]);
  expect(asked[1]).toBe(`${text}\n#Rule: {\n\tkind: "Rule"\n\t...\n}\n#Spec: _\n`);
});

describe('labels', () => {
  const source = `package x
import "strings"

// comment: not a field
#Def: {inner: 1}
spec: {
	name:  "a" // trailing
	"quoted-label": {deep: true}
	optional?: int
	list: [
		{image: "one"},
		{image: "two", tag: "x"},
		3,
	]
	script: """
		first
		  second
		"""
	chain: of: labels: 5
	disjunction: *"a" | "b" |
		"c"
	if true {
		conditional: 1
	}
	for k, v in {a: 1} {"\\(k)": v}
	call: strings.Join(["x: y"], ",")
}
spec: more: [1, 2]
#Def & {
	spec: within: "braces"
} & {also: 1}
`;
  const document = lazyDocument({ name: 'x.cue', text: source }, 0, undefined, () => cueTextTree(source));
  const at = (path: DocumentPath, part?: 'key' | 'value') => {
    const span = document.locate(path, part)!;
    return source.slice(span.start, span.end);
  };

  test.each<[DocumentPath, string]>([
    [['spec', 'name'], '"a"'],
    [['spec', 'quoted-label', 'deep'], 'true'],
    [['spec', 'optional'], 'int'],
    [['spec', 'list', 1, 'tag'], '"x"'],
    [['spec', 'list', 2], '3'],
    [['spec', 'chain', 'of', 'labels'], '5'],
    [['spec', 'disjunction'], '*"a" | "b" |\n\t\t"c"'],
    [['spec', 'more', 1], '2'],
    [['spec', 'within'], '"braces"'],
    [['also'], '1'],
    [['spec', 'call'], 'strings.Join(["x: y"], ","'],
    [['spec', 'nowhere'], 'spec'],
  ])('%j', (path, expected) => {
    expect(at(path).startsWith(expected)).toBe(true);
  });

  test('inside a multi-line string', () => {
    const offset = document.locateWithin(['spec', 'script'], 'first\n  sec'.length)!;
    expect(source.slice(offset, offset + 3)).toBe('ond');
  });

  test.each([
    'a: {',
    'a: [1, {b: ',
    '}}}}',
    ']: [',
    'a: b: c:',
    '"',
    'a: "\\(',
    '((((',
    '#',
    'a: """\n',
    ':'.repeat(1000),
    '{a:'.repeat(5000),
    'a:'.repeat(5000),
    '['.repeat(5000),
  ])('broken text ends: %#', (text) => {
    expect(cueTextTree(text).kind).toBe('map');
  });
});
