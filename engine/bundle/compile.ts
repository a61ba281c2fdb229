import { isJsonObject, type JsonObject } from '../object/json.ts';
import { customResourceTypes, layerTypes, type TypeTable } from '../object/type-table.ts';
import { ADMISSION_KINDS, compileAdmission, isAdmissionDocument } from '../rules/admission/compile.ts';
import { type RuleBundleDocument, ruleBundle } from '../rules/admission/document.ts';
import type { InstrumentExpression } from '../rules/admission/expressions.ts';
import { linkAdmission, linkProgram } from '../rules/admission/link.ts';
import { kindOf } from '../rules/document-kind.ts';
import { type CompiledNetworkRules, compileNetwork } from '../rules/network/compile.ts';
import { isNetworkDocument, NETWORK_KINDS } from '../rules/network/document-kinds.ts';
import { type CompiledReconcileRules, compileReconcile, type ReconcileDocuments, readReconcileRules } from '../rules/reconcile/compile.ts';
import { isReconcileDocument, RECONCILE_KINDS } from '../rules/reconcile/document-kinds.ts';
import { OPERATIONS } from '../step/operations/index.ts';
import { type Diagnostic, isError } from '../text/diagnostic.ts';
import type { Document } from '../text/document.ts';
import { checkShape, diagnosticAt } from '../text/shape-check.ts';
import { suggest } from '../text/suggest.ts';
import { builtInTypes } from './built-in-types.ts';
import type { CompiledBundle } from './bundle.ts';
import { unpackLists } from './document-list.ts';
import { bundleParams, NO_PARAMS } from './params.ts';

export interface CompileBundleOptions {
  /** What the bundle is called unless a RuleBundle document says. */
  readonly name?: string;
  /** What is already known to be wrong, such as syntax errors; an error among them means there is no program. */
  readonly diagnostics?: readonly Diagnostic[];
  /** Values of the bundle's parameters; the others have their defaults. */
  readonly params?: JsonObject;
  /** Only these rules become part of the program; all are checked. */
  readonly rules?: readonly string[];
  /** Types of the kinds of the cluster. Default: those of the newest supported Kubernetes; CRDs of the bundle come on top. */
  readonly types?: TypeTable;
  /** Put around every expression that decides; for explanations. */
  readonly instrument?: InstrumentExpression;
}

/** Kinds that belong beside rules and are not for this compiler. */
const BESIDE_RULES = new Set(['RuleTest', 'CNIInvocation']);

const NO_RECONCILE_DOCUMENTS: ReconcileDocuments = { definitions: [], rules: [], diagnostics: [] };
const NO_RECONCILE_RULES: CompiledReconcileRules = { rules: [], diagnostics: [] };
const NO_NETWORK_RULES: CompiledNetworkRules = { rules: [], diagnostics: [] };

/** Compiles the documents of one bundle. Everything that is wrong is said, not the first only. Pure, and never throws. */
export function compileBundle(documents: readonly Document[], options: CompileBundleOptions = {}): CompiledBundle {
  const diagnostics: Diagnostic[] = [...(options.diagnostics ?? [])];
  const all = unpackLists(documents);
  const head = readHead(all, diagnostics);
  const customResources = all.filter(isCustomResourceDefinition).map((document) => document.value as JsonObject);
  // Whoever has none does not wait for their compiler to be loaded.
  const reconcile = all.some(isReconcileDocument) ? readReconcileRules(all) : NO_RECONCILE_DOCUMENTS;
  const own = [...customResources, ...reconcile.definitions];
  const types = typesFor(own, options.types);
  const params = head === undefined ? NO_PARAMS : bundleParams(head.document, head.value.spec?.params, options.params, diagnostics);
  for (const document of all) reportUnknownKind(document, diagnostics);

  const compiled = compileAdmission(all, linkAdmission({ types, params, instrument: options.instrument }));
  diagnostics.push(...compiled.diagnostics);
  const reconciled = reconcile === NO_RECONCILE_DOCUMENTS ? NO_RECONCILE_RULES : compileReconcile(reconcile, { types, params });
  diagnostics.push(...reconciled.diagnostics);
  const networks = all.some(isNetworkDocument) ? compileNetwork(all, { types, params, operations: OPERATIONS }) : NO_NETWORK_RULES;
  diagnostics.push(...networks.diagnostics);
  const bundle = {
    name: head?.value.metadata.name ?? options.name ?? '',
    version: head?.value.spec?.version ?? '',
    diagnostics,
  };
  if (diagnostics.some(isError)) return bundle;
  const wanted = options.rules === undefined ? undefined : new Set(options.rules);
  const policies = wanted === undefined ? compiled.policies : compiled.policies.filter((policy) => wanted.has(policy.name));
  const chosen = <R extends { readonly name: string }>(rules: readonly R[]): readonly R[] =>
    wanted === undefined ? rules : rules.filter(({ name }) => wanted.has(name));
  const program = {
    admission: linkProgram(policies, types),
    reconcile: { rules: chosen(reconciled.rules) },
    network: { rules: chosen(networks.rules) },
  };
  return { ...bundle, program };
}

/** The types that CustomResourceDefinitions of the bundle declare, over those of the cluster. */
function typesFor(definitions: readonly JsonObject[], cluster: TypeTable | undefined): TypeTable {
  if (cluster === undefined) return typesWith(definitions);
  return definitions.length === 0 ? cluster : layerTypes(customResourceTypes(definitions), cluster);
}

/** A type table with the built-in kinds, and those of CustomResourceDefinitions on top. */
export function typesWith(customResources: readonly JsonObject[]): TypeTable {
  return customResources.length === 0 ? builtInTypes([]) : builtInTypes([customResourceTypes(customResources)]);
}

function readHead(documents: readonly Document[], diagnostics: Diagnostic[]) {
  const heads = documents.filter((document) => kindOf(document).group === 'fairlead.dev' && kindOf(document).kind === 'RuleBundle');
  for (const document of heads.slice(1)) {
    const message = 'a bundle has one RuleBundle document, and there is another before this one';
    diagnostics.push(diagnosticAt(document, ['kind'], { code: 'bundle-duplicate', message }));
  }
  const [document] = heads;
  if (document === undefined) return undefined;
  const checked = checkShape<RuleBundleDocument>(ruleBundle, document);
  diagnostics.push(...checked.diagnostics);
  return checked.value === undefined ? undefined : { document, value: checked.value };
}

function isCustomResourceDefinition(document: Document): boolean {
  return kindOf(document).kind === 'CustomResourceDefinition' && isJsonObject(document.value);
}

const KINDS_BY_GROUP: Readonly<Record<string, readonly string[]>> = {
  'fairlead.dev': ['AdmissionRule', 'ReconcileRule', 'NetworkRule', 'RuleBundle', 'RuleTest'],
};

const KINDS_OF_RULES = { ...ADMISSION_KINDS, ...RECONCILE_KINDS, ...NETWORK_KINDS, ...KINDS_BY_GROUP };

function reportUnknownKind(document: Document, diagnostics: Diagnostic[]): void {
  const { group, kind } = kindOf(document);
  if (isAdmissionDocument(document) || isReconcileDocument(document) || isNetworkDocument(document)) return;
  if (isCustomResourceDefinition(document)) return;
  if (group === 'fairlead.dev') {
    if (kind === 'RuleBundle' || BESIDE_RULES.has(kind)) return;
    const near = suggest(kind, KINDS_BY_GROUP[group]!);
    const hint = kind === '' ? `one of ${KINDS_BY_GROUP[group]!.join(', ')}` : near === undefined ? undefined : `did you mean ${near}?`;
    const message = kind === '' ? 'the document has no kind' : `unknown kind ${kind} of fairlead.dev`;
    diagnostics.push(diagnosticAt(document, ['kind'], { code: 'bundle-unknown-kind', message, hint }));
  } else {
    const what = kind === '' ? 'the document has no apiVersion and kind, so it' : `${kind}`;
    const message = `${what} is no rule and is passed over`;
    const home = Object.entries(KINDS_OF_RULES).find(([, kinds]) => kinds.includes(kind))?.[0];
    const hint = home === undefined ? undefined : `${kind} is a kind of ${home}: check apiVersion`;
    const place = kind === '' ? [] : [home === undefined ? 'kind' : 'apiVersion'];
    diagnostics.push(diagnosticAt(document, place, { code: 'bundle-not-a-rule', severity: 'warning', message, hint }));
  }
}
