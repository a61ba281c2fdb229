import { isJsonObject, ownValue } from '../../object/json.ts';
import type { Diagnostic } from '../../text/diagnostic.ts';
import type { Document } from '../../text/document.ts';
import type { Shape } from '../../text/shape.ts';
import { checkShape } from '../../text/shape-check.ts';
import { kindOf } from '../document-kind.ts';
import { type Reporter, reporter } from '../reporter.ts';
import type { CompileContext } from './compile-context.ts';
import * as documents from './document.ts';
import { MUTATING_KINDS, mutatingPolicy, VALIDATING_KINDS, validatingPolicy } from './kyverno/document.ts';
import { lowerKyvernoMutating, lowerKyvernoValidating } from './kyverno/lower.ts';
import { lowerMutatingBinding, lowerMutatingPolicy } from './lower-mutating.ts';
import { lowerRule } from './lower-rule.ts';
import { lowerValidatingBinding, lowerValidatingPolicy } from './lower-validating.ts';
import type { Policy, PolicyBinding } from './policy.ts';

/** Kinds this compiler takes, by API group. */
export const ADMISSION_KINDS: Readonly<Record<string, readonly string[]>> = {
  'fairlead.dev': ['AdmissionRule'],
  'admissionregistration.k8s.io': [
    'ValidatingAdmissionPolicy',
    'ValidatingAdmissionPolicyBinding',
    'MutatingAdmissionPolicy',
    'MutatingAdmissionPolicyBinding',
  ],
  'policies.kyverno.io': [...VALIDATING_KINDS, ...MUTATING_KINDS],
};

export interface CompiledPolicies {
  /** In document order; incomplete when a diagnostic is an error. */
  readonly policies: readonly Policy[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Whether a document is one of the kinds that {@link compileAdmission} takes. */
export function isAdmissionDocument(document: Document): boolean {
  const { group, kind } = kindOf(document);
  return ADMISSION_KINDS[group]?.includes(kind) ?? false;
}

/** Checks and lowers the admission rules among the documents. Others are passed over. */
export function compileAdmission(all: readonly Document[], context: CompileContext): CompiledPolicies {
  const diagnostics: Diagnostic[] = [];
  const bindings = new BindingTable();
  const policies: Policy[] = [];
  const names = new Map<string, Document>();

  const read = <T>(document: Document, shape: Shape<T>): { readonly value: T; readonly report: Reporter } | undefined => {
    const checked = checkShape(shape, document);
    diagnostics.push(...checked.diagnostics);
    if (checked.value === undefined) return undefined;
    const report = reporter(document, diagnostics);
    const { kind } = kindOf(document);
    const { name, namespace } = (checked.value as { readonly metadata: documents.Metadata }).metadata;
    const key = `${kind}/${namespace ?? ''}/${name}`;
    if (names.has(key)) report.error(['metadata', 'name'], 'admission-duplicate', `there is another ${kind} called ${name}`);
    names.set(key, document);
    return { value: checked.value, report };
  };

  for (const document of all) {
    const { group, kind } = kindOf(document);
    if (group !== 'admissionregistration.k8s.io') continue;
    if (kind === 'ValidatingAdmissionPolicyBinding') {
      const found = read(document, documents.validatingAdmissionPolicyBinding);
      if (found === undefined) bindings.addBroken('ValidatingAdmissionPolicy', textAt(document, 'spec', 'policyName'));
      else
        bindings.add(
          'ValidatingAdmissionPolicy',
          found.value.spec.policyName,
          lowerValidatingBinding(found.report, found.value),
          found.report,
        );
    } else if (kind === 'MutatingAdmissionPolicyBinding') {
      const found = read(document, documents.mutatingAdmissionPolicyBinding);
      if (found === undefined) bindings.addBroken('MutatingAdmissionPolicy', textAt(document, 'spec', 'policyName'));
      else
        bindings.add('MutatingAdmissionPolicy', found.value.spec.policyName, lowerMutatingBinding(found.report, found.value), found.report);
    }
  }
  for (const document of all) {
    const { group, kind } = kindOf(document);
    if (!ADMISSION_KINDS[group]?.includes(kind)) continue;
    if (kind === 'AdmissionRule') {
      const found = read(document, documents.admissionRule);
      if (found) policies.push(...lowerRule(found.report, found.value, context));
    } else if (kind === 'ValidatingAdmissionPolicy') {
      const found = read(document, documents.validatingAdmissionPolicy);
      if (found === undefined) bindings.takeBroken(kind, textAt(document, 'metadata', 'name'));
      else
        policies.push(
          lowerValidatingPolicy(found.report, found.value, bindings.take(kind, found.value.metadata.name, found.report), context),
        );
    } else if (kind === 'MutatingAdmissionPolicy') {
      const found = read(document, documents.mutatingAdmissionPolicy);
      if (found === undefined) bindings.takeBroken(kind, textAt(document, 'metadata', 'name'));
      else
        policies.push(
          lowerMutatingPolicy(found.report, found.value, bindings.take(kind, found.value.metadata.name, found.report), context),
        );
    } else if (VALIDATING_KINDS.includes(kind)) {
      const found = read(document, validatingPolicy);
      if (found) policies.push(...lowerKyvernoValidating(found.report, found.value, context));
    } else if (MUTATING_KINDS.includes(kind)) {
      const found = read(document, mutatingPolicy);
      if (found) policies.push(...lowerKyvernoMutating(found.report, found.value, context));
    }
  }
  bindings.reportUnused();
  return { policies, diagnostics };
}

/** A text two levels into a document, whatever it looks like. */
function textAt({ value }: Document, field: string, name: string): string | undefined {
  const outer = isJsonObject(value) ? ownValue(value, field) : undefined;
  const found = isJsonObject(outer) ? ownValue(outer, name) : undefined;
  return typeof found === 'string' ? found : undefined;
}

/** Bindings by the policy they bind. */
class BindingTable {
  readonly #entries = new Map<string, { readonly binding: PolicyBinding; readonly report: Reporter }[]>();
  readonly #taken = new Set<string>();
  readonly #broken = new Set<string>();

  /** A binding that has errors of its own: its policy does not lack one. */
  addBroken(kind: string, policyName: string | undefined): void {
    this.#broken.add(`${kind}/${policyName ?? ''}`);
  }

  /** A policy that has errors of its own: its bindings do not lack one. */
  takeBroken(kind: string, policyName: string | undefined): void {
    this.#taken.add(`${kind}/${policyName ?? ''}`);
  }

  add(kind: string, policyName: string, binding: PolicyBinding, report: Reporter): void {
    const key = `${kind}/${policyName}`;
    const list = this.#entries.get(key);
    if (list === undefined) this.#entries.set(key, [{ binding, report }]);
    else list.push({ binding, report });
  }

  take(kind: string, policyName: string, policy: Reporter): readonly PolicyBinding[] {
    const key = `${kind}/${policyName}`;
    this.#taken.add(key);
    const entries = this.#entries.get(key) ?? [];
    if (entries.length === 0 && !this.#broken.has(key)) {
      policy.warning(
        ['metadata', 'name'],
        'admission-unbound',
        `no ${kind}Binding names this policy, so it is never enforced`,
        `add a ${kind}Binding with spec.policyName: ${policyName}`,
      );
    }
    return entries.map((entry) => entry.binding);
  }

  reportUnused(): void {
    for (const [key, entries] of this.#entries) {
      if (this.#taken.has(key)) continue;
      const [kind, name] = key.split('/');
      for (const { report } of entries) {
        report.warning(
          ['spec', 'policyName'],
          'admission-unknown-policy',
          `there is no ${kind} called ${name} here, so this binding does nothing`,
        );
      }
    }
  }
}
