import type { Suite } from '../suite.ts';
import { graphDefinitions, judgeDefinition } from './definitions.ts';

export const suite: Suite = {
  name: 'kro',
  description: "kro's ResourceGraphDefinitions: every example of kubernetes-sigs/kro compiles, or is refused for a reason",
  async *run(context) {
    for (const definition of graphDefinitions(context.corpus('kro-examples'))) yield judgeDefinition(definition);
  },
};
