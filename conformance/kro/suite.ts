import type { Suite } from '../suite.ts';
import { clusterTests } from './cluster-tests.ts';
import { graphDefinitions, judgeDefinition } from './definitions.ts';

export const suite: Suite = {
  name: 'kro',
  description:
    "kro's ResourceGraphDefinitions: every example of kubernetes-sigs/kro compiles or is refused for a reason, and its end-to-end tests end as they say",
  async *run(context) {
    const corpus = context.corpus('kro-examples');
    for (const definition of graphDefinitions(corpus)) yield judgeDefinition(definition);
    yield* clusterTests(corpus, context);
  },
};
