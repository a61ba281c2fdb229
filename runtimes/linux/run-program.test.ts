import { describe, expect, it } from 'vitest';
import { manualClock, systemClock } from '../host/clock.ts';
import { allowedProgram } from './allowed-programs.ts';
import { findProgram } from './child.ts';
import { ProgramRunner } from './run-program.ts';

const node = process.execPath;
const run = (script: string, more: { stdin?: string; environment?: Record<string, string>; limit?: number } = {}) =>
  new ProgramRunner(systemClock, 20_000).run({ program: node, arguments: ['-e', script], ...more });

describe('a program', () => {
  it('gives its output, its errors and its code', async () => {
    const script = 'process.stdin.pipe(process.stdout); console.error("e"); process.exitCode = 3';
    expect(await run(script, { stdin: 'in' })).toEqual({ exitCode: 3, stdout: 'in', stderr: 'e\n' });
  });

  it('sees no environment but what it is given, the path, and the language', async () => {
    const { stdout } = await run('console.log(JSON.stringify(process.env))', { environment: { A: '1', LC_ALL: 'de_DE', PATH: '/x' } });
    const seen = JSON.parse(stdout) as Record<string, string>;
    expect(seen).toMatchObject({ A: '1', LC_ALL: 'C' });
    expect(seen['PATH']).toContain('/usr/bin');
    expect(Object.keys(seen).sort()).toEqual(['A', 'LC_ALL', 'PATH']);
  });

  it('is killed when it says too much', async () => {
    await expect(run('setInterval(() => console.log("x".repeat(1000)), 1)', { limit: 5000 })).rejects.toMatchObject({
      code: 'program',
      message: 'says more than 5000 bytes and was killed',
    });
  });

  it('is killed at its deadline', async () => {
    const clock = manualClock();
    const running = new ProgramRunner(clock, 1000).run({ program: node, arguments: ['-e', 'setInterval(() => {}, 1000)'] });
    clock.advance(1000);
    await expect(running).rejects.toMatchObject({ code: 'timeout', message: 'did not end within 1000 ms and was killed' });
  });

  it('is killed when it is given up', async () => {
    const abort = new AbortController();
    const running = new ProgramRunner(manualClock(), 1000).run(
      { program: node, arguments: ['-e', 'setInterval(() => {}, 1000)'] },
      abort.signal,
    );
    abort.abort();
    await expect(running).rejects.toMatchObject({ code: 'timeout' });
  });

  it.each<[string, string, readonly string[]]>([
    ['program', '/nowhere/at-all', []],
    ['program', 'no-such-program-here', []],
    ['invalid', node, ['a\0b']],
    ['invalid', node, ['x'.repeat(600_000)]],
  ])('is refused as %s', async (code, program, args) => {
    await expect(new ProgramRunner(manualClock(), 1000).run({ program, arguments: args })).rejects.toMatchObject({ code });
  });

  it('that was ended by a signal has no code', async () => {
    await expect(run('process.kill(process.pid, "SIGTERM")')).rejects.toMatchObject({ code: 'program', message: 'was ended by SIGTERM' });
  });
});

describe('the programs that rules may run', () => {
  const sh = findProgram('sh') ?? '/bin/sh';

  it.each<[string, readonly string[]]>([
    ['sh', ['sh']],
    [sh, ['sh']],
    ['sh', [sh]],
    [sh, [sh]],
    [node, [node]],
  ])('has %s in %j', (program, allowed) => expect(allowedProgram({ program, arguments: [] }, allowed)).toMatch(/^\//));

  it.each<[string, readonly string[]]>([
    ['sh', []],
    ['sh', ['cat']],
    [`${sh}/../sh`, ['sh']],
    ['./sh', ['sh']],
    ['../bin/sh', ['sh']],
    ['/tmp/sh', ['sh']],
    ['no-such-program-here', ['no-such-program-here']],
    ['conntrack', []],
  ])('does not have %s in %j', (program, allowed) => {
    expect(() => allowedProgram({ program, arguments: ['-L'] }, allowed)).toThrow(expect.objectContaining({ code: 'program' }));
  });
});
