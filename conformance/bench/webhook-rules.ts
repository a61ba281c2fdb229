import type { CompiledBundle } from '../../engine/bundle/bundle.ts';
import type { AdmissionDecision, JsonObject } from '../../engine/rules/admission/decision.ts';

export const WEBHOOK_RULES = 20;

interface PodSpec {
  readonly containers: readonly { readonly image: string }[];
}

/** Rules written by hand, as functions. */
export async function webhookBundle(): Promise<CompiledBundle> {
  const rules = Array.from({ length: WEBHOOK_RULES }, (_, index) => ({ kind: 'AdmissionRule', name: `rule-${index}` }));
  const checks = rules.map((_, index) => (spec: PodSpec) => spec.containers.every(({ image }) => !image.endsWith(`:latest-${index}`)));
  const admission = {
    rules,
    admit({ object }: { readonly object?: JsonObject | null }) {
      const spec = object!['spec'] as unknown as PodSpec;
      let allowed = true;
      for (const check of checks) if (!check(spec)) allowed = false;
      const decision: AdmissionDecision = { allowed, patch: [], object: object!, warnings: [], auditAnnotations: {}, outcomes: [] };
      return { kind: 'decision' as const, decision };
    },
  };
  return { name: 'bench', version: '1', diagnostics: [], program: { admission } };
}
