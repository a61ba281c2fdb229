import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { messageOf } from './client.ts';
import { removeAbandoned } from './cluster.ts';
import { freePorts } from './ports.ts';
import { startProcess, waitUntilReady } from './process.ts';

test('the message of a Status, or the body', () => {
  expect(messageOf({ kind: 'Status', message: 'no' })).toBe('no');
  expect(messageOf('404 page not found\n')).toBe('404 page not found\n');
  expect(messageOf({ code: 1 })).toBe('{"code":1}');
});

test('free ports are different and can be listened on', async () => {
  const ports = await freePorts(3);
  expect(new Set(ports).size).toBe(3);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(ports[0], '127.0.0.1', resolve));
  await new Promise((resolve) => server.close(resolve));
});

describe('a process', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'process-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const start = (script: string) => startProcess('script', process.execPath, ['-e', script], join(folder, 'log'), folder);

  test('that ends before it is ready is an error with its output', async () => {
    const script = start('console.error("no such flag"); process.exit(3)');
    await expect(waitUntilReady(script, async () => false, { deadlineMs: 10_000 })).rejects.toThrow(/"code":3[\s\S]*no such flag/);
  });
  test('that is not ready in time is an error', async () => {
    const script = start('setInterval(() => {}, 1000)');
    await expect(waitUntilReady(script, async () => false, { deadlineMs: 0 })).rejects.toThrow('was not ready after 0 s');
    await script.stop();
    expect(script.exit?.signal).toBe('SIGTERM');
  });
  test('that ignores SIGTERM is killed', async () => {
    const script = start('process.on("SIGTERM", () => {}); setInterval(() => {}, 1000); console.log("up")');
    await waitUntilReady(script, async () => script.tail().includes('up'), { deadlineMs: 10_000 });
    await script.stop(1);
    expect(script.exit?.signal).toBe('SIGKILL');
  });
  test('that does not exist is an error', async () => {
    const script = startProcess('nothing', join(folder, 'nothing'), [], join(folder, 'log'), folder);
    await expect(waitUntilReady(script, async () => false, { deadlineMs: 10_000 })).rejects.toThrow('nothing ended');
  });
});

test('folders of runs that were killed are removed, those of runs that live are not', () => {
  const parent = mkdtempSync(join(tmpdir(), 'abandoned-'));
  try {
    const names = [`fairlead-cluster-${process.pid}-a`, 'fairlead-cluster-4194305-b', 'other-4194305-c'];
    for (const name of names) mkdirSync(join(parent, name));
    removeAbandoned(parent);
    expect(readdirSync(parent).sort()).toEqual([names[0], names[2]]);
  } finally {
    rmSync(parent, { recursive: true });
  }
});
