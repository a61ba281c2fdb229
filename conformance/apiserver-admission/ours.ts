import type { CompiledBundle } from '../../engine/bundle/bundle.ts';
import { compileBundle, typesWith } from '../../engine/bundle/compile.ts';
import type {
  AdmissionDecision,
  AdmissionPhase,
  AdmissionProgram,
  AdmissionRequest,
  JsonObject,
} from '../../engine/rules/admission/decision.ts';
import type { Document } from '../../engine/text/document.ts';
import { parseJson } from '../../engine/text/json.ts';
import type { LiveFacts } from './facts.ts';
import { CUSTOM_RESOURCES } from './kinds.ts';

/** The types of the API server: those of Kubernetes and of the custom kinds of the cases. */
const TYPES = typesWith(CUSTOM_RESOURCES as readonly JsonObject[]);

/** Rounds of facts before a decision counts as never coming. */
const MAX_ROUNDS = 20;

/** Our side of a comparison: the same documents compiled by the engine. */
export interface OurBundle {
  readonly documents: readonly Document[];
  readonly bundle: CompiledBundle;
}

/** Compiles policies and bindings against the types that the API server knows. */
export function compileOurs(policies: readonly JsonObject[]): OurBundle {
  const documents = policies.flatMap((value, index) => {
    const { metadata, kind } = value as { metadata: { name: string }; kind: string };
    return parseJson({ name: `${index}-${kind}-${metadata.name}.json`, text: JSON.stringify(value) }).documents;
  });
  return { documents, bundle: compileBundle(documents, { name: 'conformance', types: TYPES }) };
}

/** The decision of a program on a request, with all facts it asks for. */
export async function decide(
  program: AdmissionProgram,
  request: AdmissionRequest,
  facts: LiveFacts,
  phase: AdmissionPhase,
): Promise<AdmissionDecision> {
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const answer = program.admit(request, facts, { phase });
    if (answer.kind === 'decision') return answer.decision;
    await facts.fetch(answer.needs);
  }
  throw new Error(`the decision still needs facts after ${MAX_ROUNDS} rounds`);
}
