import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../engine/object/json.ts';
import { compileProjection, type FieldDemand } from '../../engine/object/projection.ts';
import { parseJsonBody, stringifyJson } from '../host/json-body.ts';
import { createObjectDecoder } from './event-decoder.ts';

const DEMAND: FieldDemand = {
  spec: { nodeName: true, containers: { '*': { image: true } }, volumes: {} },
  status: { conditions: { '*': { type: true, status: true } }, phase: true },
  data: { '*': true },
};

/** What is kept of a line that is read as a whole; undefined for what is no event. */
function plainly(line: string, demand: FieldDemand): string | undefined {
  let event: { readonly type: string; readonly object: JsonObject };
  try {
    event = parseJsonBody(Buffer.from(line)) as typeof event;
  } catch {
    return undefined;
  }
  const { type, object } = event;
  if (type === 'BOOKMARK' || type === 'ERROR') return stringifyJson({ type, object });
  return stringifyJson({ type, object: compileProjection(demand)(object) });
}

function decoded(decode: (line: Buffer) => unknown, line: string): string | undefined {
  try {
    return stringifyJson(decode(Buffer.from(line)));
  } catch {
    return undefined;
  }
}

const event = (object: string): string => `{"type":"MODIFIED","object":${object}}`;

describe('of a line the decoder keeps what is kept of the whole', () => {
  const { event: decode } = createObjectDecoder(DEMAND);

  it.each([
    [
      'an ordinary object',
      '{"metadata":{"name":"a","managedFields":[{}]},"spec":{"nodeName":"n","containers":[{"image":"i","name":"c"}]}}',
    ],
    ['escapes', '{"spec":{"nodeName":"a\\"b\\\\","x":"\\\\\\""},"data":{"a":"\\u0041\\n\\ud83d\\ude00","b":"\\ud800"}}'],
    ['escapes in names', '{"spec":{"n\\u006fdeName":"n"},"data":{"a\\n":1}}'],
    ['text beyond ASCII', '{"metadata":{"name":"ä"},"data":{"😀":"ü😀","\u007f":"\u0080"}}'],
    ['fields given twice', '{"spec":{"nodeName":"a"},"spec":{"nodeName":"b","nodeName":"c"},"data":{"a":1,"b":2,"a":3}}'],
    ['a field that is something else the second time', '{"spec":{"nodeName":"a"},"spec":[{"nodeName":"a"},[1],2],"status":7,"status":{}}'],
    ['metadata that is a list', '{"metadata":[{"name":"a"}]}'],
    ['metadata that is null', '{"metadata":null}'],
    ['annotations of ours among others', '{"metadata":{"annotations":{"fairlead.dev/x":"1","a":"2"}}}'],
    [
      'names of the prototype',
      '{"__proto__":{"a":1},"data":{"__proto__":{"b":1},"constructor":2},"metadata":{"labels":{"__proto__":"x"}}}',
    ],
    ['names that are numbers', '{"data":{"2":1,"1":2,"a":3}}'],
    ['brackets in strings', '{"x":"{[","data":{"a":"]}"},"spec":{"y":{"z":"}"},"nodeName":"n"}}'],
    ['elements that are emptied', '{"spec":{"volumes":[{"a":{}},["x"],"]",null,{}]}}'],
    ['numbers', '{"data":{"a":-0,"b":1e3,"c":9007199254740993,"d":0.1,"e":-9223372036854775808}}'],
    ['deep nesting', `{"x":${'['.repeat(5000)}${']'.repeat(5000)},"data":{"a":${'{"a":'.repeat(900)}1${'}'.repeat(900)}}}`],
    ['white space', '{"spec": {"nodeName" : "n"} }'],
    ['a value that is no JSON', '{"data":{"a":tru}}'],
    ['a string with a control character', '{"data":{"a":"\t"}}'],
    ['brackets that do not match', '{"data":{"a":[1}}}'],
    ['a number with a leading zero', '{"data":{"a":01}}'],
    ['a string of one quote', '{"data":{"a":"}}'],
  ])('%s', (_, object) => {
    const line = event(object);
    const expected = plainly(line, DEMAND);
    // What was read before is remembered from the second time on.
    for (let time = 0; time < 3; time++) expect(decoded(decode, line)).toBe(expected);
  });

  it.each([
    ['a bookmark', '{"type":"BOOKMARK","object":{"kind":"Pod","x":1}}'],
    ['an error', '{"type":"ERROR","object":{"code":410,"x":1}}'],
    ['a change that calls itself a bookmark later', '{"type":"ADDED","object":{"x":1},"type":"BOOKMARK"}'],
    ['the object first', '{"object":{"x":1,"data":{}},"type":"ADDED"}'],
  ])('%s', (_, line) => expect(decoded(decode, line)).toBe(plainly(line, DEMAND)));

  it.each([
    ['nothing', ''],
    ['half a line', '{"type":"ADDED","object":{"metadata":'],
    ['no object', '{"type":"ADDED"}'],
    ['an object that is a list', '{"type":"ADDED","object":[]}'],
    ['another type', '{"type":"ADDED","type":"GONE","object":{}}'],
  ])('and refuses %s', (_, line) => expect(() => decode(Buffer.from(line))).toThrow(/^the watch sent a line that is not/));

  it('with integers beyond 2^53', () => {
    const { object } = decode(Buffer.from(event('{"data":{"a":9007199254740993}}')));
    expect(object).toEqual({ data: { a: 9007199254740993n } });
  });

  const name = fc.constantFrom(
    'a',
    'metadata',
    'spec',
    'status',
    'annotations',
    'fairlead.dev/a',
    'labels',
    'uid',
    'ä',
    '1',
    '__proto__',
    '*',
  );
  const { demand } = fc.letrec<{ demand: FieldDemand; fields: FieldDemand }>((tie) => ({
    demand: fc.oneof({ depthSize: 'small' }, fc.constant(true as const), tie('fields')),
    fields: fc.dictionary(name, tie('demand'), { maxKeys: 4, noNullPrototype: true }),
  }));
  const { map } = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'medium' },
      fc.string({ unit: 'binary', maxLength: 6 }),
      fc.constantFrom('"', '\\', '{', ']', '\\"', 'x'),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n }),
      fc.constantFrom(null, true, 0),
      tie('map'),
      fc.array(tie('value'), { maxLength: 3 }),
    ),
    map: fc.dictionary(name, tie('value'), { maxKeys: 5, noNullPrototype: true }),
  }));

  it('whatever is read of whatever comes, over and over', () => {
    fc.assert(
      fc.property(demand, fc.array(map, { minLength: 1, maxLength: 4 }), (read, objects) => {
        const decoder = createObjectDecoder(read);
        const lines = objects.map((object) => event(stringifyJson(object as Json)));
        for (const line of [...lines, ...lines, ...lines]) expect(decoded(decoder.event, line)).toBe(plainly(line, read));
      }),
      { numRuns: 1000 },
    );
  });

  it('and throws or agrees where bytes are broken', () => {
    const byte = fc.constantFrom(...'"\\{}[],:0 ax\u0001');
    fc.assert(
      fc.property(demand, map, fc.array(fc.tuple(fc.nat(), byte), { minLength: 1, maxLength: 3 }), (read, object, changes) => {
        let line = event(stringifyJson(object as Json));
        for (const [at, char] of changes) {
          const index = at % line.length;
          line = line.slice(0, index) + char + line.slice(index + 1);
        }
        const expected = plainly(line, read);
        // What nobody reads is not checked, so a line that is broken there may be taken; one that is whole is read as it is.
        if (expected !== undefined) expect(decoded(createObjectDecoder(read).event, line) ?? expected).toBe(expected);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('objects share', () => {
  it('what is the same in them from the third on', () => {
    const { event: decode } = createObjectDecoder({ spec: { containers: { '*': { image: true } } } });
    const line = (index: number): Buffer =>
      Buffer.from(event(`{"metadata":{"name":"p${index}","labels":{"app":"a"}},"spec":{"containers":[{"image":"i","name":"${index}"}]}}`));
    const [, second, third] = [1, 2, 3].map((index) => decode(line(index)).object as Record<string, Record<string, unknown>>);
    expect(third!['metadata']!['labels']).toBe(second!['metadata']!['labels']);
    expect(third!['spec']!['containers']).toBe(second!['spec']!['containers']);
    expect(third!['metadata']!['name']).toBe('p3');
  });
});
