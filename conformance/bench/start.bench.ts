import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SuiteUnavailable } from '../suite.ts';
import type { Bench, BenchRow } from './bench.ts';
import { percentile, relativeSpread } from './measure.ts';

const ROUNDS = 40;
const root = resolve(fileURLToPath(new URL('../..', import.meta.url)));

/** A policy as people check it on every save. */
const POLICY = `apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: { name: replicas }
spec:
  matchConstraints:
    resourceRules:
      - { apiGroups: [apps], apiVersions: [v1], resources: [deployments], operations: [CREATE, UPDATE] }
  validations:
    - { expression: object.spec.replicas <= 5, message: too many replicas }
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: { name: replicas }
spec: { policyName: replicas, validationActions: [Deny] }
`;

export const bench: Bench = {
  name: 'start',
  description: 'a whole run of the command line beside an empty Node program, process start to end',
  async *run({ signal }): AsyncIterable<BenchRow> {
    const program = join(root, 'dist/fairlead.js');
    if (!existsSync(program)) throw new SuiteUnavailable('dist/fairlead.js is not built: npm run build');
    const folder = mkdtempSync(join(tmpdir(), 'fairlead-start-'));
    try {
      const empty = join(folder, 'empty.js');
      const policy = join(folder, 'policy.yaml');
      writeFileSync(empty, '');
      writeFileSync(policy, POLICY);
      const rule = join(root, 'rules/admission/images/no-latest-tag.yaml');
      const commands: readonly (readonly [name: string, args: readonly string[], goal?: string])[] = [
        ['check one policy', [program, 'check', policy], 'at most 2 times an empty program'],
        ['check one rule with pod controllers', [program, 'check', rule], 'at most 2 times an empty program'],
        ['--version', [program, '--version']],
      ];
      for (const [name, args, goal] of commands) {
        const ours: number[] = [];
        const reference: number[] = [];
        for (let round = 0; round < ROUNDS && !signal.aborted; round++) {
          reference.push(time([empty]));
          ours.push(time(args));
        }
        yield {
          name,
          unit: 'ms',
          ours: percentile(ours, 0.5),
          reference: { name: 'empty program', value: percentile(reference, 0.5) },
          spread: relativeSpread(ours.map((value, i) => value / (reference[i] as number))),
          better: 'lower',
          ...(goal === undefined ? {} : { goal }),
        };
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

/** Milliseconds that a Node process takes. Reading an extra CA file costs Node 20 as much as starting, and is no part of the question. */
function time(args: readonly string[]): number {
  const { NODE_EXTRA_CA_CERTS: _, NODE_OPTIONS: __, ...env } = process.env;
  const started = performance.now();
  const { status, error } = spawnSync(process.execPath, args, { env, stdio: 'ignore' });
  const elapsed = performance.now() - started;
  if (error !== undefined || status !== 0) throw new Error(`${args.join(' ')} ended with ${error?.message ?? `exit code ${status}`}`);
  return elapsed;
}
