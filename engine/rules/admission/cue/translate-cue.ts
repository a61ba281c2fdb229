import type { Ast } from '../../../cel/ast.ts';
import { parseCue } from '../../../text/cue-syntax/parse-cue.ts';
import { type CueIssue, CueMistake, refuse } from '../../../text/cue-syntax/tree.ts';
import { allHold, type Check, Checker, firstMessage } from './checks.ts';
import { CelNodes } from './nodes.ts';

export type CueTranslation =
  | {
      readonly ok: true;
      /** Of type bool: whether the object is an instance of the constraint; true where there is no object. */
      readonly verdict: Ast;
      /** Of type string: why it is not. */
      readonly message: Ast;
    }
  | { readonly ok: false; readonly issue: CueIssue };

/** Conjuncts that are looked at, each time that they are. */
const MAX_EFFORT = 20_000;

/**
 * Translates a CUE constraint about `object` into CEL: the object must unify with it without anything being added. Every
 * node stands at the CUE text it comes from, so that all that is said of the tree points there. Messages name a path of fields
 * as `shown` does. Never throws.
 */
export function translateCue(text: string, shown: (fields: readonly string[]) => readonly string[] = (fields) => fields): CueTranslation {
  const parsed = parseCue(text);
  if (!parsed.ok) return parsed;
  const { root } = parsed;
  const span = { start: 0, end: text.length };
  try {
    const checks = new Checker(text).checks([{ expr: root, scope: undefined, closed: 'no', effort: { left: MAX_EFFORT } }], {
      span,
      path: [],
      fields: { names: [], shown },
      value: (nodes) => () => nodes.ident(span, 'object'),
    });
    const saysNothing = root.declarations.every(({ kind, ...field }) => kind === 'let' || ('role' in field && field.role !== 'data'));
    if (saysNothing || checks.length === 0) {
      refuse(span, 'empty', 'the constraint says nothing about the object', 'name fields and what they must be');
    }
    const nodes = new CelNodes();
    const isAbsent = nodes.call(span, '_==_', nodes.call(span, 'dyn', nodes.ident(span, 'object')), nodes.literal(span, null));
    const verdict = nodes.join(span, '_||_', [isAbsent, allHold(nodes, span, checks)]);
    return { ok: true, verdict: { text, root: verdict, nodeCount: nodes.lastId }, message: messageOf(text, checks) };
  } catch (error) {
    if (error instanceof CueMistake) return { ok: false, issue: error.issue };
    throw error;
  }
}

function messageOf(text: string, checks: readonly Check[]): Ast {
  const nodes = new CelNodes();
  try {
    const root = firstMessage(nodes, checks);
    return { text, root, nodeCount: nodes.lastId };
  } catch (error) {
    if (!(error instanceof CueMistake)) throw error;
    // Too many things may be wrong to tell them apart.
    const root = new CelNodes().literal({ start: 0, end: text.length }, 'object does not satisfy the constraint');
    return { text, root, nodeCount: 1 };
  }
}
