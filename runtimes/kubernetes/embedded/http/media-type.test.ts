import { expect, it } from 'vitest';
import { negotiate, prefersYaml } from './media-type.ts';

it.each([
  { accept: undefined, yaml: false },
  { accept: '*/*', yaml: false },
  { accept: 'application/yaml', yaml: true },
  { accept: 'application/json, application/yaml', yaml: false },
  { accept: 'application/json;q=0.5, application/yaml', yaml: true },
  { accept: 'application/vnd.kubernetes.protobuf, application/yaml', yaml: true },
])('$accept: YAML is preferred: $yaml', ({ accept, yaml }) => {
  expect(prefersYaml(accept)).toBe(yaml);
});

const TABLE = 'application/json;as=Table;g=meta.k8s.io;v=v1';
const everything = { table: true, partial: true };

it.each([
  { accept: `${TABLE},application/json`, allowed: everything, as: 'table' },
  { accept: `${TABLE},application/json`, allowed: { table: false, partial: false }, as: 'object' },
  { accept: 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1', allowed: everything, as: 'partial' },
  { accept: 'application/yaml', allowed: everything, as: 'object' },
])('$accept with $allowed is answered as $as', ({ accept, allowed, as }) => {
  expect(negotiate(accept, allowed).as).toBe(as);
});

it.each([
  { accept: TABLE, allowed: { table: false, partial: false } },
  { accept: 'application/xml', allowed: everything },
])('$accept with $allowed is refused', ({ accept, allowed }) => {
  expect(() => negotiate(accept, allowed)).toThrow('only the following media types are accepted');
});
