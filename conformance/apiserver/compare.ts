import { isJsonObject, type Json, jsonEqual } from '../../engine/object/json.ts';
import type { Answer } from './script.ts';

const SHOWN = 12;
const VALUE_LENGTH = 600;

/** Differences of two servers' answers to one case, in words; none when they agree. `expected` is the real API server's. */
export function compareAnswers(expected: readonly Answer[], found: readonly Answer[]): string[] {
  const differences: string[] = [];
  for (const [index, right] of expected.entries()) {
    if (right.failure !== undefined) {
      // Nothing can be said against another server when the real one does not do what the case expects of it.
      return [`the case is wrong: ${right.call}: the real API server ${right.failure}`, JSON.stringify(right.body).slice(0, VALUE_LENGTH)];
    }
    const wrong = found[index];
    if (wrong === undefined) return [...differences, `${right.call}: not asked`];
    const own = compareAnswer(right, wrong);
    if (own.length > 0) differences.push(`step ${index + 1}: ${right.call}`, ...own.slice(0, SHOWN).map((line) => `  ${line}`));
    if (own.length > SHOWN) differences.push(`  … and ${own.length - SHOWN} more`);
    // What follows a preparation that failed is noise.
    if (wrong.failure !== undefined) return differences;
  }
  if (found.length > expected.length)
    differences.push(`${found[expected.length]!.call}: ${found[expected.length]!.failure ?? 'asked too much'}`);
  return differences;
}

function compareAnswer(expected: Answer, found: Answer): string[] {
  const differences: string[] = [];
  if (found.failure !== undefined) differences.push(found.failure);
  if (found.call !== expected.call) return [...differences, `another step: ${found.call}`];
  if (found.status !== expected.status) differences.push(`status: expected ${expected.status}, found ${found.status}`);
  if (expected.status < 300 !== found.status < 300) {
    return [...differences, `expected ${outline(expected.body)}`, `found ${outline(found.body)}`];
  }
  differences.push(...compareJson(expected.headers, found.headers, 'header '));
  differences.push(...compareJson(expected.warnings, found.warnings, 'warnings'));
  differences.push(...compareJson(expected.body, found.body, ''));
  return differences;
}

/** A refusal by its message, anything else by its beginning. */
function outline(body: Json): string {
  const message = isJsonObject(body) && body['kind'] === 'Status' ? body['message'] : undefined;
  return message === undefined ? show(body) : show(message);
}

/** Where two documents differ, each place once. */
export function compareJson(expected: Json | undefined, found: Json | undefined, path: string): string[] {
  if (jsonEqual(expected, found)) return [];
  if (Array.isArray(expected) && Array.isArray(found)) {
    if (expected.length !== found.length && expected.every((each) => typeof each !== 'object')) return [inWords(expected, found, path)];
    const length = Math.max(expected.length, found.length);
    return Array.from({ length }, (_, index) => compareJson(expected[index], found[index], `${path}/${index}`)).flat();
  }
  if (expected !== undefined && found !== undefined && isJsonObject(expected) && isJsonObject(found)) {
    const keys = [...new Set([...Object.keys(expected), ...Object.keys(found)])];
    return keys.flatMap((key) => {
      const [left, right] = [expected, found].map((each) => (Object.hasOwn(each, key) ? each[key] : undefined));
      return compareJson(left, right, `${path}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`);
    });
  }
  return [inWords(expected, found, path)];
}

function inWords(expected: Json | undefined, found: Json | undefined, path: string): string {
  return `${path || 'body'}: expected ${show(expected)}, found ${show(found)}`;
}

function show(value: Json | undefined): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? Number(each) : each));
  return text.length > VALUE_LENGTH ? `${text.slice(0, VALUE_LENGTH)}…` : text;
}
