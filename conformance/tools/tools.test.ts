import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { SuiteUnavailable } from '../suite.ts';
import { withFileLock } from './file-lock.ts';
import { contentVersion, ensureGoTool, type GoTool, isBuilt, toolCache, toolFolder } from './go-tool.ts';
import { kro } from './kro.ts';
import { etcd, kubernetes, requiredVersion } from './kubernetes.ts';
import { kubernetesE2e } from './kubernetes-e2e.ts';

let folder: string;
const log = (): void => {};
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tools-'));
  vi.stubEnv('XDG_CACHE_HOME', folder);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const tool: GoTool = { name: 'echo', version: 'v1', module: '/nowhere', packages: { echo: '.' } };

describe('a Go tool', () => {
  test('lives in a folder keyed by name and version', () => {
    expect(toolFolder(tool)).toBe(join(folder, 'fairlead-conformance', 'echo-v1'));
    expect(toolCache({ XDG_CACHE_HOME: '/cache' })).toBe('/cache/fairlead-conformance');
  });
  test('is not built again', async () => {
    mkdirSync(toolFolder(tool), { recursive: true });
    writeFileSync(join(toolFolder(tool), 'echo'), '');
    expect(isBuilt(tool)).toBe(true);
    vi.stubEnv('PATH', '');
    await expect(ensureGoTool(tool, ['echo'], { log })).resolves.toBe(toolFolder(tool));
  });
  test('is unavailable without Go', async () => {
    vi.stubEnv('PATH', '');
    await expect(ensureGoTool(tool, ['echo'], { log })).rejects.toThrow(SuiteUnavailable);
  });
  test('is unavailable where builds are forbidden', async () => {
    vi.stubEnv('FAIRLEAD_BUILD_TOOLS', 'no');
    await expect(ensureGoTool(tool, ['echo'], { log })).rejects.toThrow('FAIRLEAD_BUILD_TOOLS=no');
  });
  test('has a version that follows its source', () => {
    const source = join(folder, 'source');
    mkdirSync(source);
    writeFileSync(join(source, 'main.go'), 'package main');
    const before = contentVersion(source);
    expect(before).toMatch(/^[0-9a-f]{12}$/);
    writeFileSync(join(source, 'main.go'), 'package other');
    expect(contentVersion(source)).not.toBe(before);
  });
});

describe('a file lock', () => {
  test('is held during the work and gone after it, even when the work fails', async () => {
    const file = join(folder, 'lock');
    await withFileLock(file, { deadlineMs: 0, log }, async () => expect(readFileSync(file, 'utf8')).toBe(String(process.pid)));
    await expect(withFileLock(file, { deadlineMs: 0, log }, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(existsSync(file)).toBe(false);
  });
  test('is taken over from a process that died', async () => {
    const file = join(folder, 'lock');
    writeFileSync(file, '4194305'); // above the kernel's largest process id
    await expect(withFileLock(file, { deadlineMs: 0, log }, async () => 'done')).resolves.toBe('done');
  });
  test('is waited for no longer than the deadline', async () => {
    const file = join(folder, 'lock');
    writeFileSync(file, String(process.pid));
    await expect(withFileLock(file, { deadlineMs: -1, log }, async () => 'done')).rejects.toThrow('for longer than');
  });
});

describe('the Kubernetes tools', () => {
  test('are pinned by go.mod', () => {
    expect(kubernetes.version).toMatch(/^v1\.\d+\.\d+$/);
    expect(etcd.version).toMatch(/^v3\.\d+\.\d+$/);
    expect(kubernetes.ldflags).toContain(`gitVersion=${kubernetes.version}`);
  });
  test('include specs of the same version, and kro', () => {
    const required = (tool: GoTool, module: string): string => requiredVersion(readFileSync(join(tool.module, 'go.mod'), 'utf8'), module);
    expect(required(kubernetesE2e, 'k8s.io/kubernetes')).toBe(kubernetes.version);
    expect(kro.version).toBe(required(kro, 'github.com/kubernetes-sigs/kro'));
  });
  test('a module that go.mod does not require is an error', () => {
    expect(() => requiredVersion('require a.example/b v1.0.0\n', 'c.example/d')).toThrow('does not require');
    expect(requiredVersion('require (\n\ta.example/b v1.0.0 // indirect\n)', 'a.example/b')).toBe('v1.0.0');
  });
});
