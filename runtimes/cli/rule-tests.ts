import { compileBundle, typesWith } from '../../engine/bundle/compile.ts';
import type { AdmissionDecision, AdmissionFacts, AdmissionProgram, AdmissionRequest } from '../../engine/rules/admission/decision.ts';
import { runRuleTest } from '../../engine/rules/rule-test/run.ts';
import { readBundle, readDocumentFiles } from '../host/bundle-files.ts';
import { cueDefinitions } from '../host/cue/definitions.ts';
import { isRuleTest } from '../host/test-files.ts';
import type { CommandContext } from './context.ts';
import { cueBackend } from './load-bundle.ts';
import type { TestSuite } from './test-suite.ts';

/** Told what was asked, and what was answered, for each case that came so far. */
export type OnDecision = (request: AdmissionRequest, facts: AdmissionFacts, decision: AdmissionDecision) => void;

/** Runs the RuleTest documents among `files` against the bundle at a path. Throws `FileError` when something can't be read. */
export async function runRuleTests(
  bundle: string,
  files: readonly string[],
  context: Pick<CommandContext, 'cwd'>,
  onDecision?: OnDecision,
): Promise<TestSuite[]> {
  const options = { cwd: context.cwd, cue: cueBackend, cueDefinitions };
  const tested = await readBundle(bundle, options);
  const suites: TestSuite[] = [];
  for (const file of files) {
    const { documents, diagnostics } = await readDocumentFiles([file], options);
    for (const document of documents.filter(isRuleTest)) {
      const run = runRuleTest(document, {
        types: typesWith([]),
        compile(params, rules) {
          const compiled = compileBundle(tested.documents, {
            diagnostics: tested.diagnostics,
            ...(params === undefined ? {} : { params }),
            ...(rules === undefined ? {} : { rules }),
          });
          const { program, diagnostics: found } = compiled;
          if (program === undefined || onDecision === undefined) return { program, diagnostics: found };
          return { program: { ...program, admission: observed(program.admission, onDecision) }, diagnostics: found };
        },
      });
      suites.push({ name: run.name, document, cases: run.cases, diagnostics: [...diagnostics, ...run.diagnostics] });
    }
  }
  return suites;
}

const observed = (program: AdmissionProgram, onDecision: OnDecision): AdmissionProgram => ({
  ...program,
  admit(request, facts, options) {
    const answer = program.admit(request, facts, options);
    if (answer.kind === 'decision') onDecision(request, facts, answer.decision);
    return answer;
  },
});
