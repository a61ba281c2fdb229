import { dirname, resolve } from 'node:path';
import type { Document } from '../../engine/text/document.ts';
import { isBundleDocument, isDocumentFile, listFiles, statPath } from './text-files.ts';

/** Where tests are, and which bundle they are about. */
export interface TestFiles {
  /** Files that may hold RuleTest documents, by the path of the bundle or rule file they belong to. */
  readonly ruleTests: readonly { readonly bundle: string; readonly files: readonly string[] }[];
  /** Kyverno CLI test files. They name their policies themselves. */
  readonly kyvernoTests: readonly string[];
}

const isKyvernoTest = (name: string): boolean => /^kyverno-test\.ya?ml$/.test(name);

/**
 * Finds tests at a path: a bundle folder's `tests/`, all bundles and Kyverno tests below another folder (in hidden folders, too: Kyverno's
 * are in `.kyverno-test`), or a single file. A test file outside of a bundle's `tests/` belongs to the nearest bundle
 * folder above it. All paths are absolute. Throws `FileError`.
 */
export function findTests(path: string, cwd: string): TestFiles {
  const absolute = resolve(cwd, path);
  if (!statPath(absolute, path).isDirectory()) {
    const name = absolute.slice(absolute.lastIndexOf('/') + 1);
    if (isKyvernoTest(name)) return { ruleTests: [], kyvernoTests: [absolute] };
    return { ruleTests: [{ bundle: bundleAbove(absolute), files: [absolute] }], kyvernoTests: [] };
  }
  const enter = (name: string): boolean => name !== 'node_modules' && name !== '.git';
  const kyvernoTests = listFiles(absolute, { accept: isKyvernoTest, enter });
  const bundles = [...new Set(listFiles(absolute, { accept: isBundleDocument }).map(dirname))];
  // A path inside of a bundle, such as its tests/ folder.
  const inside = bundles.length === 0 ? nearestBundle(absolute) : undefined;
  const ruleTests =
    inside !== undefined
      ? [{ bundle: inside, files: listFiles(absolute).filter((file) => isDocumentFile(file)) }]
      : bundles.map((bundle) => ({ bundle, files: testsOf(bundle) }));
  return { ruleTests: ruleTests.filter(({ files }) => files.length > 0), kyvernoTests };
}

function testsOf(bundle: string): string[] {
  const folder = resolve(bundle, 'tests');
  try {
    return listFiles(folder);
  } catch {
    return [];
  }
}

function nearestBundle(path: string): string | undefined {
  for (let folder = path, up = dirname(path); ; folder = up, up = dirname(up)) {
    if (listFiles(folder, { enter: () => false, accept: isBundleDocument }).length > 0) return folder;
    if (up === folder) return undefined;
  }
}

function bundleAbove(file: string): string {
  return nearestBundle(dirname(file)) ?? dirname(file);
}

export const isRuleTest = (document: Document): boolean => {
  const value = document.value;
  return typeof value === 'object' && value !== null && Object.hasOwn(value, 'kind') && (value as { kind: unknown }).kind === 'RuleTest';
};
