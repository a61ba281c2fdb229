import { setImmediate } from 'node:timers/promises';
import { dryEnd, dryPlan } from '../../../engine/rules/network/dry-plan.ts';
import type { NetworkFacts, NetworkProgram, NetworkRequest, NetworkRule } from '../../../engine/rules/network/program.ts';
import { convertResult, printDocument } from '../../../engine/rules/network/protocol/result-versions.ts';

/** What most configurations say; a rule takes of it what it knows. Addresses are those that RFC 5737 and RFC 3849 keep for examples. */
const SAMPLES: readonly NetworkRequest['config'][] = [
  {
    isGateway: true,
    ipMasq: true,
    ipam: { type: 'host-local', ranges: [[{ subnet: '192.0.2.0/24' }], [{ subnet: '2001:db8::/64' }]], routes: [{ dst: '0.0.0.0/0' }] },
  },
  {},
];

/** A cluster that has nothing. */
const NOTHING: NetworkFacts = { nodeName: 'node', object: () => null, objects: () => [] };

/**
 * Goes through each rule once, as an ADD would, and performs nothing: expressions become code when they are first run, which takes longer than
 * all the rest of an ADD. Others get their turn between rules. Never rejects: whatever a rule has against the sample it says again to who asks.
 */
export async function warmUp({ rules }: NetworkProgram): Promise<void> {
  for (const rule of rules) {
    await setImmediate();
    SAMPLES.some((config) => walkThrough(rule, config));
  }
}

/** Whether the rule had a plan for the sample. */
function walkThrough(rule: NetworkRule, sample: NetworkRequest['config']): boolean {
  const cniVersion = '1.1.0';
  const network = 'sample';
  const request: NetworkRequest = {
    command: 'ADD',
    containerId: 'sample',
    netns: '/run/netns/sample',
    ifName: 'eth0',
    cniVersion,
    network,
    args: {},
    path: [],
    config: { ...sample, cniVersion, name: network, type: rule.name },
  };
  try {
    const answer = rule.attach(request, NOTHING);
    if (answer.kind !== 'plan') return false;
    const { steps, fault } = dryPlan(answer.plan);
    if (fault !== undefined) return false;
    const printed = convertResult(dryEnd(answer.plan, steps).result, cniVersion);
    if (printed.ok) printDocument(printed.document);
    return true;
  } catch {
    return false;
  }
}
