import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { parseYaml } from './yaml.ts';

const corpora = process.env['FAIRLEAD_CORPORA'] ?? resolve(import.meta.dirname, '../../../shared/corpora');
const isThere = existsSync(corpora);
if (!isThere) console.log(`skipped: reading the YAML of other projects, there is no ${corpora}`);

/** Another parser's idea of a text under YAML 1.1, or undefined where it finds it wrong. */
function readOtherwise(text: string): unknown[] | undefined {
  const documents = parseAllDocuments(text, { version: '1.1', merge: true, intAsBigInt: false, logLevel: 'silent', stringKeys: false });
  if (!Array.isArray(documents) || documents.some(({ errors }) => errors.length > 0)) return undefined;
  return documents.map((document) => document.toJS() as unknown).filter((value) => value !== null);
}

test.skipIf(!isThere)('the YAML of other projects is read as another parser reads it, and every value has its place', () => {
  const files = readdirSync(corpora, { recursive: true, encoding: 'utf8' }).filter((file) => /\.ya?ml$/.test(file));
  let compared = 0;
  // Every fourth file: enough to see every habit of writing YAML that the corpora have.
  for (const file of files.filter((_, i) => i % 4 === 0)) {
    const text = readFileSync(join(corpora, file), 'utf8');
    if (text.length > 200_000) continue;
    const expected = readOtherwise(text);
    const { documents, diagnostics } = parseYaml({ name: file, text });
    if (expected === undefined || diagnostics.some(({ severity }) => severity === 'error')) continue;
    // Dates are text to Kubernetes, times of day are base 60 numbers to YAML 1.1 only: texts that hold either are left out.
    if (/:\s+["']?\d+:\d\d|\d{4}-\d\d?-\d\d?/.test(text)) continue;
    compared++;
    expect(
      documents.map(({ value }) => value),
      file,
    ).toEqual(expected);
    for (const document of documents) {
      for (const key of Array.isArray(document.value) ? [] : Object.keys(document.value as object)) {
        const span = document.locate([key], 'key');
        expect(text.slice(span?.start, span?.end).replace(/^["']|["']$/g, ''), file).toBe(key);
      }
    }
  }
  expect(compared).toBeGreaterThan(200);
});
