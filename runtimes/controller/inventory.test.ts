import { describe, expect, it } from 'vitest';
import { EMPTY_INVENTORY, type Inventory, parseKind, readInventory, sameInventory, unionOf, writeInventory } from './inventory.ts';

const instance = (text?: string) => ({
  metadata: text === undefined ? {} : { annotations: { 'inventory.fairlead.dev/r': text } },
});
const full: Inventory = {
  kinds: ['apps/v1/Deployment', 'v1/Secret'],
  partial: [
    { apiVersion: 'v1', kind: 'Namespace', name: 'shop' },
    { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' },
  ],
  calls: true,
};

describe('an inventory', () => {
  it('is read as it was written', () => {
    const read = readInventory(instance(writeInventory(full)), 'r')!;
    expect(sameInventory(read, full)).toBe(true);
    expect(read.partial).toContainEqual(full.partial[0]);
  });

  it('is the same text in any order', () => {
    const turned = { ...full, kinds: [...full.kinds].reverse(), partial: [...full.partial].reverse() };
    expect(writeInventory(turned)).toBe(writeInventory(full));
  });

  it.each([
    ['nothing', undefined, EMPTY_INVENTORY],
    ['another shape', '{"kinds": "v1/Secret"}', EMPTY_INVENTORY],
    ['no JSON', '{', undefined],
    ['no map', '[]', undefined],
  ])('read from %s', (_, text, expected) => expect(readInventory(instance(text), 'r')).toEqual(expected));

  it('only grows by a union', () => {
    const union = unionOf(full, { kinds: ['v1/Service'], partial: full.partial, calls: false });
    expect(union).toEqual({ kinds: ['apps/v1/Deployment', 'v1/Secret', 'v1/Service'], partial: full.partial, calls: true });
  });

  it('knows kinds of all groups', () => {
    expect(parseKind('apps/v1/Deployment')).toEqual({ apiVersion: 'apps/v1', kind: 'Deployment' });
    expect(parseKind('v1/Secret')).toEqual({ apiVersion: 'v1', kind: 'Secret' });
  });
});
