import { describe, expect, it } from 'vitest';
import { ruleOf } from '../../../engine/rules/network/network.fixture.ts';
import type { NetworkRule } from '../../../engine/rules/network/program.ts';
import { warmUp } from './warm-up.ts';

/** A rule, and which of its expressions' texts were asked for plans. */
function watched(spec: string): { readonly rule: NetworkRule; readonly walked: readonly string[] } {
  const rule = ruleOf(spec);
  const walked: string[] = [];
  return {
    walked,
    rule: {
      ...rule,
      attach(request, facts) {
        const answer = rule.attach(request, facts);
        if (answer.kind !== 'plan') {
          walked.push(answer.kind);
          return answer;
        }
        const { plan } = answer;
        return {
          kind: 'plan',
          plan: {
            ...plan,
            walk() {
              const walk = plan.walk();
              return {
                next() {
                  const step = walk.next();
                  walked.push(step?.operation ?? 'end');
                  return step;
                },
                done: (outputs) => walk.done(outputs),
              };
            },
            result(performed) {
              walked.push('result');
              return plan.result(performed);
            },
          },
        };
      },
    },
  };
}

describe('going through rules ahead', () => {
  it('binds every step of a rule and makes its result', async () => {
    const { rule, walked } = watched(`
config: { bridge: string | default=cni0, ipam: { ranges: [[{ subnet: string }]] } }
ipam: { ranges: "\${config.ipam.ranges}" }
steps:
- bridge: { name: "\${config.bridge}" }
- veth:
    host: { master: "\${config.bridge}" }
    container: { name: "\${request.ifName}", addresses: "\${ipam.addresses}" }
`);
    await warmUp({ rules: [rule] });
    expect(walked).toEqual(['addresses', 'bridge', 'veth', 'end', 'result']);
  });

  it('tries another sample where a rule refuses one, and goes on where it refuses all', async () => {
    const picky = watched(
      'config: { ipMasq: boolean | default=false }\nvalidations: [{ expression: "!config.ipMasq", message: refused }]\nsteps: [{ bridge: { name: b } }]',
    );
    const never = watched('validations: [{ expression: "1 == 2", message: never }]\nsteps: [{ bridge: { name: b } }]');
    const last = watched('steps: [{ bridge: { name: b } }]');
    await warmUp({ rules: [picky.rule, never.rule, last.rule] });
    expect(picky.walked).toEqual(['fault', 'bridge', 'end', 'result']);
    expect(never.walked).toEqual(['fault', 'fault']);
    expect(last.walked).toEqual(['bridge', 'end', 'result']);
  });

  it('is not stopped by a rule that can tell nothing without a cluster, or throws', async () => {
    const { rule } = watched('steps: [{ bridge: { name: b } }]');
    const throwing: NetworkRule = {
      ...rule,
      attach() {
        throw new Error('a bug');
      },
    };
    await expect(warmUp({ rules: [throwing] })).resolves.toBeUndefined();
  });
});
