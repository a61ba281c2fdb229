import { compileBundle, typesWith } from '../../../../engine/bundle/compile.ts';
import { isJsonObject, type JsonObject, jsonEqual } from '../../../../engine/object/json.ts';
import type { TypeTable } from '../../../../engine/object/type-table.ts';
import type { AdmissionProgram } from '../../../../engine/rules/admission/decision.ts';
import { type Diagnostic, isError } from '../../../../engine/text/diagnostic.ts';
import type { Document } from '../../../../engine/text/document.ts';
import { groupResource, type Kind, type KubernetesObject, kind, servedKind, typed } from '../control-loop/kind.ts';
import type { Registry } from '../registry.ts';

export interface Policy extends KubernetesObject {
  readonly spec: { readonly reinvocationPolicy?: string };
  readonly status?: { readonly observedGeneration?: number; readonly typeChecking?: JsonObject };
}

const GROUP = 'admissionregistration.k8s.io';
export const VALIDATING_POLICIES = kind<Policy>(GROUP, 'v1', 'validatingadmissionpolicies', 'ValidatingAdmissionPolicy');
const MUTATING_POLICIES = kind<Policy>(GROUP, 'v1', 'mutatingadmissionpolicies', 'MutatingAdmissionPolicy');
const VALIDATING_BINDINGS = kind(GROUP, 'v1', 'validatingadmissionpolicybindings', 'ValidatingAdmissionPolicyBinding');
const MUTATING_BINDINGS = kind(GROUP, 'v1', 'mutatingadmissionpolicybindings', 'MutatingAdmissionPolicyBinding');
const DEFINITIONS = kind('apiextensions.k8s.io', 'v1', 'customresourcedefinitions', 'CustomResourceDefinition');

/** The policies of a cluster as executors. */
export interface CompiledPolicySet {
  readonly validating: AdmissionProgram | undefined;
  readonly mutating: AdmissionProgram | undefined;
  /** Those of the mutating ones that want to run again after something else has changed the object. */
  readonly reinvoked: AdmissionProgram | undefined;
}

/** Policies and bindings of a registry, compiled when they are first needed after they or the kinds of the cluster changed. */
export class PolicySet {
  readonly #registry: Registry;
  #compiled: CompiledPolicySet | undefined;
  #types: TypeTable | undefined;

  constructor(registry: Registry) {
    this.#registry = registry;
    const policies = new Set(
      [VALIDATING_POLICIES, MUTATING_POLICIES, VALIDATING_BINDINGS, MUTATING_BINDINGS].map((each: Kind) => groupResource(each)),
    );
    const definitions = groupResource(DEFINITIONS);
    registry.subscribe(({ type, resource, object, previous }) => {
      if (policies.has(resource)) {
        // A status is no reason to compile.
        if (type === 'MODIFIED' && jsonEqual(previous?.['spec'], object['spec'])) return;
        this.#compiled = undefined;
      } else if (resource === definitions) {
        this.#compiled = undefined;
        this.#types = undefined;
      }
    });
  }

  /** Types of all kinds, custom ones included. */
  get types(): TypeTable {
    this.#types ??= typesWith(this.#list(DEFINITIONS));
    return this.#types;
  }

  get compiled(): CompiledPolicySet {
    this.#compiled ??= this.#compile();
    return this.#compiled;
  }

  /** What is wrong with a policy or binding, errors and warnings, or what type checking says. */
  diagnose(object: JsonObject): readonly Diagnostic[] {
    const document = documentOf(object);
    return compileBundle([document], { types: this.types }).diagnostics.filter(({ code }) => !BESIDE.has(code));
  }

  #compile(): CompiledPolicySet {
    const validating = this.#documents(VALIDATING_POLICIES, VALIDATING_BINDINGS);
    const mutating = this.#documents(MUTATING_POLICIES, MUTATING_BINDINGS);
    const reinvoked = new Set(
      this.#list(MUTATING_POLICIES)
        .map((object) => typed<Policy>(object))
        .filter(({ spec }) => spec.reinvocationPolicy === 'IfNeeded')
        .map(({ metadata }) => metadata.name),
    );
    return {
      validating: this.#program(validating),
      mutating: this.#program(mutating),
      reinvoked: this.#program(mutating.filter((each) => reinvoked.has(each.policy))),
    };
  }

  /** A broken policy must not take the others with it: it is left out. The API server refuses such a policy when it is written. */
  #program(groups: readonly PolicyDocuments[]): AdmissionProgram | undefined {
    if (groups.length === 0) return undefined;
    const all = compileBundle(
      groups.flatMap(({ documents }) => documents),
      { types: this.types },
    );
    if (all.program !== undefined) return all.program.admission;
    const sound = groups.filter(({ documents }) => !compileBundle(documents, { types: this.types }).diagnostics.some(isError));
    if (sound.length === 0) return undefined;
    return compileBundle(
      sound.flatMap(({ documents }) => documents),
      { types: this.types },
    ).program?.admission;
  }

  #documents(policies: Kind, bindings: Kind): readonly PolicyDocuments[] {
    const byPolicy = new Map<string, Document[]>();
    for (const object of this.#list(policies)) byPolicy.set(typed(object).metadata.name, [documentOf(object)]);
    for (const object of this.#list(bindings)) {
      const { spec } = object;
      const policy = isJsonObject(spec) && typeof spec['policyName'] === 'string' ? spec['policyName'] : '';
      byPolicy.get(policy)?.push(documentOf(object));
    }
    return [...byPolicy].filter(([, documents]) => documents.length > 1).map(([policy, documents]) => ({ policy, documents }));
  }

  #list(wanted: Kind): readonly JsonObject[] {
    const resource = servedKind(this.#registry, wanted);
    return resource === undefined ? [] : this.#registry.list(resource);
  }
}

interface PolicyDocuments {
  readonly policy: string;
  readonly documents: readonly Document[];
}

/** Of a single document: that its counterpart is not there says nothing. */
const BESIDE = new Set(['admission-unbound', 'admission-unknown-policy']);

/** An object of the cluster as a document. It has no text to point into but that of its expressions. */
function documentOf(object: JsonObject): Document {
  const { status: _, ...rest } = object;
  const { name, namespace } = typed(object).metadata;
  const metadata = { name, ...(namespace === undefined ? {} : { namespace }) };
  const source = { name: `${String(object['kind'])}/${name}`, text: '' };
  return { source, index: 0, value: { ...rest, metadata }, locate: () => undefined, locateWithin: (_, offset) => offset };
}
