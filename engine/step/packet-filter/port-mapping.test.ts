import { describe, expect, it } from 'vitest';
import { argumentsOf } from '../network/play.fixture.ts';
import type { Operation } from '../operation.ts';
import { PORT_MAP } from '../operations/port-map.ts';
import { FilterHost } from './filter-host.fixture.ts';
import { type PortMapArguments, portProblems } from './port-mapping.ts';

describe('conditions of iptables', () => {
  const problems = (condition: string): readonly string[] => {
    const raw = { ports: [], to: [], backend: 'iptables', conditionsV4: condition.split(' ') };
    return portProblems(argumentsOf(PORT_MAP as unknown as Operation, raw) as unknown as PortMapArguments).map(({ message }) => message);
  };

  it.each([
    '-s 192.0.2.0/24',
    '! -d 192.0.2.1',
    '-m addrtype --dst-type LOCAL',
    '-p tcp --tcp-flags SYN',
    '-i eth0',
    '-f',
    '--source 192.0.2.1',
  ])('may be %s', (condition) => {
    expect(problems(condition)).toEqual([]);
  });

  // iptables runs what is named by --modprobe, and a letter without an argument may be followed by another in the same word.
  it.each([
    '--modprobe=/tmp/x',
    '--modp=/tmp/x',
    '-M/tmp/x',
    '-fM/tmp/x',
    '-nM',
    '-j ACCEPT',
    '--jump ACCEPT',
    '-g x',
    '-t filter',
    '-F',
    '--table=raw',
  ])('may not be %s', (condition) => {
    expect(problems(condition)).toEqual([`${JSON.stringify(condition.split(' ')[0])} is no condition of a packet`]);
  });
});

describe('very many ports', () => {
  const args = {
    ports: Array.from({ length: 500 }, (_, index) => ({ hostPort: index + 1, containerPort: 80 })),
    to: ['10.1.0.5'],
    backend: 'nftables',
  };
  const operation = PORT_MAP as unknown as Operation;

  it('are removed at once, and where there are none nothing is tried', async () => {
    const host = new FilterHost();
    await host.ensure(operation, args);
    await host.undo(operation, args);
    expect(host.nftables.rules('inet fairlead', 'port-map-')).toEqual({});
    const changes: string[] = [];
    host.before = (effect) => void (effect.kind === 'nft' && changes.push(effect.script));
    await host.undo(operation, args);
    expect(changes).toEqual([]);
  });
});
