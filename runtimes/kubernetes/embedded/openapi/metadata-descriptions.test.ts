import { expect, it } from 'vitest';
import { withDescriptions } from './metadata-descriptions.ts';

it('describes the fields it knows, unless they say something themselves', () => {
  const schema = {
    type: 'object',
    properties: { name: { type: 'string' }, uid: { type: 'string', description: 'own' }, other: {}, labels: { $ref: '#/x' } },
  };
  expect(withDescriptions('meta.v1.ObjectMeta', schema, 'v3')).toEqual({
    type: 'object',
    properties: {
      name: { type: 'string', description: expect.stringMatching(/^Name of the object/) },
      uid: { type: 'string', description: 'own' },
      other: {},
      labels: { allOf: [{ $ref: '#/x' }], description: expect.stringMatching(/^Labels are/) },
    },
  });
  const { properties } = withDescriptions('meta.v1.ObjectMeta', schema, 'v2');
  expect(properties).toMatchObject({ labels: { $ref: '#/x', description: expect.stringMatching(/^Labels are/) } });
});

it('leaves other definitions alone', () => {
  const schema = { type: 'object', properties: { name: {} } };
  expect(withDescriptions('core.v1.Pod', schema, 'v3')).toBe(schema);
  expect(withDescriptions('constructor', schema, 'v3')).toBe(schema);
});
