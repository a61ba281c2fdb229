import type { CniFault } from '../../../engine/rules/network/program.ts';
import { FAULT_CODES, fault, faultOf } from '../../../engine/rules/network/protocol/fault.ts';
import { EffectError } from '../../../engine/step/effect.ts';
import { BindError } from '../../../engine/step/plan.ts';
import { errorMessage } from '../../host/error-message.ts';
import { LockError } from '../../linux/key-locks.ts';
import { StepFailure } from '../../linux/performer.ts';

/** What a runtime is told of something that failed. What is left over is told as well: it explains what a later attempt meets. */
export function faultOfError(error: unknown): CniFault {
  const said = faultOf(error);
  if (said !== undefined) return said;
  if (error instanceof StepFailure) return faultOfStep(error);
  if (error instanceof BindError) return fault(FAULT_CODES.expressionFailed, error.message, `step ${error.step}${atLine(error.line)}`);
  if (error instanceof LockError) return fault(FAULT_CODES.tryAgainLater, 'the time was up', error.message);
  if (error instanceof EffectError) return fault(codeOf(error.code), error.message, error.tried);
  return fault(FAULT_CODES.internal, errorMessage(error));
}

/** The details are what the message does not say: runtimes show both, one behind the other. */
function faultOfStep(failure: StepFailure): CniFault {
  const { step, verb, code, left, message } = failure;
  const details = [
    ...(step.key === '' || message.startsWith(`step ${step.key} of `) ? [] : [`step ${step.key}${atLine(step.line)}`]),
    ...(verb === 'ensure' ? [] : [`while it was ${verb === 'undo' ? 'undone' : 'checked'}`]),
    ...triedOf(failure),
    ...left.map((each) => `left: ${each}`),
  ];
  return fault(verb === 'undo' ? FAULT_CODES.notRemoved : codeOf(code), message, details.join('; '));
}

/** The command that failed, as somebody would type it to see for themselves. */
function triedOf({ cause, message }: StepFailure): readonly string[] {
  return cause instanceof EffectError && cause.tried !== '' && !message.includes(`${cause.tried}: `) ? [`tried: ${cause.tried}`] : [];
}

const atLine = (line: number | undefined): string => (line === undefined ? '' : ` (line ${line} of the rule)`);

function codeOf(code: string): number {
  switch (code) {
    case 'timeout':
    case 'busy':
      return FAULT_CODES.tryAgainLater;
    case 'namespace':
      return FAULT_CODES.invalidNetns;
    case 'requirement':
      return FAULT_CODES.requirementMissing;
    case 'expression':
      return FAULT_CODES.expressionFailed;
    default:
      return FAULT_CODES.stepFailed;
  }
}
