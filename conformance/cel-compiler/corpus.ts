import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import { type SuiteContext, SuiteUnavailable } from '../suite.ts';

const CORPORA = ['kyverno-vpol', 'kyverno-mpol'] as const;
const FIELDS: ReadonlySet<string> = new Set(['expression', 'messageExpression', 'valueExpression']);

/** The expressions of published policies, where the corpora are at hand; a line in the log where they are not. */
export function* corpusExpressions(context: SuiteContext): Generator<string> {
  for (const name of CORPORA) {
    let folder: string;
    try {
      folder = context.corpus(name);
    } catch (error) {
      if (!(error instanceof SuiteUnavailable)) throw error;
      context.log(`without expressions of published policies: ${error.message}`);
      continue;
    }
    for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
      if (/\.ya?ml$/.test(file)) yield* expressionsOf(readFileSync(join(folder, file), 'utf8'));
    }
  }
}

function expressionsOf(text: string): readonly string[] {
  const found: string[] = [];
  const visit = (value: unknown, key: string): void => {
    if (typeof value === 'string') {
      if (FIELDS.has(key)) found.push(value);
    } else if (Array.isArray(value)) {
      for (const each of value) visit(each, '');
    } else if (typeof value === 'object' && value !== null) {
      for (const [name, each] of Object.entries(value)) visit(each, name);
    }
  };
  try {
    loadAll(text, (document) => visit(document, ''));
  } catch {
    // Some of the files are templates, not YAML yet: they hold no expressions that are.
  }
  return found;
}
