import { describe, expect, it } from 'vitest';
import { type Effect, EffectError, type ProgramResult, runSteps } from '../effect.ts';
import type { Mapping } from './port-mapping.ts';
import { forgetUdpFlows } from './udp-flows.ts';

const mapping = (hostPort: number, family: 4 | 6 = 4): Mapping => ({
  protocol: 'udp',
  hostPort,
  containerPort: 53,
  hostAddress: undefined,
  target: family === 4 ? { family, address: '10.1.0.5', network: '10.1.0.0/16' } : { family, address: 'fd00::5', network: 'fd00::/64' },
});
const many = Array.from({ length: 100 }, (_, index) => mapping(1000 + index));
const LIST = 'conntrack -L -f ipv4 -p udp';
const FLOWS = `udp      17 28 src=192.0.2.9 dst=192.0.2.1 sport=1001 dport=1007 src=10.1.0.5 dst=192.0.2.9 sport=53 dport=1001 mark=0 use=1
udp      17 3 src=192.0.2.9 dst=192.0.2.1 sport=40000 dport=53 [UNREPLIED] src=192.0.2.1 dst=192.0.2.9 sport=53 dport=40000 mark=0 use=1
`;

/** What was run to forget the flows of these, on a host that answers lists so. */
async function forget(mappings: readonly Mapping[], list: () => ProgramResult): Promise<readonly string[]> {
  const runs: string[] = [];
  await runSteps(forgetUdpFlows(mappings), {
    perform: async (effect: Effect) => {
      if (effect.kind !== 'run') throw new Error(effect.kind);
      runs.push([effect.program, ...effect.arguments].join(' '));
      return effect.arguments[0] === '-L' ? list() : { exitCode: 1, stdout: '', stderr: '0 flow entries have been deleted.' };
    },
  });
  return runs;
}

const answer = (exitCode: number, stdout: string) => (): ProgramResult => ({ exitCode, stdout, stderr: '' });
const refuse = (): never => {
  throw new EffectError('program', 'says more than 1048576 bytes and was killed', 'conntrack');
};

describe('flows of UDP to mapped ports', () => {
  it('are forgotten one by one, where there are few ports', async () => {
    expect(await forget([mapping(1), mapping(2, 6), mapping(1)], refuse)).toEqual([
      'conntrack -D -f ipv4 -p udp --orig-port-dst 1',
      'conntrack -D -f ipv6 -p udp --orig-port-dst 2',
    ]);
  });

  it('are looked for first, where there are many', async () => {
    expect(await forget(many, answer(0, FLOWS))).toEqual([LIST, 'conntrack -D -f ipv4 -p udp --orig-port-dst 1007']);
  });

  it.each([
    ['they are too many to list', refuse],
    ['the list fails', answer(1, '')],
  ])('are forgotten one by one, where %s', async (_, list) => {
    expect(await forget(many, list)).toHaveLength(1 + many.length);
  });

  it('are none of TCP', async () => {
    expect(await forget([{ ...mapping(1), protocol: 'tcp' }], refuse)).toEqual([]);
  });
});
