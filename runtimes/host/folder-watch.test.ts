import { mkdir, mkdtemp, realpath, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { manualClock, systemClock } from './clock.ts';
import { type FolderEvents, watchFolder } from './folder-watch.ts';

let root: string;
beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'fairlead-watch-')));
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** Events that a test sends itself. */
function testEvents(): { readonly events: FolderEvents; readonly watched: ReadonlyMap<string, () => void> } {
  const watched = new Map<string, () => void>();
  return {
    watched,
    events(folder, changed) {
      watched.set(folder, changed);
      return { close: () => void watched.delete(folder) };
    },
  };
}

describe('watching files', () => {
  it('waits until changes have settled, then tells once', async () => {
    const clock = manualClock();
    const { events, watched } = testEvents();
    await writeFile(join(root, 'a.yaml'), '1');
    let changes = 0;
    let told = (): void => {};
    const onChange = (): void => {
      changes++;
      told();
    };
    const watch = await watchFolder({ paths: [root], clock, events, settle: 100, onChange });
    const changed = new Promise<void>((resolve) => {
      told = resolve;
    });
    await writeFile(join(root, 'a.yaml'), '22');
    for (let i = 0; i < 5; i++) {
      watched.get(root)!();
      clock.advance(99);
    }
    expect(changes).toBe(0);
    clock.advance(1);
    await changed;
    expect(changes).toBe(1);
    watched.get(root)!();
    clock.advance(100);
    await watch.check();
    expect(changes).toBe(1);
    watch.close();
    expect(watched.size).toBe(0);
    expect(clock.pending()).toBe(0);
  });

  it('does not wait for ever where something beside is written without end', async () => {
    const clock = manualClock();
    const { events, watched } = testEvents();
    await writeFile(join(root, 'a.yaml'), '1');
    let told = (): void => {};
    const changed = new Promise<void>((resolve) => {
      told = resolve;
    });
    const watch = await watchFolder({ paths: [join(root, 'a.yaml')], clock, events, settle: 100, onChange: told });
    await writeFile(join(root, 'a.yaml'), '22');
    for (let i = 0; i < 25; i++) {
      watched.get(root)!();
      clock.advance(50);
    }
    await changed;
    watch.close();
  });

  it.each([
    ['a new file', () => writeFile(join(root, 'sub/b.yaml'), 'x')],
    ['a removed file', () => rm(join(root, 'sub/a.yaml'))],
    ['a renamed file', () => rename(join(root, 'sub/a.yaml'), join(root, 'sub/c.yaml'))],
    [
      'a new folder with a file',
      async () => {
        await mkdir(join(root, 'new'));
        await writeFile(join(root, 'new/x.yaml'), '');
      },
    ],
    ['the whole folder removed', () => rm(root, { recursive: true })],
  ])('sees %s', async (_, change) => {
    await mkdir(join(root, 'sub'));
    await writeFile(join(root, 'sub/a.yaml'), '1');
    let changes = 0;
    const { events } = testEvents();
    const watch = await watchFolder({ paths: [root], clock: manualClock(), events, onChange: () => void changes++ });
    await watch.check();
    expect(changes).toBe(0);
    await change();
    await watch.check();
    expect(changes).toBe(1);
    watch.close();
  });

  it('sees a mounted Secret or ConfigMap being swapped', async () => {
    const put = async (version: string, content: string): Promise<void> => {
      await mkdir(join(root, version));
      await writeFile(join(root, version, 'tls.crt'), content);
      await symlink(version, join(root, '..data_tmp'));
      await rename(join(root, '..data_tmp'), join(root, '..data'));
    };
    await put('..2030_01', 'same size');
    await symlink('..data/tls.crt', join(root, 'tls.crt'));
    let changes = 0;
    const { events, watched } = testEvents();
    const watch = await watchFolder({ paths: [join(root, 'tls.crt')], clock: manualClock(), events, onChange: () => void changes++ });
    expect([...watched.keys()]).toEqual([root, join(root, '..2030_01')]);
    await put('..2030_02', 'same-size');
    await rm(join(root, '..2030_01'), { recursive: true });
    await watch.check();
    expect(changes).toBe(1);
    expect([...watched.keys()]).toEqual([root, join(root, '..2030_02')]);
    watch.close();
  });

  it('does not tell of a change while it is still telling of the one before, nor forget it', async () => {
    await writeFile(join(root, 'a'), '1');
    const { events } = testEvents();
    let running = 0;
    let most = 0;
    let changes = 0;
    const watch = await watchFolder({
      paths: [root],
      clock: manualClock(),
      events,
      async onChange() {
        most = Math.max(most, ++running);
        if (changes++ === 0) {
          await writeFile(join(root, 'a'), '333');
          void watch.check();
        }
        await new Promise((resolve) => setImmediate(resolve));
        running--;
      },
    });
    await writeFile(join(root, 'a'), '22');
    await watch.check();
    expect({ changes, most }).toEqual({ changes: 2, most: 1 });
    watch.close();
  });

  it('hears of changes from the operating system', async () => {
    await writeFile(join(root, 'a'), '1');
    let tell = (): void => {};
    const told = new Promise<void>((resolve) => {
      tell = resolve;
    });
    const watch = await watchFolder({ paths: [root], clock: systemClock, settle: 1, onChange: tell });
    await writeFile(join(root, 'a'), '22');
    await told;
    watch.close();
  });

  it('looks from time to time where no events come', async () => {
    const clock = manualClock();
    let tell = (): void => {};
    const told = new Promise<void>((resolve) => {
      tell = resolve;
    });
    const watch = await watchFolder({ paths: [join(root, 'later')], clock, events: () => ({ close() {} }), poll: 1000, onChange: tell });
    await writeFile(join(root, 'later'), '1');
    clock.advance(1000);
    await told;
    watch.close();
    expect(clock.pending()).toBe(0);
  });
});
