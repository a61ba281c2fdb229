import { typesWith } from '../engine/bundle/compile.ts';
import type { AdmissionFacts, AdmissionRequest } from '../engine/rules/admission/decision.ts';
import { objectRequest } from '../engine/rules/admission/object-request.ts';
import { recordedFacts } from '../engine/rules/admission/recorded-facts.ts';
import { labelOf } from '../runtimes/cli/decide-recorded.ts';
import { readRecording } from '../runtimes/host/recording.ts';

/** Objects of a cluster, as the requests that would create them, and as the facts that rules look up. */
export interface RecordedCluster {
  readonly requests: readonly { readonly label: string; readonly request: AdmissionRequest }[];
  readonly facts: AdmissionFacts;
}

/** Reads a folder of recorded objects. Throws when a file is not one. */
export async function readCluster(folder: string): Promise<RecordedCluster> {
  const { objects, diagnostics } = await readRecording([folder]);
  if (diagnostics.length > 0) throw new Error(diagnostics.map(({ message }) => message).join('\n'));
  const types = typesWith([]);
  const user = { username: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] };
  return {
    requests: objects.map(({ object }) => {
      const request = objectRequest(object, { operation: 'CREATE', user, namespace: 'default', types });
      return { label: labelOf(request), request };
    }),
    facts: recordedFacts(objects.map(({ object }) => object)),
  };
}
