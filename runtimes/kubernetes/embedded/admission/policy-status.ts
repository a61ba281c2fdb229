import { type JsonObject, jsonEqual } from '../../../../engine/object/json.ts';
import type { Diagnostic } from '../../../../engine/text/diagnostic.ts';
import type { ClusterView } from '../control-loop/cluster-view.ts';
import type { Controller } from '../control-loop/control-loop.ts';
import { untyped } from '../control-loop/kind.ts';
import { objectController } from '../control-loop/object-controller.ts';
import { updateStatus } from '../control-loop/write.ts';
import type { Registry } from '../registry.ts';
import { type Policy, type PolicySet, VALIDATING_POLICIES } from './policy-set.ts';

const NOTE = / \(type checking against (.+)\)$/;

/**
 * What type checking says of a policy's expressions: one warning per expression, for all kinds that it may see.
 * Kubernetes: apiserver pkg/admission/plugin/policy/validating/typechecking.go.
 */
function expressionWarnings(diagnostics: readonly Diagnostic[]): readonly JsonObject[] {
  const byField = new Map<string, string[]>();
  for (const { code, severity, message, path = '' } of diagnostics) {
    const note = NOTE.exec(message);
    if (severity !== 'warning' || !code.startsWith('cel-') || note === null) continue;
    const kind = note[1]!.replace(/^\//, '');
    const text = `${kind}: ERROR: <input>: ${message.slice(0, note.index)}`;
    const field = path.replace(/^\$\./, '');
    byField.set(field, [...(byField.get(field) ?? []), text]);
  }
  return [...byField].map(([fieldRef, texts]) => ({ fieldRef, warning: texts.join('\n') }));
}

/** Writes the status of ValidatingAdmissionPolicies. Kubernetes: pkg/controller/validatingadmissionpolicystatus. */
export function policyStatusController(registry: Registry, view: ClusterView, policies: PolicySet): Controller {
  return objectController<Policy>(registry, view, {
    name: 'validatingadmissionpolicy-status-controller',
    kind: VALIDATING_POLICIES,
    sync(policy) {
      const observedGeneration = policy.metadata.generation ?? 0;
      if (policy.status?.observedGeneration === observedGeneration && policy.status.typeChecking !== undefined) return { writes: [] };
      const warnings = expressionWarnings(policies.diagnose(untyped(policy)));
      const status = { ...policy.status, observedGeneration, typeChecking: warnings.length === 0 ? {} : { expressionWarnings: warnings } };
      if (jsonEqual(untyped(status), untyped(policy.status ?? {}))) return { writes: [] };
      return { writes: [updateStatus(VALIDATING_POLICIES, { ...policy, status } as Policy)] };
    },
  });
}
