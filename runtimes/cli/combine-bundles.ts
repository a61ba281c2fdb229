import type { BundleProgram, CompiledBundle } from '../../engine/bundle/bundle.ts';
import type { PatchOperation } from '../../engine/object/json-patch.ts';
import type {
  AdmissionAnswer,
  AdmissionDecision,
  AdmissionFacts,
  AdmissionPhase,
  AdmissionProgram,
  AdmissionRequest,
  AdmitOptions,
  RuleOutcome,
} from '../../engine/rules/admission/decision.ts';

/**
 * Several bundles as one, each with its own parameters: the mutations of all in the given order, then the validations of all on the
 * result, as a chain of webhooks would. There is a program only when each has one.
 */
export function combineBundles(bundles: readonly CompiledBundle[]): CompiledBundle {
  const [first, second] = bundles;
  if (first !== undefined && second === undefined) return first;
  const programs = bundles.flatMap(({ program }) => (program === undefined ? [] : [program]));
  const combined: CompiledBundle = {
    name: bundles.map(({ name }) => name).join(', '),
    version: [...new Set(bundles.map(({ version }) => version))].join(', '),
    diagnostics: bundles.flatMap(({ diagnostics }) => diagnostics),
  };
  if (programs.length < bundles.length) return combined;
  const program: BundleProgram = {
    admission: combineAdmission(programs.map(({ admission }) => admission)),
    reconcile: {
      rules: bundles.flatMap(({ name, program }) => (program?.reconcile.rules ?? []).map((rule) => ({ ...rule, bundle: name }))),
    },
    network: { rules: programs.flatMap(({ network }) => network.rules) },
  };
  return { ...combined, program };
}

function combineAdmission(programs: readonly AdmissionProgram[]): AdmissionProgram {
  return {
    rules: programs.flatMap(({ rules }) => rules),
    ...(programs.some(({ reach }) => reach === undefined) ? {} : { reach: programs.flatMap(({ reach }) => reach ?? []) }),
    admit: (request, facts, options) => admitByAll(programs, request, facts, options),
  };
}

function admitByAll(
  programs: readonly AdmissionProgram[],
  request: AdmissionRequest,
  facts: AdmissionFacts,
  options: AdmitOptions,
): AdmissionAnswer {
  const phases: readonly AdmissionPhase[] = options.phase === 'all' ? ['mutate', 'validate'] : [options.phase];
  const decisions: AdmissionDecision[] = [];
  let current = request;
  for (const phase of phases) {
    for (const program of programs) {
      const answer = program.admit(current, facts, { ...options, phase });
      if (answer.kind === 'needs') return answer;
      decisions.push(answer.decision);
      if (phase === 'mutate') {
        if (!answer.decision.allowed) return { kind: 'decision', decision: merge(decisions, request) };
        if (answer.decision.patch.length > 0) current = { ...current, object: answer.decision.object };
      }
    }
  }
  return { kind: 'decision', decision: merge(decisions, current) };
}

function merge(decisions: readonly AdmissionDecision[], final: AdmissionRequest): AdmissionDecision {
  const denial = decisions.find(({ allowed }) => !allowed);
  const patch: PatchOperation[] = decisions.flatMap((decision) => [...decision.patch]);
  const auditAnnotations: Record<string, string> = {};
  const outcomes: RuleOutcome[] = [];
  for (const decision of decisions) {
    Object.assign(auditAnnotations, decision.auditAnnotations);
    outcomes.push(...decision.outcomes);
  }
  return {
    allowed: denial === undefined,
    ...(denial?.status === undefined ? {} : { status: denial.status }),
    patch: denial === undefined ? patch : [],
    object: final.object ?? null,
    warnings: decisions.flatMap(({ warnings }) => warnings),
    auditAnnotations,
    outcomes,
  };
}
