import { createEnvironment } from '../../cel/create-environment.ts';
import type { Environment } from '../../cel/environment.ts';
import type { Library } from '../../cel/function.ts';
import { kubernetesFeatures } from '../../cel/kubernetes/features.ts';
import type { JsonObject } from '../../object/json.ts';
import { type Diagnostic, isError } from '../../text/diagnostic.ts';
import type { Document } from '../../text/document.ts';
import type { Shape } from '../../text/shape.ts';
import { checkShape } from '../../text/shape-check.ts';
import { kindOf } from '../document-kind.ts';
import { BASE64_LIBRARY } from '../libraries/base64.ts';
import { HASH_LIBRARY } from '../libraries/hash.ts';
import { JSON_LIBRARY } from '../libraries/json.ts';
import { X509_LIBRARY } from '../libraries/x509.ts';
import { type Reporter, reporter } from '../reporter.ts';
import { compileRule } from './compile-rule.ts';
import type { ReconcileContext } from './compiled-rule.ts';
import { customResourceDefinition, type DefinitionSource } from './definition.ts';
import { type ReconcileRuleDocument, reconcileRule } from './document.ts';
import { isReconcileDocument } from './document-kinds.ts';
import { type ResourceGraphDefinitionDocument, resourceGraphDefinition } from './kro/document.ts';
import { KRO_HASH_LIBRARY } from './kro/libraries/hash.ts';
import { KRO_LISTS_LIBRARY } from './kro/libraries/lists.ts';
import { KRO_MAPS_LIBRARY } from './kro/libraries/maps.ts';
import { KRO_OMIT_LIBRARY } from './kro/libraries/omit.ts';
import { KRO_RANDOM_LIBRARY } from './kro/libraries/random.ts';
import { lowerResourceGraph } from './kro/lower.ts';
import { lowerReconcileRule } from './lower-rule.ts';
import type { ReconcileRule } from './program.ts';
import { ruleProgram } from './rule-program.ts';
import type { RuleSource } from './source.ts';
import { statusSchemaOf } from './status-schema.ts';

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
    const report = reporter(document, diagnostics);
    const lowered = lower(document, report);
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

/** Checks the form of a document, and brings it to the one that both kinds share. */
function lower(document: Document, report: Reporter) {
  const read = <T>(shape: Shape<T>): T | undefined => {
    const { value, diagnostics } = checkShape<T>(shape, document);
    for (const diagnostic of diagnostics) report.add(diagnostic);
    return value;
  };
  if (kindOf(document).kind === 'ResourceGraphDefinition') {
    const value = read<ResourceGraphDefinitionDocument>(resourceGraphDefinition);
    return value && lowerResourceGraph(report, value);
  }
  const value = read<ReconcileRuleDocument>(reconcileRule);
  return value && lowerReconcileRule(report, value);
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
  const compiled: ReconcileRule[] = [];
  for (const { source, report, definition } of rules) {
    const rule = compileRule(report, source, { environment: environmentOf(source.ruleKind), ...options });
    if (rule === undefined || report.hasErrors) continue;
    const status = definition === undefined || definition.status !== undefined ? undefined : statusSchemaOf(rule.status);
    const made = definition && customResourceDefinition(definition, report, status);
    compiled.push(ruleProgram(rule, made));
  }
  return { rules: diagnostics.some(isError) ? [] : compiled, diagnostics };
}

const environments = new Map<RuleSource['ruleKind'], Environment>();

/** Libraries beside Kubernetes' own. */
const LIBRARIES: Readonly<Record<RuleSource['ruleKind'], readonly Library[]>> = {
  ReconcileRule: [BASE64_LIBRARY, HASH_LIBRARY, JSON_LIBRARY, X509_LIBRARY],
  ResourceGraphDefinition: [
    BASE64_LIBRARY,
    JSON_LIBRARY,
    KRO_HASH_LIBRARY,
    KRO_LISTS_LIBRARY,
    KRO_MAPS_LIBRARY,
    KRO_OMIT_LIBRARY,
    KRO_RANDOM_LIBRARY,
  ],
};

/** Kubernetes' language and what a kind of rules has on top. Lists and maps may mix types, because templates make JSON of them. */
function environmentOf(kind: RuleSource['ruleKind']): Environment {
  let found = environments.get(kind);
  if (found === undefined) {
    const features = kubernetesFeatures();
    found = createEnvironment({ ...features, libraries: [...features.libraries, ...LIBRARIES[kind]], homogeneousLiterals: false });
    environments.set(kind, found);
  }
  return found;
}
