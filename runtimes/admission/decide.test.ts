import { describe, expect, it } from 'vitest';
import type { AdmissionFacts, AdmissionRequest, FactNeed } from '../../engine/rules/admission/decision.ts';
import { decide } from './decide.ts';
import { type FactsSource, noFacts } from './facts.ts';
import { bundleOf, decisionOf, reviewOf } from './review.fixture.ts';

const request = reviewOf().request as unknown as AdmissionRequest;
const never = new AbortController().signal;

function run(admit: Parameters<typeof bundleOf>[0], source: Partial<FactsSource> = {}, signal = never) {
  const { admission } = bundleOf(admit).program!;
  return decide(admission, request, { ...noFacts, ...source }, { phase: 'all' }, signal);
}

const needs = (...all: readonly FactNeed[]) => ({ kind: 'needs' as const, needs: all });

describe('deciding with facts', () => {
  it('fetches what is needed, round by round, and keeps each answer', async () => {
    const asked: string[] = [];
    const note = <T>(what: string, answer: T): Promise<T> => {
      asked.push(what);
      return Promise.resolve(answer);
    };
    const decision = await run(
      (_, facts: AdmissionFacts) => {
        const namespace = facts.namespace('shop');
        if (namespace === undefined) return needs({ kind: 'namespace', name: 'shop' });
        const reference = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', name: 'quota' };
        const query = { apiVersion: 'v1', kind: 'Pod', namespace: 'shop', labelSelector: 'a=b' };
        const attributes = { user: { username: 'ann' }, verb: 'get', resource: 'pods' };
        const [object, list, access] = [facts.object(reference), facts.list(query), facts.authorize(attributes)];
        if (object === undefined || list === undefined || access === undefined) {
          return needs({ kind: 'object', reference }, { kind: 'list', query }, { kind: 'authorize', attributes });
        }
        return decisionOf({ warnings: [JSON.stringify([namespace, object, list, access])] });
      },
      {
        namespace: (name) => note(name, { name }),
        object: ({ name }) => note(name, null),
        list: ({ labelSelector }) => note(labelSelector!, [{}]),
        authorize: ({ verb }) => note(verb, { allowed: true, reason: '' }),
      },
    );
    expect(decision.warnings).toEqual(['[{"name":"shop"},null,[{}],{"allowed":true,"reason":""}]']);
    expect(asked).toEqual(['shop', 'quota', 'a=b', 'get']);
  });

  it('prefers what it fetched to what is known, so that one request sees one cluster', async () => {
    let known: object | undefined;
    const decision = await run(
      (_, facts) => {
        const first = facts.namespace('a');
        if (first === undefined) return needs({ kind: 'namespace', name: 'a' });
        if (facts.namespace('b') === undefined) return needs({ kind: 'namespace', name: 'b' });
        return decisionOf({ warnings: [JSON.stringify(first)] });
      },
      {
        known: { ...noFacts.known, namespace: () => known as undefined },
        namespace: async (name) => {
          const found = { fetched: name };
          known = { late: true };
          return found;
        },
      },
    );
    expect(decision.warnings).toEqual(['{"fetched":"a"}']);
  });

  it.each([
    ['a fact that cannot be had', () => needs({ kind: 'namespace', name: 'shop' }), 'namespace shop is not known'],
    ['no end of needs', () => needs({ kind: 'namespace', name: `n${Math.random()}` }), 'still need facts after 8 rounds'],
    [
      'too many needs',
      () => needs(...Array.from({ length: 257 }, (_, index): FactNeed => ({ kind: 'namespace', name: `n${index}` }))),
      'more than 256 facts',
    ],
    ['waiting for nothing', () => needs(), 'wait for facts but name none'],
  ])('fails for %s', async (name, admit, message) => {
    const source = name === 'a fact that cannot be had' ? {} : { namespace: async () => ({}) };
    await expect(run(admit, source)).rejects.toMatchObject({ name: 'FactError', message: expect.stringContaining(message) });
  });

  it('says which fact failed and how, and minds its deadline', async () => {
    const admit = () => needs({ kind: 'object', reference: { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'x', name: 'y' } });
    await expect(run(admit, { object: () => Promise.reject(new Error('ECONNREFUSED')) })).rejects.toThrow(
      'ConfigMap x/y could not be had: ECONNREFUSED',
    );
    const controller = new AbortController();
    const object: FactsSource['object'] = async () => {
      controller.abort();
      return {};
    };
    await expect(run(admit, { object }, controller.signal)).rejects.toThrow('deadline');
  });
});
