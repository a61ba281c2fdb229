import { spawnSync } from 'node:child_process';
import { getPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

/** Priorities of a process of this test's own, and of its child, after `code`. */
function prioritiesOf(code: string, nice?: number): { readonly own: number; readonly child: number } {
  const module = fileURLToPath(new URL('./priority.ts', import.meta.url));
  const script = `
    import { spawn } from 'node:child_process';
    import { getPriority } from 'node:os';
    import { lowerPriority, raisePriority } from ${JSON.stringify(module)};
    const start = () => spawn('sleep', ['5']);
    let child;
    ${code}
    console.log(JSON.stringify({ own: getPriority(), child: getPriority(child.pid) }));
    child.kill();`;
  const node = [process.execPath, '--import', 'tsx', '--input-type=module', '-e', script];
  const [file, ...args] = nice === undefined ? node : ['nice', '-n', String(nice), ...node];
  const { stdout, stderr } = spawnSync(file!, args, { encoding: 'utf8', cwd: fileURLToPath(new URL('../..', import.meta.url)) });
  return JSON.parse(stdout || JSON.stringify({ stderr }));
}

const mayRaise = process.platform === 'linux' && process.getuid?.() === 0 && getPriority() === 0;

describe.skipIf(!mayRaise)(`priority${mayRaise ? '' : ' (skipped: needs root on Linux, and a priority that nobody has chosen)'}`, () => {
  it('is raised with that of children, except of those that work for others', () => {
    expect(prioritiesOf('raisePriority(); child = start();')).toEqual({ own: -10, child: -10 });
    expect(prioritiesOf('raisePriority(); child = start(); lowerPriority(child.pid);')).toEqual({ own: -10, child: 0 });
  });

  it('stays what somebody has chosen', () => {
    expect(prioritiesOf('raisePriority(); child = start(); lowerPriority(child.pid);', 5)).toEqual({ own: 5, child: 5 });
  });
});
