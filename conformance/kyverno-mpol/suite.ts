import { kyvernoCases } from '../kyverno-vpol/kyverno-cases.ts';
import type { Suite } from '../suite.ts';

export const suite: Suite = {
  name: 'kyverno-mpol',
  description: "MutatingPolicies of Kyverno's policy library, with the mutated objects of their own tests",
  run: (context) => kyvernoCases(context, 'kyverno-mpol'),
};
