import { formatIpPrefix, maskPrefix, parseCidr, parseIp } from '../../object/ip-address.ts';
import { isJsonObject, type Json, type JsonObject, ownValue } from '../../object/json.ts';
import { hasExpression } from '../../object/template-text.ts';
import type { DocumentPath } from '../../text/document.ts';
import { checkShapeValue, diagnosticAt } from '../../text/shape-check.ts';
import type { Reporter } from '../reporter.ts';
import { rangeProblem, readRanges } from './address-ranges.ts';
import { addressRange } from './addresses.ts';
import type { AddressRange } from './program.ts';

/** Reports what is wrong with ranges as they are written out in a rule. What depends on an expression is judged when it has its value. */
export function checkWrittenRanges(report: Reporter, path: DocumentPath, written: Json | undefined): void {
  if (written === undefined || written === null || isExpression(written)) return;
  if (!Array.isArray(written) && !isJsonObject(written)) {
    report.error(path, 'network-ranges', 'expected a list of ranges', 'as ranges: [{ subnet: 10.1.0.0/16 }]');
    return;
  }
  const sets = Array.isArray(written) ? written.map((set: Json, index) => [set, [...path, index]] as const) : [[written, path] as const];
  let whole = true;
  for (const [set, at] of sets) {
    const ranges = Array.isArray(set) ? set.map((range: Json, index) => [range, [...at, index]] as const) : [[set, at] as const];
    for (const [range, place] of ranges) if (!isWholeRange(report, place, range)) whole = false;
  }
  if (!whole) return;
  const read = readRanges(sets.map(([set]) => (Array.isArray(set) ? set : [set])) as unknown as readonly AddressRange[][]);
  if (!read.ok) report.error(path, 'network-ranges', read.message);
}

/** Reports what is wrong with one range; true where all of it is known, and right. */
function isWholeRange(report: Reporter, path: DocumentPath, range: Json): boolean {
  if (isExpression(range)) return false;
  const { problems } = checkShapeValue(addressRange, range, { skip: hasExpression });
  for (const problem of problems) report.add(diagnosticAt(report.document, [...path, ...problem.path], problem));
  if (problems.length > 0 || !isJsonObject(range)) return false;
  const known = Object.entries(range).filter(([, value]) => value !== null && !isExpression(value));
  const whole = known.length === Object.keys(range).length;
  const problem = problemOf(Object.fromEntries(known));
  if (problem === undefined) return whole;
  report.error([...path, problem.field], 'network-ranges', problem.message, problem.hint);
  return false;
}

interface WrittenProblem {
  readonly field: string;
  readonly message: string;
  readonly hint?: string;
}

function problemOf(known: JsonObject): WrittenProblem | undefined {
  const { subnet } = known;
  if (typeof subnet !== 'string') return known['subnet'] === undefined ? wrongAddress(known) : undefined;
  const prefix = parseCidr(subnet);
  if (prefix === undefined) {
    const looksLikeCel = /^(config|variables|params|args|request|node)\b/.test(subnet);
    const hint = looksLikeCel ? `an expression is written \${${subnet}}` : undefined;
    return { field: 'subnet', message: `${JSON.stringify(subnet)} is no network, as 10.1.0.0/16`, ...(hint === undefined ? {} : { hint }) };
  }
  const problem = rangeProblem(known as unknown as AddressRange);
  if (problem === undefined) return undefined;
  const network = formatIpPrefix(maskPrefix(prefix));
  if (problem.field === 'subnet' && network !== subnet && prefix.bits <= prefix.address.bytes.length * 8 - 2)
    return { field: 'subnet', message: `${subnet} is not the network's own address: it has host bits set`, hint: `write ${network}` };
  return problem;
}

/** Where the subnet comes from an expression: addresses must be addresses all the same. */
function wrongAddress(known: JsonObject): WrittenProblem | undefined {
  for (const field of ['rangeStart', 'rangeEnd', 'gateway']) {
    const text = ownValue(known, field);
    if (typeof text === 'string' && text !== '' && parseIp(text) === undefined)
      return { field, message: `${JSON.stringify(text)} is no IP address` };
  }
  return undefined;
}

const isExpression = (value: Json | undefined): boolean => typeof value === 'string' && hasExpression(value);
