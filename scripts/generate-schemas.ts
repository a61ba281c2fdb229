/**
 * Writes what editors and CUE need to know of our documents, from the shapes that the engine checks them with:
 *
 *     node --import tsx scripts/generate-schemas.ts
 *
 * schemas/json/<kind>.schema.json   JSON Schema, draft-07; fairlead.schema.json is any of them
 * schemas/cue/fairlead.cue          #AdmissionRule and the rest
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { toCue } from '../engine/text/shape-cue.ts';
import { toJsonSchema } from '../engine/text/shape-json-schema.ts';
import { documentShapes } from '../runtimes/cli/document-shapes.ts';

const BASE = 'https://fairlead.dev/schemas';

/** Every generated file by its path below the project's root. */
export function generatedSchemas(): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  const kinds = Object.keys(documentShapes);
  for (const kind of kinds) {
    const file = `${kind.toLowerCase()}.schema.json`;
    const schema = toJsonSchema(documentShapes[kind]!, { id: `${BASE}/${file}`, title: kind });
    files.set(`schemas/json/${file}`, `${JSON.stringify(schema, null, 2)}\n`);
  }
  const any = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    $id: `${BASE}/fairlead.schema.json`,
    title: 'Documents of a Fairlead bundle',
    type: 'object',
    required: ['apiVersion', 'kind'],
    properties: { kind: { enum: kinds } },
    allOf: kinds.map((kind) => ({
      if: { properties: { kind: { const: kind } }, required: ['kind'] },
      // biome-ignore lint/suspicious/noThenProperty: `then` is a keyword of JSON Schema.
      then: { $ref: `${kind.toLowerCase()}.schema.json` },
    })),
  };
  files.set('schemas/json/fairlead.schema.json', `${JSON.stringify(any, null, 2)}\n`);
  const head =
    '// Definitions of the documents of a Fairlead bundle. Made from the shapes that the engine checks documents with; see scripts/generate-schemas.ts.\n\n';
  files.set('schemas/cue/fairlead.cue', `${head}${toCue(documentShapes)}`);
  return files;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
  for (const [path, text] of generatedSchemas()) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}
