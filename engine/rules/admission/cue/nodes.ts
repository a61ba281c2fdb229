import type { Expr } from '../../../cel/ast.ts';
import { TWO_VARIABLE_COMPREHENSIONS_LIBRARY } from '../../../cel/libraries/comprehensions.ts';
import { Expansion } from '../../../cel/parse/expansion.ts';
import type { MacroDeclaration } from '../../../cel/parse/macro.ts';
import { callNode, identNode, listNode, literalNode, selectNode } from '../../../cel/parse/node.ts';
import { STANDARD_MACROS } from '../../../cel/parse/standard-macros.ts';
import type { CelValue } from '../../../cel/values.ts';
import { refuse } from '../../../text/cue-syntax/tree.ts';
import type { Span } from '../../../text/diagnostic.ts';

/** More nodes than this, references and disjunctions written out, are not compiled. */
const MAX_NODES = 50_000;

const MACROS: readonly MacroDeclaration[] = [...STANDARD_MACROS, ...(TWO_VARIABLE_COMPREHENSIONS_LIBRARY.macros ?? [])];

/**
 * Makes the nodes of one CEL tree; each stands at the span of CUE text it comes from. A node belongs at one place of the
 * tree: what is used twice is made twice.
 */
export class CelNodes {
  /** Ids run from 1 to this. */
  lastId = 0;
  #variables = 0;

  #id(span: Span): number {
    if (this.lastId >= MAX_NODES) refuse(span, 'too-large', 'with its definitions written out, the constraint is too large');
    return ++this.lastId;
  }

  literal(span: Span, value: CelValue): Expr {
    return literalNode(this.#id(span), position(span), value);
  }

  ident(span: Span, name: string): Expr {
    return identNode(this.#id(span), position(span), name);
  }

  select(span: Span, operand: Expr, field: string, testOnly = false): Expr {
    return selectNode(this.#id(span), position(span), operand, field, testOnly);
  }

  call(span: Span, fn: string, ...args: Expr[]): Expr {
    return callNode(this.#id(span), position(span), fn, undefined, args);
  }

  method(span: Span, target: Expr, fn: string, ...args: Expr[]): Expr {
    return callNode(this.#id(span), position(span), fn, target, args);
  }

  list(span: Span, elements: readonly Expr[]): Expr {
    return listNode(this.#id(span), position(span), elements, []);
  }

  /** A call of a macro, expanded as the parser expands it. */
  macro(span: Span, target: Expr, name: string, ...args: Expr[]): Expr {
    const declaration = MACROS.find((macro) => macro.name === name && macro.argCount === args.length);
    const host = {
      newId: () => this.#id(span),
      report: (_code: string, _node: unknown, message: string) => refuse(span, 'unsupported', message),
      placeholder: () => this.literal(span, null),
    };
    const expansion = new Expansion(host, { name, target, args }, position(span));
    return expansion.finish(declaration!.expand(expansion, target, args)!);
  }

  /** All of them, as the parser joins a chain: balanced, so that a long one is not deep. */
  join(span: Span, fn: '_&&_' | '_||_', terms: readonly Expr[]): Expr {
    const [only] = terms;
    if (only === undefined) return this.literal(span, fn === '_&&_');
    if (terms.length === 1) return only;
    const middle = ((terms.length - 1) >> 1) + 1;
    return this.call(span, fn, this.join(span, fn, terms.slice(0, middle)), this.join(span, fn, terms.slice(middle)));
  }

  /** A name that no other name made here has; `base` is none of those that the loops over parts of the constraint are numbered by. */
  variable(base: string): string {
    return `${base}${++this.#variables}`;
  }
}

function position({ start, end }: Span): { readonly start: number; readonly end: number; readonly at: number } {
  return { start, end, at: start };
}
