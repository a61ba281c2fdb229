import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { writeProgram } from '../../runtimes/host/program-file.fixture.ts';
import { type GinkgoRun, listSpecs, runSpecs } from './ginkgo.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ginkgo-test-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A program that takes Ginkgo's arguments and writes the given report; its own arguments are the name of the second spec. */
function program(report: unknown): GinkgoRun {
  const executable = join(folder, 'specs');
  const script = [
    `#!${process.execPath}`,
    `const report = ${JSON.stringify(report)};`,
    "const flag = (name) => process.argv.find((each) => each.startsWith('--ginkgo.' + name + '='))?.split('=').slice(1).join('=');",
    "if (report === null) { console.log('panic: no cluster'); process.exit(2); }",
    "report[0].SpecReports[1].LeafNodeText = flag('focus');",
    "require('fs').writeFileSync(flag('json-report'), JSON.stringify(report));",
    'process.exit(1);',
  ];
  writeProgram(executable, script.join('\n'));
  return { executable, arguments: [], deadlineMs: 20_000, signal: new AbortController().signal };
}

const spec = (State: string, more: object = {}): object => ({
  ContainerHierarchyTexts: ['[sig-x] Things'],
  LeafNodeText: 'should work',
  LeafNodeType: 'It',
  State,
  RunTime: 2_000_000_000,
  ...more,
});

test('passes and failures are read from the report, what was skipped is not there', async () => {
  const failure = { Message: 'no', Location: { FileName: '/go/mod/k8s.io/kubernetes@v1/test/e2e/x.go', LineNumber: 7 } };
  const run = program([
    {
      SpecReports: [
        spec('passed'),
        spec('failed', { Failure: failure }),
        spec('skipped'),
        { ...spec('passed'), LeafNodeType: 'BeforeSuite' },
      ],
    },
  ]);
  expect(await runSpecs(run, ['Things should work [Conformance]'])).toEqual([
    { name: '[sig-x] Things should work', passed: true, seconds: 2 },
    {
      name: String.raw`[sig-x] Things (?:Things should work \[Conformance\])$`,
      passed: false,
      failure: 'failed (test/e2e/x.go:7): no',
      seconds: 2,
    },
  ]);
});

test('specs are listed by their whole names', async () => {
  const run = program([{ SpecReports: [spec('passed'), spec('passed')] }]);
  expect(await listSpecs(run, 'Focus')).toEqual(['[sig-x] Things should work', '[sig-x] Things Focus']);
});

test('a program that leaves no report is an error with its output', async () => {
  await expect(listSpecs(program(null), 'x')).rejects.toThrow('panic: no cluster');
});
