import { expect, it } from 'vitest';
import { withDescriptions } from './metadata-descriptions.ts';

it('describes the fields it knows, unless they say something themselves or are references', () => {
  const schema = {
    type: 'object',
    properties: { name: { type: 'string' }, uid: { type: 'string', description: 'own' }, other: {}, labels: { $ref: '#/x' } },
  };
  expect(withDescriptions('meta.v1.ObjectMeta', schema)).toEqual({
    type: 'object',
    properties: {
      name: { type: 'string', description: expect.stringMatching(/^Name of the object/) },
      uid: { type: 'string', description: 'own' },
      other: {},
      labels: { $ref: '#/x' },
    },
  });
});

it('leaves other definitions alone', () => {
  const schema = { type: 'object', properties: { name: {} } };
  expect(withDescriptions('core.v1.Pod', schema)).toBe(schema);
  expect(withDescriptions('constructor', schema)).toBe(schema);
});
