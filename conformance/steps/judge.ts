import type { CaseResult } from '../suite.ts';
import type { Report } from './task.ts';

/** What stands against a report and the state that it left, in words; undefined where all is well. */
export function objection(report: Report, different: string | undefined): string | undefined {
  const lines = [
    ...report.failures.map((each) => `failed: ${each}`),
    ...report.problems.map((each) => `not as it was left: ${each}`),
    ...report.left.map((each) => `could not be undone: ${each}`),
    ...(report.records === 0 ? [] : [`${report.records} records are left`]),
    ...(different === undefined ? [] : [different]),
  ];
  return lines.length === 0 ? undefined : lines.join('\n');
}

export function result(name: string, reason: string | undefined): CaseResult {
  return { name, outcome: reason === undefined ? 'passed' : 'failed', ...(reason === undefined ? {} : { reason }) };
}
