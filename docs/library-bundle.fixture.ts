import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compileBundle } from '../engine/bundle/compile.ts';
import { runRuleTests } from '../runtimes/cli/rule-tests.ts';
import type { TestSuite } from '../runtimes/cli/test-suite.ts';
import { readBundle } from '../runtimes/host/bundle-files.ts';
import { findTests } from '../runtimes/host/test-files.ts';

/** A bundle of the library (its path from `root`): compiled, with what its tests say, and its page. */
export async function readLibraryBundle(root: string, bundle: string) {
  const { documents, diagnostics } = await readBundle(join(root, bundle));
  const suites: TestSuite[] = [];
  for (const { files } of findTests(bundle, root).ruleTests) suites.push(...(await runRuleTests(bundle, files, { cwd: root })));
  const readme = join(root, bundle, 'README.md');
  return { documents, compiled: compileBundle(documents, { diagnostics }), suites, readme, page: readFileSync(readme, 'utf8') };
}
