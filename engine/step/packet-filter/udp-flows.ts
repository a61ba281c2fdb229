import { EffectError, type Steps } from '../effect.ts';
import { run } from '../effects/outside.ts';
import type { Mapping } from './port-mapping.ts';

/** Ports of which it is not asked first who has flows: each costs the start of a program. */
const FEW = 4;

/** Flows of UDP that the kernel remembers go on to where they went before, past any rule: those to mapped ports are forgotten. */
export function* forgetUdpFlows(mappings: readonly Mapping[]): Steps<void> {
  for (const family of [4, 6] as const) {
    const mapped = mappings.filter(({ protocol, target }) => protocol === 'udp' && target.family === family);
    const ports = new Set(mapped.map(({ hostPort }) => hostPort));
    try {
      const known = ports.size > FEW ? yield* portsWithFlows(family) : undefined;
      for (const port of ports) {
        if (known === undefined || known.has(port)) yield* conntrack('-D', family, '--orig-port-dst', String(port));
      }
    } catch (error) {
      // Without the program they end by themselves, half a minute after their last packet.
      if (!(error instanceof EffectError)) throw error;
    }
  }
}

/** Ports to which flows of UDP lead; undefined where that is not told, as of very many flows. */
function* portsWithFlows(family: 4 | 6): Steps<ReadonlySet<number> | undefined> {
  try {
    const { exitCode, stdout } = yield* conntrack('-L', family);
    // The first port of a line is that of the question, the second that of the answer.
    return exitCode === 0 ? new Set([...stdout.matchAll(/^.*? dport=(\d+)/gm)].map(([, port]) => Number(port))) : undefined;
  } catch (error) {
    if (error instanceof EffectError) return undefined;
    throw error;
  }
}

const conntrack = (action: '-D' | '-L', family: 4 | 6, ...filter: readonly string[]) =>
  run({ program: 'conntrack', arguments: [action, '-f', `ipv${family}`, '-p', 'udp', ...filter] });
