import { goJson } from '../../../object/go-json.ts';
import { isJsonObject, type Json, ownValue } from '../../../object/json.ts';
import { EffectError } from '../../../step/effect.ts';
import type { CniFault } from '../program.ts';

/** Codes of the CNI specification, section 5 "Error", and what its skeleton adds: `invalidNetns`, `pluginNotAvailable`, `internal`. */
export const FAULT_CODES = {
  incompatibleVersion: 1,
  unsupportedField: 2,
  unknownContainer: 3,
  invalidEnvironment: 4,
  ioFailure: 5,
  decodingFailure: 6,
  invalidConfig: 7,
  invalidNetns: 8,
  tryAgainLater: 11,
  notAvailable: 50,
  limitedConnectivity: 51,
  /** Ours, as all from 100: a step of the rule failed. */
  stepFailed: 100,
  /** An expression of the rule failed. */
  expressionFailed: 101,
  /** The host lacks something that a step needs. */
  requirementMissing: 102,
  /** The attachment is there already. */
  alreadyAttached: 103,
  /** CHECK found that something is not as ADD left it. */
  checkFailed: 104,
  /** Something was left behind by DEL or GC. */
  notRemoved: 105,
  /** No rule of the daemon's bundle has the name of the plugin. */
  noRule: 106,
  /** Text without a code of its own. */
  internal: 999,
} as const;

export function fault(code: number, msg: string, details = ''): CniFault {
  return details === '' ? { code, msg } : { code, msg, details };
}

/** A fault as a plugin prints it on standard output: with four spaces, without a line's end. CNI: pkg/types/types.go, prettyPrint. */
export function printFault({ code, msg, details }: CniFault): string {
  return indented({ code, msg, ...(details === undefined || details === '' ? {} : { details }) });
}

/** JSON with four spaces, and safe within HTML, as Go prints it. */
export function indented(value: unknown): string {
  return goJson(value, 4);
}

/** What a plugin printed when it failed; undefined for text that is no fault. */
export function readFault(text: string): CniFault | undefined {
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
  if (!isJsonObject(value)) return undefined;
  const code = ownValue(value, 'code');
  const msg = ownValue(value, 'msg');
  const details = ownValue(value, 'details');
  if (typeof code !== 'number' || !Number.isSafeInteger(code) || code < 0 || typeof msg !== 'string') return undefined;
  return fault(code, msg, typeof details === 'string' ? details : '');
}

/** A fault in one line. CNI: pkg/types/types.go, Error. */
export function describeFault({ msg, details }: CniFault): string {
  return details === undefined || details === '' ? msg : `${msg}; ${details}`;
}

/** An effect that failed with a fault of its own, which is to reach the runtime as it is: another plugin said it. */
export class CniError extends EffectError {
  readonly fault: CniFault;
  constructor(fault: CniFault, tried: string) {
    super('other', describeFault(fault), tried);
    this.fault = fault;
  }
}

/** The fault that an error was caused by, through all its causes; undefined where it was none. */
export function faultOf(error: unknown): CniFault | undefined {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 10; cause = cause.cause, depth++)
    if (cause instanceof CniError) return cause.fault;
  return undefined;
}
