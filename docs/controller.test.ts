import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compileBundle, typesWith } from '../engine/bundle/compile.ts';
import type { JsonObject } from '../engine/object/json.ts';
import { objectRequest } from '../engine/rules/admission/object-request.ts';
import { recordedFacts } from '../engine/rules/admission/recorded-facts.ts';
import { parseYaml } from '../engine/text/yaml.ts';
import { COMMANDS } from '../runtimes/cli/commands.ts';
import { decideRecorded } from '../runtimes/cli/decide-recorded.ts';
import * as ownership from '../runtimes/controller/ownership.ts';
import { readBundle } from '../runtimes/host/bundle-files.ts';

const root = join(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const page = read('docs/controller.md');

describe('docs/controller.md', () => {
  it('names every reason of a problem', () => {
    const folder = 'runtimes/controller';
    const files = readdirSync(join(root, folder)).filter((file) => /(?<!test|fixture)\.ts$/.test(file));
    const sources = [...files.map((file) => `${folder}/${file}`), 'engine/rules/reconcile/conditions.ts'].map(read);
    const reasons = sources.flatMap((source) =>
      [...source.matchAll(/\b(?:problem|stalled|reconciling)\((?:[^'()]|\(\w*\))*'([A-Za-z]+)'(?: : '([A-Za-z]+)')?/g)].flatMap(
        ([, first, second]) => [first!, ...(second === undefined ? [] : [second])],
      ),
    );
    expect(reasons.length).toBeGreaterThan(30);
    const untold = new Set(reasons.filter((reason) => !page.includes(`\`${reason}\``)));
    expect([...untold]).toEqual([]);
  });

  it('names every label and annotation', () => {
    for (const [name, value] of Object.entries(ownership)) {
      if (/_(LABEL|ANNOTATION)$/.test(name)) expect(page).toContain(value);
    }
  });

  it('shows options that the commands have', () => {
    const known = new Set(COMMANDS.flatMap(({ options }) => options.map(({ name }) => `--${name}`)));
    for (const line of page.split('\n').filter((each) => each.includes('fairlead ')))
      for (const [option] of line.matchAll(/--[a-z][a-z-]+/g)) expect([...known, '--for']).toContain(option);
  });
});

describe('docs/controller.yaml', () => {
  const manifests = parseYaml({ name: 'controller.yaml', text: read('docs/controller.yaml') }).documents.map(
    ({ value }) => value as JsonObject,
  );

  it('starts the command with options that it has', () => {
    const options = COMMANDS.find(({ name }) => name === 'serve')!.options.map(({ name }) => name);
    const used = [...JSON.stringify(manifests).matchAll(/"--([a-z-]+)"/g)].map(([, name]) => name);
    expect(used).toEqual(['cluster', 'namespace', 'health-port']);
    expect(options).toEqual(expect.arrayContaining(used));
  });

  it('is let in by the restricted standard', async () => {
    const { documents } = await readBundle(join(root, 'rules/admission/pod-security'));
    const { program } = compileBundle(documents, { params: { level: 'restricted' } });
    const user = { username: 'admin', groups: [] };
    for (const object of manifests) {
      const request = objectRequest(object, { operation: 'CREATE', user, namespace: 'default', types: typesWith([]) });
      expect(decideRecorded(program!.admission, request, recordedFacts([])).status).toBeUndefined();
    }
  });
});
