import fc from 'fast-check';
import { createEnvironment } from '../../../engine/cel/create-environment.ts';
import { expression, jsonObject } from '../../../engine/cel/run/testdata/random-cel.ts';
import { tagged } from '../../../engine/cel/run/testdata/tagged.ts';
import { DYN } from '../../../engine/cel/types.ts';
import type { CelValue } from '../../../engine/cel/values.ts';
import { type AdmissionCase, constraints, type Draft, rule, single, vap } from '../case.ts';

const SEED = 20_260_801;
const CASES = 400;

const environment = createEnvironment({ variables: { object: DYN, d: DYN } });

/** The same object with the keys of all its maps the other way round. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).reverse();
  return JSON.parse(`{${entries.map(([key, item]) => `${JSON.stringify(key)}:${JSON.stringify(reversed(item))}`).join()}}`) as unknown;
}

/** How cel-go names the type of a map that is used as a key depends on how it came by the map; one case of its own shows it. */
const MAP_AS_KEY = 'invalid qualifier type: map[string]interface {}';

/** Go goes through a map in any order: what depends on the order can't be compared. */
function canBeCompared(text: string, object: CelValue, d: CelValue): boolean {
  const compiled = environment.compile(text);
  if (!compiled.ok) return true;
  const [first, second] = [
    { object, d },
    { object: reversed(object) as CelValue, d: reversed(d) as CelValue },
  ].map((activation) => {
    const { outcome } = compiled.program.trace(activation);
    return JSON.stringify(outcome.ok ? tagged(outcome.value) : outcome.error.message);
  });
  return first === second && !first!.includes(MAP_AS_KEY);
}

function randomCase(text: string, object: CelValue, d: CelValue, index: number): AdmissionCase {
  const variables = [
    { name: 'v', expression: text.replace(/\bobject\b/g, 'object.spec.any.o').replace(/(?<![\w.])d\b(?!\()/g, 'object.spec.any.d') },
  ];
  const validation = { expression: 'variables.v != variables.v', messageExpression: '"%s: %s".format([type(variables.v), variables.v])' };
  const request = { name: 'create', resource: 'widgets', verb: 'create' as const, object: { spec: { any: { o: object, d } } } as Draft };
  return single(`random/${index}`, vap([validation], { matchConstraints: constraints(rule('widgets')), variables }), request);
}

/** Random expressions over random objects, the same in every run. */
export const randomCases: readonly AdmissionCase[] = fc
  .sample(fc.tuple(expression, jsonObject, jsonObject), { numRuns: CASES, seed: SEED })
  .flatMap(([text, object, d], index) => (canBeCompared(text, object, d) ? [randomCase(text, object, d, index)] : []));
