import { GRAPH_DEFINITIONS } from './graph-definitions.ts';
import { RECONCILE_RULES } from './reconcile-rules.ts';
import type { RuleKind } from './rule-kind.ts';

/** Kinds of objects that are rules. */
export const RULE_KINDS: readonly RuleKind[] = [RECONCILE_RULES, GRAPH_DEFINITIONS];
