import { recordedFacts } from '../../engine/rules/admission/recorded-facts.ts';
import { podRequest, ruleSet } from './admission-rules.ts';
import { podsOfManyShapes } from './cel-pods.ts';

/** What the measuring process tells its parent, in bytes. */
export interface MemoryReport {
  readonly resident: number;
  readonly heap: number;
}

/** Loads as many policies as the first argument says, lets them decide, and reports what the process then holds. */
function main(count: number): void {
  const program = count === 0 ? undefined : ruleSet({ count, variables: true });
  const facts = recordedFacts([]);
  for (let round = 0; program && round < 20; round++) {
    for (const pod of podsOfManyShapes(64)) program.admit(podRequest(pod as never), facts, { phase: 'validate' });
  }
  for (let i = 0; i < 4; i++) globalThis.gc?.();
  const { rss, heapUsed } = process.memoryUsage();
  const report: MemoryReport = { resident: rss, heap: heapUsed };
  process.stdout.write(JSON.stringify(report));
}

main(Number(process.argv[2]));
