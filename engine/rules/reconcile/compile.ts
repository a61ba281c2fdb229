import { createEnvironment } from '../../cel/create-environment.ts';
import type { Environment } from '../../cel/environment.ts';
import { kubernetesFeatures } from '../../cel/kubernetes/features.ts';
import type { JsonObject } from '../../object/json.ts';
import { type Diagnostic, isError } from '../../text/diagnostic.ts';
import type { Document } from '../../text/document.ts';
import { checkShape } from '../../text/shape-check.ts';
import { kindOf } from '../admission/compile.ts';
import { type Reporter, reporter } from '../admission/diagnose.ts';
import { compileRule, type ReconcileContext } from './compile-rule.ts';
import { customResourceDefinition, type DefinitionSource } from './definition.ts';
import { type ReconcileRuleDocument, reconcileRule } from './document.ts';
import { lowerReconcileRule } from './lower-rule.ts';
import type { ReconcileRule } from './program.ts';
import { ruleProgram } from './rule-program.ts';
import type { RuleSource } from './source.ts';
import { statusSchemaOf } from './status-schema.ts';

/** Kinds this compiler takes, by API group. */
export const RECONCILE_KINDS: Readonly<Record<string, readonly string[]>> = {
  'fairlead.dev': ['ReconcileRule'],
};

/** Whether a document is one of the kinds that {@link readReconcileRules} takes. */
export function isReconcileDocument(document: Document): boolean {
  const { group, kind } = kindOf(document);
  return RECONCILE_KINDS[group]?.includes(kind) ?? false;
}

/** A rule whose form is right, before its expressions are looked at. */
interface ReadRule {
  readonly source: RuleSource;
  readonly report: Reporter;
  readonly definition: DefinitionSource | undefined;
}

/** The reconcile rules among documents, read; compiling them may need types that they declare themselves. */
export interface ReconcileDocuments {
  /** CustomResourceDefinitions of the rules, with what is known of status so far. */
  readonly definitions: readonly JsonObject[];
  readonly rules: readonly ReadRule[];
  readonly diagnostics: Diagnostic[];
}

/** Reads the reconcile rules among the documents. Others are passed over. */
export function readReconcileRules(all: readonly Document[]): ReconcileDocuments {
  const diagnostics: Diagnostic[] = [];
  const rules: ReadRule[] = [];
  const definitions: JsonObject[] = [];
  const names = new Set<string>();
  const kinds = new Map<string, string>();
  for (const document of all) {
    if (!isReconcileDocument(document)) continue;
    const checked = checkShape<ReconcileRuleDocument>(reconcileRule, document);
    diagnostics.push(...checked.diagnostics);
    if (checked.value === undefined) continue;
    const report = reporter(document, diagnostics);
    const lowered = lowerReconcileRule(report, checked.value);
    if (lowered === undefined) continue;
    const { name } = lowered.source;
    if (names.has(name)) report.error(['metadata', 'name'], 'reconcile-duplicate', `there is another rule called ${name}`);
    names.add(name);
    const { definition } = lowered;
    if (definition !== undefined) {
      const made = customResourceDefinition(definition, report);
      const kind = `${definition.kind} of ${definition.group}`;
      const other = kinds.get(kind);
      if (other !== undefined)
        report.error(['spec', 'resource', 'kind'], 'reconcile-duplicate', `the kind ${kind} is made by the rule ${other}, too`);
      kinds.set(kind, name);
      definitions.push(made);
    }
    rules.push({ source: lowered.source, report, definition });
  }
  return { definitions, rules, diagnostics };
}

export interface CompiledReconcileRules {
  /** In document order; incomplete when a diagnostic is an error. */
  readonly rules: readonly ReconcileRule[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Compiles rules that were read. */
export function compileReconcile(
  { rules, diagnostics }: ReconcileDocuments,
  options: Omit<ReconcileContext, 'environment'>,
): CompiledReconcileRules {
  if (rules.length === 0) return { rules: [], diagnostics };
  const context: ReconcileContext = { environment: reconcileEnvironment(), ...options };
  const compiled: ReconcileRule[] = [];
  for (const { source, report, definition } of rules) {
    const rule = compileRule(report, source, context);
    if (rule === undefined || report.hasErrors) continue;
    const status = definition === undefined || definition.status !== undefined ? undefined : statusSchemaOf(rule.status);
    const made = definition && customResourceDefinition(definition, report, status);
    compiled.push(ruleProgram(rule, made));
  }
  return { rules: diagnostics.some(isError) ? [] : compiled, diagnostics };
}

let environment: Environment | undefined;

/** Kubernetes' language; lists and maps may mix types, because templates make JSON of them. */
function reconcileEnvironment(): Environment {
  environment ??= createEnvironment({ ...kubernetesFeatures(), homogeneousLiterals: false });
  return environment;
}
