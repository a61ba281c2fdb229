import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Json, jsonEqual } from '../../engine/object/json.ts';
import { applyPatch, type PatchOperation } from '../../engine/object/json-patch.ts';
import type { CaseResult, Suite } from '../suite.ts';

/** One element of a file of github.com/json-patch/json-patch-tests. */
interface PatchCase {
  readonly comment?: string;
  readonly doc: Json;
  readonly patch: readonly PatchOperation[];
  readonly expected?: Json;
  /** Applying must fail; the text only describes why. */
  readonly error?: string;
  readonly disabled?: boolean;
}

const FILES = ['tests.json', 'spec_tests.json'] as const;

export const suite: Suite = {
  name: 'json-patch',
  description: 'RFC 6902: the community test files of json-patch/json-patch-tests',
  async *run(context) {
    const folder = context.corpus('json-patch-tests');
    for (const file of FILES) {
      const cases = JSON.parse(readFileSync(join(folder, file), 'utf8')) as readonly PatchCase[];
      for (const [index, each] of cases.entries()) {
        const name = `${file}[${index}]${each.comment === undefined ? '' : ` ${each.comment}`}`;
        yield each.disabled ? { name, outcome: 'skipped', reason: 'disabled in the corpus' } : judgeCase(name, each);
      }
    }
  },
};

function judgeCase(name: string, each: PatchCase): CaseResult {
  const before = JSON.stringify(each.doc);
  const outcome = applyPatch(each.doc, each.patch);
  const found = outcome.ok ? JSON.stringify(outcome.value) : `error: ${outcome.message}`;
  const failed = (expected: string): CaseResult => ({ name, outcome: 'failed', reason: `expected ${expected}\nfound    ${found}` });
  if (JSON.stringify(each.doc) !== before) return failed(`the document unchanged: ${before}`);
  if (each.error !== undefined) return outcome.ok ? failed(`an error: ${each.error}`) : { name, outcome: 'passed' };
  if (!outcome.ok) return failed(JSON.stringify(each.expected));
  if (!jsonEqual(outcome.value, each.expected)) return failed(JSON.stringify(each.expected));
  return { name, outcome: 'passed' };
}
