import type { JsonObject } from '../../object/json.ts';
import type { TypeTable } from '../../object/type-table.ts';
import type { Diagnostic } from '../../text/diagnostic.ts';
import type { Document, DocumentPath } from '../../text/document.ts';
import { checkShape, diagnosticAt } from '../../text/shape-check.ts';
import type { AdmissionDecision, AdmissionProgram } from '../admission/decision.ts';
import type { NetworkProgram } from '../network/program.ts';
import type { ReconcilePlan, ReconcileProgram } from '../reconcile/program.ts';
import { runAdmissionCase } from './admission-case.ts';
import { type RuleTestDocument, ruleTest } from './document.ts';
import { runNetworkCase } from './network-case.ts';
import { runReconcileCase } from './reconcile-case.ts';

/** The executors that cases ask, by the kind of their rules. */
export interface TestedProgram {
  readonly admission: AdmissionProgram;
  readonly reconcile: ReconcileProgram;
  readonly network: NetworkProgram;
}

export interface RuleTestParts {
  readonly types: TypeTable | undefined;
  /** Compiles the bundle the test is about, with these values of its parameters and with these rules only. */
  readonly compile: (
    params: JsonObject | undefined,
    rules: readonly string[] | undefined,
  ) => { readonly program?: TestedProgram | undefined; readonly diagnostics: readonly Diagnostic[] };
}

export interface RuleTestCase {
  readonly name: string;
  readonly ok: boolean;
  /** What was expected and what was found; empty when it is as expected. */
  readonly problems: readonly string[];
  /** Where the case stands in the document. */
  readonly path: DocumentPath;
  readonly decision?: AdmissionDecision;
  readonly plan?: ReconcilePlan;
}

export interface RuleTestRun {
  readonly name: string;
  readonly cases: readonly RuleTestCase[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Runs a RuleTest document. Pure: the same documents give the same results. */
export function runRuleTest(document: Document, parts: RuleTestParts): RuleTestRun {
  const checked = checkShape<RuleTestDocument>(ruleTest, document);
  if (checked.value === undefined) return { name: '', cases: [], diagnostics: checked.diagnostics };
  const { spec, metadata } = checked.value;
  const diagnostics: Diagnostic[] = [];
  const programs = new Map<string, TestedProgram | undefined>();
  const programFor = (params: JsonObject | undefined): TestedProgram | undefined => {
    const key = JSON.stringify(params ?? null);
    if (!programs.has(key)) {
      const compiled = parts.compile(params, spec.rules);
      diagnostics.push(...compiled.diagnostics);
      programs.set(key, compiled.program);
    }
    return programs.get(key);
  };
  const first = programFor(spec.params as JsonObject | undefined);
  const known = new Set(
    [...(first?.admission.rules ?? []), ...(first?.reconcile.rules ?? []), ...(first?.network.rules ?? [])].map((rule) => rule.name),
  );
  for (const [index, rule] of (spec.rules ?? []).entries()) {
    if (known.has(rule)) continue;
    const message = `no rule of the bundle is called ${rule}`;
    diagnostics.push(diagnosticAt(document, ['spec', 'rules', index], { code: 'test-unknown-rule', message }));
  }
  const names = new Set<string>();
  const cases = spec.cases.map((test, index): RuleTestCase => {
    const path = ['spec', 'cases', index];
    if (names.has(test.name)) {
      const message = `there is another case called ${test.name}`;
      diagnostics.push(diagnosticAt(document, [...path, 'name'], { code: 'test-duplicate', message }));
    }
    names.add(test.name);
    const params = test.params === undefined ? spec.params : { ...spec.params, ...test.params };
    const program = programFor(params as JsonObject | undefined);
    if (program === undefined) return { name: test.name, ok: false, problems: ['the bundle does not compile'], path };
    const objects = (spec.objects ?? []) as readonly JsonObject[];
    if ('invocation' in test) return runNetworkCase(test, path, program.network, objects);
    return 'instance' in test
      ? runReconcileCase(test, path, program.reconcile, objects, parts.types)
      : runAdmissionCase(test, path, program.admission, objects, parts.types);
  });
  return { name: metadata.name, cases, diagnostics };
}
