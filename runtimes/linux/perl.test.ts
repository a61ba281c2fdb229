import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BY_SHELL, namespaceProgram } from './namespace-program.ts';
import { relayProgram } from './netlink/relay-program.ts';
import { findPerl } from './perl.ts';

describe('a perl that does not run', () => {
  const path = process.env['PATH'];
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'perl-'));
    process.env['PATH'] = `${folder}:${path}`;
  });
  afterEach(() => {
    process.env['PATH'] = path;
    rmSync(folder, { recursive: true });
  });

  it.each([
    ['ends at once', '#!/bin/sh\nexit 1\n'],
    ['is no program', 'nothing\n'],
    ['has an interpreter that is not there', '#!/nowhere/perl\n'],
  ])('as it %s, is none', (_, text) => {
    writeFileSync(join(folder, 'perl'), text);
    chmodSync(join(folder, 'perl'), 0o755);
    expect(findPerl()).toBeUndefined();
    expect(relayProgram()).toBeUndefined();
    expect(namespaceProgram()).toBe(BY_SHELL);
  });
});
