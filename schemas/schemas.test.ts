import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import type { CueBackend } from '../engine/text/cue.ts';
import { readCue } from '../engine/text/cue.ts';
import type { Document } from '../engine/text/document.ts';
import { checkShape } from '../engine/text/shape-check.ts';
import { parseYaml } from '../engine/text/yaml.ts';
import { documentShapes } from '../runtimes/cli/document-shapes.ts';
import { findCueWasm } from '../runtimes/host/cue/wasm.ts';
import { generatedSchemas } from '../scripts/generate-schemas.ts';

const root = resolve(import.meta.dirname, '..');

test.each([...generatedSchemas()])('%s is current', (path, text) => {
  expect(readFileSync(join(root, path), 'utf8'), 'run: node --import tsx scripts/generate-schemas.ts').toBe(text);
});

const ajv = new Ajv({ strict: true, strictTypes: false, allowUnionTypes: true, allErrors: true });
for (const [path, text] of generatedSchemas()) {
  if (path.endsWith('.json') && !path.endsWith('fairlead.schema.json')) ajv.addSchema(JSON.parse(text) as object, path);
}
const validateJson = (document: Document) => {
  const { kind } = document.value as { kind: string };
  return ajv.getSchema(`schemas/json/${kind.toLowerCase()}.schema.json`)!(document.value) as boolean;
};
const validateShape = (document: Document) =>
  checkShape(documentShapes[(document.value as { kind: string }).kind]!, document).diagnostics.length === 0;

const library = readdirSync(join(root, 'rules'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.yaml') && !file.includes('tests'))
  .flatMap((file) => parseYaml({ name: file, text: readFileSync(join(root, 'rules', file), 'utf8') }).documents)
  .filter((document) => Object.hasOwn(documentShapes, (document.value as { kind: string }).kind));

describe('JSON Schema and shape say the same', () => {
  test('of every document of the library', () => {
    expect(library.length).toBeGreaterThan(10);
    for (const document of library) {
      expect(validateJson(document), `${document.source.name}: ${ajv.errorsText()}`).toBe(true);
      expect(validateShape(document)).toBe(true);
    }
  });

  test('of every document of the library with one field changed', () => {
    const changes: readonly ((field: object, key: string) => void)[] = [
      (field, key) => Reflect.set(field, `${key}x`, 1),
      (field, key) => Reflect.set(field, key, [[7]]),
      (field, key) => Reflect.set(field, key, 'text'),
      (field, key) => Reflect.set(field, key, null),
      (field, key) => void Reflect.deleteProperty(field, key),
    ];
    let refused = 0;
    let turn = 0;
    for (const document of library) {
      for (const path of fieldPaths(document.value)) {
        // Each field gets two of the changes; over all fields, every change meets every kind of field.
        for (const change of [changes[turn % changes.length]!, changes[(turn++ + 2) % changes.length]!]) {
          const value = structuredClone(document.value);
          const parent = path.slice(0, -1).reduce<unknown>((part, key) => (part as Record<string, unknown>)[key], value) as object;
          change(parent, path.at(-1)!);
          const changed: Document = { ...document, value, locate: () => undefined };
          if ((changed.value as { kind?: unknown }).kind !== (document.value as { kind: unknown }).kind) continue;
          const expected = validateShape(changed);
          if (!expected) refused++;
          expect(validateJson(changed), `${document.source.name} ${path.join('.')} ${change}`).toBe(expected);
        }
      }
    }
    expect(refused).toBeGreaterThan(100);
  });
});

function fieldPaths(value: unknown, path: readonly string[] = []): string[][] {
  if (typeof value !== 'object' || value === null || path.length > 6) return [];
  return Object.entries(value).flatMap(([key, part]) => [
    ...(Array.isArray(value) ? [] : [[...path, key]]),
    ...fieldPaths(part, [...path, key]),
  ]);
}

/** Milliseconds: CUE reads the definitions once or twice, in a process that compiles it before. */
const SLOWLY = 120_000;

describe('CUE definitions, in the oldest CUE we run', () => {
  const backend = findCueWasm() as CueBackend;
  const definitions = generatedSchemas().get('schemas/cue/fairlead.cue')!;
  const read = (text: string) => readCue({ name: 'x.cue', text }, backend, { definitions });
  const rule = (spec: string) =>
    `#AdmissionRule & {\n  metadata: name: "x"\n  spec: {\n    matchConstraints: resourceRules: [{apiGroups: [""], resources: ["pods"]}]\n    ${spec}\n  }\n}\n`;

  test('complete a rule, which then fits its shape', async () => {
    const { documents, diagnostics } = await read(rule('validations: [{expression: "true", reason: "Invalid"}]'));
    expect(diagnostics).toEqual([]);
    expect((documents[0]!.value as { kind: string }).kind).toBe('AdmissionRule');
    expect(checkShape(documentShapes['AdmissionRule']!, documents[0]!).diagnostics).toEqual([]);
  });

  test(
    'refuse what does not fit, of which the shape says more',
    async () => {
      const text = rule('validatons: []\n    podControllers: "yes"\n    validations: [{expression: "true", reason: "Sometimes"}]');
      const { documents, diagnostics } = await read(text);
      expect(diagnostics).toEqual([]);
      const found = checkShape(documentShapes['AdmissionRule']!, documents[0]!).diagnostics;
      expect(found.map(({ message, span }) => [message.slice(0, 30), span && text.slice(span.start, span.end)])).toEqual([
        ['unknown field "validatons"', 'validatons'],
        ['expected a boolean, found a st', '"yes"'],
        ['expected one of Invalid, Forbi', '"Sometimes"'],
      ]);
    },
    SLOWLY,
  );

  test(
    'what contradicts itself is told in the words of CUE',
    async () => {
      const { documents, diagnostics } = await read(rule('podControllers: true & false'));
      expect([documents, diagnostics.map(({ message }) => message)]).toEqual([[], [expect.stringMatching(/conflicting values/)]]);
    },
    SLOWLY,
  );
});
