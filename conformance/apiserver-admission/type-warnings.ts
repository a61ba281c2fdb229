import { setTimeout as delay } from 'node:timers/promises';
import type { JsonObject } from '../../engine/rules/admission/decision.ts';
import { type Cluster, startCluster } from '../cluster/cluster.ts';
import type { CaseResult, SuiteContext } from '../suite.ts';
import { typeCases } from './cases/type-warnings.ts';
import { createObjects } from './live.ts';
import { compileOurs } from './ours.ts';
import { inParallel } from './pool.ts';
import { compareReasons, type LiveReason, ourReasons, reasonsIn } from './refusals.ts';

const PATH = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies';
const DEADLINE_MS = 120_000;

interface Warning {
  readonly fieldRef: string;
  readonly warning: string;
}

/**
 * What the status of policies warns of, and what ours warns of. A cluster of its own, because only there a controller runs that
 * checks types, and it would check those of all other cases as well.
 */
export async function* compareTypeWarnings(context: SuiteContext): AsyncGenerator<CaseResult> {
  const cases = typeCases.filter(({ name }) => context.wanted(name));
  if (cases.length === 0) return;
  const cluster = await startCluster({
    log: context.log,
    signal: context.signal,
    controllers: ['validatingadmissionpolicy-status-controller'],
  });
  try {
    await createObjects(cluster, []);
    const documents = cases.map(({ policy: { kind, spec } }, index): JsonObject => {
      return { apiVersion: 'admissionregistration.k8s.io/v1', kind, metadata: { name: `t${index}` }, spec } as JsonObject;
    });
    await inParallel(documents, 8, (body) => cluster.admin.expect({ method: 'POST', path: PATH, body }));
    const warnings = await waitForStatus(cluster, documents.length);
    for (const [index, { name }] of cases.entries()) {
      const ours = compileOurs([documents[index]!]);
      const live = (warnings.get(`t${index}`) ?? []).flatMap(reasonsOf);
      const own = ourReasons(ours, `t${index}`, 'warning').filter(({ text }) => text.includes(' (type checking against '));
      const differences = compareReasons(
        live.map((reason) => ({ ...reason, text: withoutTypeNames(reason.text) })),
        own.map((reason) => ({ ...reason, text: withoutTypeNames(reason.text) })),
      );
      yield differences.length === 0 ? { name, outcome: 'passed' } : { name, outcome: 'failed', reason: differences.join('\n') };
    }
  } finally {
    await cluster.stop();
  }
}

/** Structures are named after the kind and a number drawn at random there (`Deployment156951979.spec`), after their definition here. */
function withoutTypeNames(text: string): string {
  return text.replace(/\b[A-Z][A-Za-z]*\d{4,}(?:\.[\w@]+)+|\b[a-z]+\.v\d\w*\.[A-Z][\w.]*(?:\{\})?/g, '<structure>');
}

/** `apps/v1, Kind=Deployment: ERROR: …`, once for each kind; ours says the kind behind its text. */
function reasonsOf({ fieldRef, warning }: Warning): LiveReason[] {
  const blocks = warning.split(/^(?=\S*, Kind=\w+: )/m);
  return blocks.flatMap((block) => {
    const kind = /^(\S*, Kind=\w+): /.exec(block)?.[1] ?? '';
    return reasonsIn(fieldRef, block).map((reason) => ({ ...reason, text: `${reason.text} (type checking against ${kind})` }));
  });
}

async function waitForStatus(cluster: Cluster, count: number): Promise<ReadonlyMap<string, readonly Warning[]>> {
  const deadline = Date.now() + DEADLINE_MS;
  for (;;) {
    const { body } = await cluster.admin.expect({ path: PATH });
    const { items } = body as {
      items: {
        metadata: { name: string; generation: number };
        status?: { observedGeneration?: number; typeChecking?: { expressionWarnings?: Warning[] } };
      }[];
    };
    const checked = items.filter(({ status, metadata }) => status?.observedGeneration === metadata.generation);
    if (checked.length === count)
      return new Map(items.map(({ metadata, status }) => [metadata.name, status?.typeChecking?.expressionWarnings ?? []]));
    if (Date.now() > deadline)
      throw new Error(`the types of ${count - checked.length} of ${count} policies were not checked within ${DEADLINE_MS / 1000} s`);
    await delay(250);
  }
}
