import { dirname, resolve } from 'node:path';
import { compileBundle, typesWith } from '../../engine/bundle/compile.ts';
import { type KyvernoTestCase, kyvernoTestFiles, runKyvernoTest } from '../../engine/rules/admission/kyverno/run-test.ts';
import type { Diagnostic } from '../../engine/text/diagnostic.ts';
import type { Document } from '../../engine/text/document.ts';
import { readDocumentFiles } from '../host/bundle-files.ts';
import { FileError, fileDiagnostic } from '../host/text-files.ts';
import { cueBackend } from './load-bundle.ts';
import type { TestSuite } from './test-suite.ts';

/** Runs the tests of one `kyverno-test.yaml` as they are. Throws `FileError` when the file itself can't be read. */
export async function runKyvernoFile(file: string, cwd: string): Promise<TestSuite[]> {
  const options = { cwd, cue: cueBackend };
  const { documents, diagnostics } = await readDocumentFiles([file], options);
  const suites: TestSuite[] = [];
  for (const document of documents) {
    const problems: Diagnostic[] = [...diagnostics];
    const files = new Map<string, readonly Document[] | undefined>();
    for (const name of kyvernoTestFiles(document)) {
      try {
        const read = await readDocumentFiles([resolve(dirname(file), name)], options);
        problems.push(...read.diagnostics);
        files.set(name, read.documents);
      } catch (error) {
        if (!(error instanceof FileError)) throw error;
        problems.push(fileDiagnostic(error));
        files.set(name, undefined);
      }
    }
    const types = typesWith([]);
    const run = runKyvernoTest(document, {
      files: (name) => files.get(name),
      types,
      now: () => BigInt(Date.now()) * 1_000_000n,
      compile(policies) {
        const bundle = compileBundle(policies, { types });
        return { program: bundle.program?.admission, diagnostics: bundle.diagnostics };
      },
    });
    suites.push({
      name: run.name,
      document,
      cases: run.cases.map((each) => ({ name: caseName(each), ok: each.ok, problems: each.ok ? [] : problemsOf(each), path: each.path })),
      diagnostics: [...problems, ...run.diagnostics],
    });
  }
  return suites;
}

function caseName({ policy, rule, kind, resource, expected }: KyvernoTestCase): string {
  return `${rule === undefined ? policy : `${policy}/${rule}`}: ${kind === undefined ? '' : `${kind} `}${resource} is ${expected}`;
}

function problemsOf({ expected, found, message, difference }: KyvernoTestCase): string[] {
  return [
    `expected ${expected}, found ${found}${message === undefined ? '' : `: ${message}`}`,
    ...(difference ?? []).map((operation) => `differs from the expected object: ${JSON.stringify(operation)}`),
  ];
}
