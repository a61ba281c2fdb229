import { describe, expect, test } from 'vitest';
import { createEnvironment } from '../../cel/create-environment.ts';
import { kubernetesFeatures } from '../../cel/kubernetes/features.ts';
import { DYN, STRING } from '../../cel/types.ts';
import { celToJson } from '../../object/cel-to-json.ts';
import { SHORT_CERTIFICATE } from '../../object/x509.fixture.ts';
import { KRO_HASH_LIBRARY } from '../reconcile/kro/libraries/hash.ts';
import { KRO_LISTS_LIBRARY } from '../reconcile/kro/libraries/lists.ts';
import { KRO_MAPS_LIBRARY } from '../reconcile/kro/libraries/maps.ts';
import { KRO_OMIT_LIBRARY } from '../reconcile/kro/libraries/omit.ts';
import { KRO_RANDOM_LIBRARY } from '../reconcile/kro/libraries/random.ts';
import { BASE64_LIBRARY } from './base64.ts';
import { HASH_LIBRARY } from './hash.ts';
import { JSON_LIBRARY } from './json.ts';
import { X509_LIBRARY } from './x509.ts';

const features = kubernetesFeatures();
const variables = { d: DYN, pem: STRING };
const make = (...libraries: readonly (typeof HASH_LIBRARY)[]) =>
  createEnvironment({ ...features, libraries: [...features.libraries, ...libraries], homogeneousLiterals: false, variables });
const own = make(BASE64_LIBRARY, HASH_LIBRARY, JSON_LIBRARY, X509_LIBRARY);
const kro = make(BASE64_LIBRARY, JSON_LIBRARY, KRO_HASH_LIBRARY, KRO_LISTS_LIBRARY, KRO_MAPS_LIBRARY, KRO_OMIT_LIBRARY, KRO_RANDOM_LIBRARY);

/** The value as JSON, by both back ends; a text that begins with `error: ` for an error. */
function evaluate(environment: typeof own, text: string): unknown {
  const compiled = environment.compile(text);
  if (!compiled.ok) return `error: ${compiled.issues[0]?.message}`;
  const activation = { d: { b: 1, a: [true, null, { z: 'é', y: 1.5 }] }, pem: SHORT_CERTIFICATE };
  const { outcome } = compiled.program.trace(activation);
  if (!outcome.ok) return `error: ${outcome.error.message}`;
  expect(compiled.program.run(activation, { remaining: 1_000_000 })).toEqual(outcome.value);
  return celToJson(outcome.value);
}

test.each<[string, unknown]>([
  ["hash.sha256('')", 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  ["hash.short('abc')", 'ba7816bf'],
  ["hash.short('abc', 4)", 'ba78'],
  ["hash.short('abc', 65)", 'error: hash.short takes 1 to 64 characters'],
  ["hash.short('abc', 0)", 'error: hash.short takes 1 to 64 characters'],
  ["base64.encode('héllo')", 'aMOpbGxv'],
  ["base64.encode(b'a')", 'YQ=='],
  ["string(base64.decode('aMOpbGxv'))", 'héllo'],
  ["base64.decode('%')", 'error: illegal base64 data'],
  ['json.marshal(d)', '{"a":[true,null,{"y":1.5,"z":"é"}],"b":1}'],
  ["json.marshal({'b': 1, 'a': duration('1m')})", '{"a":"60s","b":1}'],
  ['json.marshal(optional.none())', 'error: json.marshal of a value that is absent'],
  ['json.unmarshal(\'{"a": [1, "x"]}\').a[1]', 'x'],
  ['json.unmarshal(\'{"password": hunter2}\')', 'error: the text is not JSON'],
  ['json.unmarshal(json.marshal(d)) == d', true],
  ['x509.notAfter(pem)', '2027-02-24T15:05:10Z'],
  ['x509.notBefore(pem)', '2026-11-26T15:05:10Z'],
  ["x509.notAfter('x')", 'error: the text is no certificate in PEM'],
])('%s is %j', (text, expected) => {
  expect(evaluate(own, text)).toEqual(expected);
});

describe("kro's", () => {
  test.each<[string, unknown]>([
    ["hash.sha256('abc')", 'ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0='],
    ["hash.md5('')", '1B2M2Y8AsgTpgAmY7PhCfg=='],
    ["hash.fnv64a('a')", 'r2PcTIYB7Iw='],
    ["random.seededString(6, 'x') == random.seededString(6, 'x')", true],
    ["random.seededString(10, 'x').size()", 10],
    ["random.seededString(0, 'x')", 'error: random.seededString length must be positive'],
    ["random.seededInt(5, 8, 'x') in [5, 6, 7]", true],
    ["random.seededInt(5, 5, 'x')", 'error: random.seededInt min must be less than max'],
    ["{'a': 1}.merge({'a': 2, 'b': 3})", { a: 2, b: 3 }],
    ["{'a': {'x': 1}}.deepMerge({'a': {'y': 2}})", { a: { x: 1, y: 2 } }],
    ["{'a': 1}.deepMerge({'a': {'y': 2}})", { a: { y: 2 } }],
    ['lists.setAtIndex([1, 2, 3], 1, 99)', [1, 99, 3]],
    ['lists.insertAtIndex([1, 2, 3], 3, 99)', [1, 2, 3, 99]],
    ['lists.removeAtIndex([1, 2, 3], 0)', [2, 3]],
    ['lists.removeAtIndex([1], 1)', 'error: index 1 out of bounds'],
    ["{'a': omit(), 'b': 1}", { b: 1 }],
  ])('%s is %j', (text, expected) => {
    expect(evaluate(kro, text)).toEqual(expected);
  });
});
