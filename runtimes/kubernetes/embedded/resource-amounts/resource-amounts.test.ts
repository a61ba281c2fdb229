import { describe, expect, it } from 'vitest';
import { podAmounts } from './pod-requests.ts';
import { amountsOf, formatAmounts, printAmounts } from './resource-list.ts';

const container = (requests: Record<string, string>, restartPolicy?: string) => ({
  name: 'c',
  resources: { requests, limits: requests },
  ...(restartPolicy === undefined ? {} : { restartPolicy }),
});

describe('podAmounts', () => {
  it.each([
    [
      'adds up containers',
      { containers: [container({ cpu: '100m' }), container({ cpu: '0.2', memory: '1Gi' })] },
      { cpu: '300m', memory: '1Gi' },
    ],
    [
      'counts the largest init container',
      { containers: [container({ cpu: '1' })], initContainers: [container({ cpu: '3' }), container({ cpu: '2' })] },
      { cpu: '3' },
    ],
    [
      'adds sidecars to both',
      { containers: [container({ cpu: '1' })], initContainers: [container({ cpu: '1' }, 'Always'), container({ cpu: '3' })] },
      { cpu: '4' },
    ],
    [
      'adds the overhead',
      { containers: [container({ cpu: '1' })], overhead: { cpu: '250m', memory: '64Mi' } },
      { cpu: '1250m', memory: '64Mi' },
    ],
  ])('%s', (_, spec, expected) => {
    expect(formatAmounts(podAmounts(spec, 'requests'))).toEqual(expected);
  });

  it('adds the overhead only to limits that there are', () => {
    expect(formatAmounts(podAmounts({ containers: [container({ cpu: '1' })], overhead: { cpu: '1', memory: '1Mi' } }, 'limits'))).toEqual({
      cpu: '2',
    });
  });
});

it('prints amounts in the order of their names', () => {
  expect(printAmounts(amountsOf({ memory: '1Gi', cpu: 2, 'count/x': '3' }))).toBe('count/x=3,cpu=2,memory=1Gi');
});
