import type { NetworkRequest } from '../../../engine/rules/network/program.ts';
import { FAULT_CODES, fault } from '../../../engine/rules/network/protocol/fault.ts';
import { differencesFromResult } from './result-check.ts';
import { attachmentId, DONE, gateOf, refused, type VerbAnswer, type VerbContext } from './verb-context.ts';

/** Whether an attachment is as ADD left it: what its steps check, and what the result of ADD says is there. */
export async function check(context: VerbContext, type: string, request: NetworkRequest, signal: AbortSignal): Promise<VerbAnswer> {
  const { performer, gate, host } = context;
  const { prevResult, ifName, containerId, network } = request;
  const id = attachmentId(type, request);
  const leave = await gate.enter(gateOf(type, request), id, 'a CHECK', signal);
  try {
    const record = performer.record(id);
    if (record === undefined)
      return refused(
        fault(FAULT_CODES.checkFailed, `there is no record of interface ${ifName} of container ${containerId} in network ${network}`),
      );
    if (prevResult === undefined) return refused(fault(FAULT_CODES.invalidConfig, 'Required prevResult missing'));
    // Both only ask, and enter the namespace for it: at the same time.
    const differences = differencesFromResult(host, record, prevResult, request, signal);
    differences.catch(() => {});
    const problems = (await performer.check(id, signal)).map(({ step, message }) => `step ${step.key}: ${message}`);
    if (problems.length === 0) problems.push(...(await differences));
    const [first, ...rest] = problems;
    return first === undefined ? DONE : refused(fault(FAULT_CODES.checkFailed, first, rest.join('; ')));
  } finally {
    leave();
  }
}
