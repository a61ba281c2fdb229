import type { Suite } from '../suite.ts';
import { kyvernoCases } from './kyverno-cases.ts';

export const suite: Suite = {
  name: 'kyverno-vpol',
  description: "ValidatingPolicies of Kyverno's policy library, with the verdicts of their own tests",
  run: (context) => kyvernoCases(context, 'kyverno-vpol'),
};
