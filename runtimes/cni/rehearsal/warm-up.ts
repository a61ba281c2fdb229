import { setImmediate } from 'node:timers/promises';
import type { JsonObject } from '../../../engine/object/json.ts';
import { dryEnd, dryPlan } from '../../../engine/rules/network/dry-plan.ts';
import { imaginedAdd } from '../../../engine/rules/network/imagined-request.ts';
import type { NetworkProgram, NetworkRule } from '../../../engine/rules/network/program.ts';
import { convertResult, printDocument } from '../../../engine/rules/network/protocol/result-versions.ts';
import { factsWithoutCluster } from '../verbs/network-facts-source.ts';
import { bareSample, fullSample, SAMPLE_VERSION } from './samples.ts';

/** A cluster that has nothing. */
const { facts: NOTHING } = factsWithoutCluster('node');

/**
 * Goes through each rule once, as an ADD would, and performs nothing: expressions become code when they are first run, which takes longer than
 * all the rest of an ADD. Others get their turn between rules. Never rejects: whatever a rule has against the sample it says again to who asks.
 * It is over before a daemon serves; what is done often, and with all the rest of the daemon, is the rehearsal that comes after.
 */
export async function warmUp({ rules }: NetworkProgram): Promise<void> {
  for (const rule of rules) {
    await setImmediate();
    [fullSample(rule.name), bareSample(rule.name)].some((config) => walkThrough(rule, config));
  }
}

/** Whether the rule had a plan for the sample. */
function walkThrough(rule: NetworkRule, sample: JsonObject): boolean {
  try {
    const answer = rule.attach(imaginedAdd(sample), NOTHING);
    if (answer.kind !== 'plan') return false;
    const { steps, fault } = dryPlan(answer.plan);
    if (fault !== undefined) return false;
    const printed = convertResult(dryEnd(answer.plan, steps).result, SAMPLE_VERSION);
    if (printed.ok) printDocument(printed.document);
    return true;
  } catch {
    return false;
  }
}
