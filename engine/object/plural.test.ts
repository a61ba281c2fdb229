import { expect, test } from 'vitest';
import { pluralOf } from './plural.ts';

test.each([
  ['App', 'apps'],
  ['NetworkPolicy', 'networkpolicies'],
  ['Gateway', 'gateways'],
  ['Ingress', 'ingresses'],
  ['Box', 'boxes'],
  ['Batch', 'batches'],
  ['Endpoints', 'endpoints'],
])('the plural of %s is %s', (kind, plural) => expect(pluralOf(kind)).toBe(plural));
