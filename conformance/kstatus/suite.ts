import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '../../engine/object/json.ts';
import { objectStatus } from '../../engine/rules/reconcile/kstatus.ts';
import type { CaseResult, Suite } from '../suite.ts';

/** One element of cases.json, taken from cli-utils' own tests. */
interface StatusCase {
  readonly name: string;
  readonly group: string;
  readonly object: JsonObject;
  readonly expectedStatus: string;
  /** kstatus turns a status into the condition of a controller that reports it. */
  readonly expectedConditions?: readonly { readonly type: string; readonly status: string; readonly reason: string }[];
  readonly absentConditionTypes?: readonly string[];
}

/** The time at which all cases are judged. */
const NOW = Date.UTC(2025, 0, 1);

export const suite: Suite = {
  name: 'kstatus',
  description: 'kstatus: the status of an object by its own fields, by the cases of kubernetes-sigs/cli-utils',
  async *run(context) {
    const text = readFileSync(join(context.corpus('kstatus'), 'cases.json'), 'utf8');
    // A pod is given some seconds from its creation on; the case means one that was made just now.
    const cases = JSON.parse(text.replaceAll('"$NOW"', JSON.stringify(new Date(NOW).toISOString()))) as readonly StatusCase[];
    for (const each of cases) yield judge(each);
  },
};

function judge(each: StatusCase): CaseResult {
  const name = `${each.group}/${each.name}`;
  const { status, reason } = objectStatus(each.object, NOW);
  const found = `${status} ${reason}`.trim();
  const type = status === 'InProgress' || status === 'Terminating' ? 'Reconciling' : status === 'Failed' ? 'Stalled' : undefined;
  const problems: string[] = [];
  if (status !== each.expectedStatus) problems.push(`expected ${each.expectedStatus}, found ${found}`);
  for (const expected of each.expectedConditions ?? []) {
    if (expected.type !== type || expected.reason !== reason) {
      problems.push(`expected the condition ${expected.type}=${expected.status} ${expected.reason}, found ${found}`);
    }
  }
  for (const absent of each.absentConditionTypes ?? [])
    if (absent === type) problems.push(`expected no condition ${absent}, found ${found}`);
  return problems.length === 0 ? { name, outcome: 'passed' } : { name, outcome: 'failed', reason: problems.join('\n') };
}
