import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { writeProgram } from '../program-file.fixture.ts';
import { findCueBinary, parseCueErrors } from './binary.ts';
import { runChild } from './child.ts';
import { cueDefinitions } from './definitions.ts';
import { findCueWasm } from './wasm.ts';

test.each<[string, unknown[]]>([
  [
    'spec.a: conflicting values int and "b" (mismatched types int and string):\n    -:2:10\n    -:2:16\nspec.b: conflicting values 2 and 1:\n    -:3:10\n',
    [
      { message: 'spec.a: conflicting values int and "b" (mismatched types int and string)', line: 2, column: 10 },
      { message: 'spec.b: conflicting values 2 and 1', line: 3, column: 10 },
    ],
  ],
  ['some instances are incomplete; use the -c flag\n', [{ message: 'some instances are incomplete; use the -c flag' }]],
  ["expected ']', found 'EOF':\n    ./x.cue:2:1\n", [{ message: "expected ']', found 'EOF'", line: 2, column: 1 }]],
  ['', [{ message: 'cue failed without saying why' }]],
])('errors as cue prints them', (stderr, expected) => {
  expect(parseCueErrors(stderr)).toEqual(expected);
});

describe('cue-wasm', () => {
  const cue = findCueWasm()!;

  test('evaluates', async () => {
    const text = 'import "strings"\na: strings.ToUpper("x")\nb: 9007199254740993\nc: [if true {1}, for x in [2, 3] {x}]';
    expect(await cue.evaluate(text)).toEqual({ ok: true, json: '{"a":"X","b":9007199254740993,"c":[1,2,3]}' });
  });

  test.each<[string, RegExp]>([
    ['a: 1 & 2', /^a: conflicting values/],
    ['x!: int', /./],
    ['import "example.com/other"\nb: other.x', /./],
  ])('refuses %s', async (text, message) => {
    const result = await cue.evaluate(text);
    expect(result.ok ? result.json : result.errors[0]?.message).toMatch(message);
    expect(result.ok).toBe(false);
  });
});

describe('a cue binary', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-cue-test-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const install = (script: string) => {
    writeProgram(join(folder, 'cue'), `#!/bin/sh\n${script}\n`);
    return findCueBinary({ PATH: `${folder}:/usr/bin:/bin`, SECRET: 'x' });
  };

  test('is asked on its standard input, without our environment, offline', async () => {
    const cue = await install(
      'case "$1" in version) echo "cue version v9.9.9";; export) printf "%s %s %s" "$CUE_REGISTRY" "${SECRET-unset}" "$(cat)";; esac',
    );
    expect(cue?.name).toBe(`cue v9.9.9 (${join(folder, 'cue')})`);
    expect(await cue?.evaluate('a: 1')).toEqual({ ok: true, json: 'none unset a: 1' });
  });

  test('its errors are read', async () => {
    const cue = await install(
      'case "$1" in version) echo "cue version v9.9.9";; export) printf "a: conflict:\\n    -:1:4\\n" >&2; exit 1;; esac',
    );
    expect(await cue?.evaluate('a: 1')).toEqual({ ok: false, errors: [{ message: 'a: conflict', line: 1, column: 4 }] });
  });

  test('one that does not run is passed over', async () => {
    expect(await install('exit 3')).toBeUndefined();
    expect(await findCueBinary({ PATH: '/nonexistent' })).toBeUndefined();
  });
});

test('a child that takes too long or says too much is killed', async () => {
  const run = (script: string, timeout: number) =>
    runChild('/bin/sh', ['-c', script], { input: '', env: { PATH: '/usr/bin:/bin' }, cwd: tmpdir(), timeout });
  expect(await run('exec sleep 60', 50)).toMatchObject({ code: undefined, problem: 'took more than 0.05 s' });
  expect(await runChild('/nonexistent/program', [], { input: 'x', env: {}, cwd: tmpdir(), timeout: 1000 })).toMatchObject({
    code: undefined,
  });
});

test('the definitions are found from the sources', () => {
  expect(cueDefinitions()).toContain('#AdmissionRule:');
});
