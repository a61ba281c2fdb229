import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileBundle, typesWith } from '../../engine/bundle/compile.ts';
import type { AdmissionProgram, JsonObject } from '../../engine/rules/admission/decision.ts';
import { objectRequest } from '../../engine/rules/admission/object-request.ts';
import { recordedFacts } from '../../engine/rules/admission/recorded-facts.ts';
import { isError } from '../../engine/text/diagnostic.ts';
import type { Document } from '../../engine/text/document.ts';
import { parseYaml } from '../../engine/text/yaml.ts';
import type { CaseResult, Suite, SuiteContext } from '../suite.ts';

const BUNDLE = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'rules', 'admission', 'pod-security');

export const suite: Suite = {
  name: 'pod-security',
  description: "the test pods of Kubernetes' Pod Security admission, decided by our Pod Security bundle at each level and version",
  run: podSecurityCases,
};

interface Row {
  readonly level: string;
  readonly version: string;
  readonly verdict: 'pass' | 'fail';
  readonly control: string;
  readonly case: string;
  readonly file: string;
}

async function* podSecurityCases(context: SuiteContext): AsyncIterable<CaseResult> {
  const root = context.corpus('pod-security');
  const rows = JSON.parse(readFileSync(join(root, 'index.json'), 'utf8')) as readonly Row[];
  const documents = bundleDocuments();
  const types = typesWith([]);
  const facts = recordedFacts([]);
  const programs = new Map<string, AdmissionProgram>();
  const objects = new Map<string, JsonObject>();
  for (const row of rows) {
    if (context.signal.aborted) return;
    const name = `${row.level} ${row.version} ${row.verdict} ${row.case}`;
    if (!context.wanted(name)) continue;
    const key = `${row.level} ${row.version}`;
    let program = programs.get(key);
    if (program === undefined) {
      program = compile(documents, { level: row.level, version: row.version }, types);
      programs.set(key, program);
    }
    let object = objects.get(row.file);
    if (object === undefined) {
      object = readObject(join(root, row.file));
      objects.set(row.file, object);
    }
    const request = objectRequest(object, { operation: 'CREATE', user: { username: 'someone' }, namespace: 'default', types });
    const answer = program.admit(request, facts, { phase: 'all' });
    if (answer.kind === 'needs') throw new Error(`${name}: the rules ask for ${JSON.stringify(answer.needs[0])}`);
    const { decision } = answer;
    const found = decision.allowed ? 'pass' : 'fail';
    const broken = decision.outcomes.find((outcome) => outcome.result === 'error');
    if (found === row.verdict && broken === undefined) yield { name, outcome: 'passed' };
    else
      yield {
        name,
        outcome: 'failed',
        reason: `expected ${row.verdict}, found ${found}: ${(broken ?? decision.status)?.message ?? 'no word'}`,
      };
  }
}

function compile(documents: readonly Document[], params: JsonObject, types: ReturnType<typeof typesWith>): AdmissionProgram {
  const bundle = compileBundle(documents, { params, types });
  if (bundle.program === undefined) throw new Error(bundle.diagnostics.map(({ message }) => message).join('\n'));
  return bundle.program.admission;
}

function bundleDocuments(): readonly Document[] {
  const files = readdirSync(BUNDLE).filter((name) => name.endsWith('.yaml'));
  return files.flatMap((name) => parse(join(BUNDLE, name)));
}

function readObject(file: string): JsonObject {
  return parse(file)[0]!.value as JsonObject;
}

function parse(file: string): readonly Document[] {
  const { documents, diagnostics } = parseYaml({ name: file, text: readFileSync(file, 'utf8') });
  const wrong = diagnostics.find(isError);
  if (wrong !== undefined) throw new Error(`${file}: ${wrong.message}`);
  return documents;
}
