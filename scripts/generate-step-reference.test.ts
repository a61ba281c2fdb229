import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { OPERATIONS } from '../engine/step/operations/index.ts';
import { stepReference } from './generate-step-reference.ts';

const page = stepReference();

test('the reference of steps is current', () => {
  expect(readFileSync(join(import.meta.dirname, '../docs/steps.md'), 'utf8'), 'run: npm run generate').toBe(page);
});

test.each([...OPERATIONS.keys()])('%s has a place in it', (name) => {
  expect(page).toContain(`\n## ${name}\n`);
});

test('every link leads to a place', () => {
  const places = new Set([...page.matchAll(/^## (.+)$/gm)].map(([, title]) => title!.toLowerCase()));
  for (const [, anchor] of page.matchAll(/\]\(#([^)]+)\)/g)) expect(places).toContain(anchor);
});
