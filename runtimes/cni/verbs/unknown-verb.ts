import { FAULT_CODES, faultOf } from '../../../engine/rules/network/protocol/fault.ts';

/** Whether a plugin that was delegated to says that it is older than the verb, which then is none of its business. */
export function isVerbUnknown(error: unknown): boolean {
  const said = faultOf(error);
  if (said === undefined) return false;
  if (said.code === FAULT_CODES.invalidEnvironment) return said.msg.startsWith('unknown CNI_COMMAND');
  return said.code === FAULT_CODES.incompatibleVersion && said.msg.includes('does not allow');
}
