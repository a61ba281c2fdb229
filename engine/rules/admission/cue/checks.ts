import type { Expr } from '../../../cel/ast.ts';
import type { CueExpr, CueList } from '../../../text/cue-syntax/tree.ts';
import type { Span } from '../../../text/diagnostic.ts';
import { type Atoms, atomsOf, type Conjunct, closes, type StructConjunct } from './conjuncts.ts';
import { implies, isOfKind, type Kind, leafOf } from './leaf.ts';
import { kindSentence, type PathText, type Place, pathMessage, shownValue, step, withIndex, withKey } from './messages.ts';
import type { CelNodes } from './nodes.ts';

/** One thing that must hold, when all checks before it in a list do. */
export interface Check {
  readonly span: Span;
  /** CEL, of type bool. */
  readonly holds: (nodes: CelNodes) => Expr;
  /** CEL, of type string: what to say when it does not hold. */
  readonly message: (nodes: CelNodes) => Expr;
}

/** All checks, in one expression. */
export function allHold(nodes: CelNodes, span: Span, checks: readonly Check[]): Expr {
  return nodes.join(
    span,
    '_&&_',
    checks.map((check) => check.holds(nodes)),
  );
}

/** The message of the first check that does not hold; one of them does not. */
export function firstMessage(nodes: CelNodes, checks: readonly Check[]): Expr {
  const [only] = checks;
  if (checks.length === 1) return only!.message(nodes);
  const middle = (checks.length + 1) >> 1;
  const first = checks.slice(0, middle);
  const { span } = only!;
  return nodes.call(span, '_?_:_', allHold(nodes, span, first), firstMessage(nodes, checks.slice(middle)), firstMessage(nodes, first));
}

/** Turns conjuncts into checks. */
export class Checker {
  #loops = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** What conjuncts ask of the value at a place; what is known of its kind is not asked again. */
  checks(conjuncts: readonly Conjunct[], place: Place, known?: Kind): Check[] {
    return this.#checksOf(atomsOf(conjuncts), place, known);
  }

  #checksOf(atoms: Atoms, place: Place, known: Kind | undefined): Check[] {
    const together = this.#distributed(atoms, place, known);
    if (together !== undefined) return together;
    const checks: Check[] = [];
    let kind = known;
    for (const group of atoms.groups) checks.push(...this.checks(group, place, kind));
    for (const leaf of atoms.leaves) {
      if (leaf.labelsOnly) continue;
      if (leaf.expr.kind === 'list') {
        checks.push(...this.#listChecks(leaf, leaf.expr, place, kind));
        kind = 'list';
        continue;
      }
      const { check, kind: asked } = this.#leafCheck(leaf.expr, place, kind);
      if (check !== undefined) checks.push(check);
      if (asked !== undefined && !(kind !== undefined && implies(kind, asked))) kind = asked;
    }
    const [struct] = atoms.structs.filter(({ labelsOnly }) => !labelsOnly);
    if (struct !== undefined) checks.push(...this.#structChecks(atoms.structs, struct.expr, place, kind));
    for (const disjunction of atoms.disjunctions) {
      if (!disjunction.labelsOnly)
        checks.push(
          this.#disjunctionCheck(
            disjunction.expr,
            disjunction.alternatives.map((alternative) => [alternative]),
            place,
            kind,
          ),
        );
    }
    return checks;
  }

  /**
   * Which fields a closed struct allows depends on the alternative that is taken, and the other way round: then the alternatives
   * are judged with all that they are taken together with.
   */
  #distributed(atoms: Atoms, place: Place, known: Kind | undefined): Check[] | undefined {
    const index = atoms.disjunctions.findIndex(
      (disjunction) =>
        !disjunction.labelsOnly &&
        (atoms.structs.length > 0 || atoms.disjunctions.length > 1) &&
        disjunction.alternatives.some(
          ({ expr, scope, embedded, effort }) => isStructural(expr) || (embedded && closes(expr, scope, effort)),
        ) &&
        (atoms.structs.some(({ closed }) => closed !== 'no') ||
          disjunction.closed !== 'no' ||
          disjunction.alternatives.some(({ expr, scope, embedded, effort }) => embedded && closes(expr, scope, effort))),
    );
    const disjunction = atoms.disjunctions[index];
    if (disjunction === undefined) return undefined;
    const rest = atoms.disjunctions.filter((other) => other !== disjunction);
    const alternatives = disjunction.alternatives.map((alternative) => {
      const own = atomsOf([alternative]);
      const joined: Atoms = {
        structs: [...atoms.structs, ...own.structs],
        leaves: [...atoms.leaves, ...own.leaves],
        disjunctions: [...rest, ...own.disjunctions],
        groups: [...atoms.groups, ...own.groups],
      };
      return this.#checksOf(joined, place, known);
    });
    return [this.#alternativesCheck(disjunction.expr, alternatives, place)];
  }

  #leafCheck(expr: CueExpr, place: Place, known: Kind | undefined): { readonly check?: Check; readonly kind?: Kind | undefined } {
    const { kind, test } = leafOf(expr);
    const asksKind = kind !== undefined && !(known !== undefined && implies(known, kind));
    if (!asksKind && test === undefined) return { kind };
    const check: Check = {
      span: expr,
      holds: (nodes) =>
        nodes.join(expr, '_&&_', [
          ...(asksKind ? [isOfKind(nodes, expr, place.value(nodes), kind)] : []),
          ...(test === undefined ? [] : [test(nodes, place.value(nodes))]),
        ]),
      message: (nodes) => this.#unsatisfied(nodes, expr, place),
    };
    return { check, kind };
  }

  #unsatisfied(nodes: CelNodes, expr: CueExpr, place: Place): Expr {
    const wanted = this.#quote(expr);
    return pathMessage(nodes, expr, place.path, [': ', shownValue(expr, place), ` does not satisfy ${wanted}`]);
  }

  /** The text of a part of the constraint, on one line. */
  #quote({ start, end }: Span): string {
    const text = this.#text
      .slice(start, end)
      .replace(/\/\/[^\n]*/g, '')
      .replace(/\s+/g, ' ')
      .trim();
    return text.length <= MAX_QUOTE ? text : `${text.slice(0, MAX_QUOTE - 1)}…`;
  }

  #kindCheck(span: Span, place: Place, kind: Kind): Check {
    return {
      span,
      holds: (nodes) => isOfKind(nodes, span, place.value(nodes), kind),
      message: (nodes) => pathMessage(nodes, span, place.path, [': ', shownValue(span, place), kindSentence(kind)]),
    };
  }

  #disjunctionCheck(expr: CueExpr, alternatives: readonly (readonly Conjunct[])[], place: Place, known: Kind | undefined): Check {
    const strings = alternatives.map(([conjunct]) => stringOf(conjunct!.expr));
    if (strings.every((value) => value !== undefined)) {
      return {
        span: expr,
        holds: (nodes) => {
          const list = nodes.list(
            expr,
            strings.map((value) => nodes.literal(expr, value)),
          );
          return nodes.call(expr, '@in', place.value(nodes)(), list);
        },
        message: (nodes) => this.#unsatisfied(nodes, expr, place),
      };
    }
    return this.#alternativesCheck(
      expr,
      alternatives.map((alternative) => this.checks(alternative, place, known)),
      place,
    );
  }

  #alternativesCheck(expr: CueExpr, alternatives: readonly (readonly Check[])[], place: Place): Check {
    return {
      span: expr,
      holds: (nodes) =>
        nodes.join(
          expr,
          '_||_',
          alternatives.map((checks) => allHold(nodes, expr, checks)),
        ),
      message: (nodes) => this.#unsatisfied(nodes, expr, place),
    };
  }

  #structChecks(structs: readonly StructConjunct[], span: Span, place: Place, known: Kind | undefined): Check[] {
    const checks: Check[] = known === 'struct' ? [] : [this.#kindCheck(span, place, 'struct')];
    const fields = new Map<string, FieldConjuncts>();
    const patterns: Conjunct[][] = [];
    for (const struct of structs) {
      const inherited = { ...struct, scope: struct.inner, closed: struct.closed === 'deep' ? 'deep' : 'no', embedded: false } as const;
      for (const declaration of struct.expr.declarations) {
        if (declaration.kind === 'field' && declaration.role === 'data') {
          const field = fields.get(declaration.name) ?? { label: declaration.label, required: false, asked: false, conjuncts: [] };
          fields.set(declaration.name, field);
          field.required ||= !struct.labelsOnly && !declaration.optional;
          field.asked ||= !struct.labelsOnly;
          field.conjuncts.push({ ...inherited, expr: declaration.value, alone: false });
        } else if (declaration.kind === 'pattern') {
          patterns.push([{ ...inherited, expr: declaration.pattern, alone: false, closed: 'no' }]);
          if (!struct.labelsOnly) {
            const value: Conjunct = { ...inherited, expr: declaration.value, alone: false };
            checks.push(...this.#patternChecks(patterns.at(-1)!, value, declaration, place));
          }
        }
      }
    }
    for (const [name, field] of fields) if (field.asked) checks.push(...this.#fieldChecks(name, field, place));
    const isClosed = structs.some(({ closed, labelsOnly }) => closed !== 'no' && !labelsOnly);
    const isOpened = structs.some(({ expr }) => expr.declarations.some(({ kind }) => kind === 'ellipsis'));
    if (isClosed && !isOpened) checks.push(this.#closedCheck([...fields.keys()], patterns, span, place));
    return checks;
  }

  #fieldChecks(name: string, { label, required, conjuncts }: FieldConjuncts, place: Place): Check[] {
    const inner = step(place, label, name);
    const present: Check = {
      span: label,
      holds: (nodes) => nodes.select(label, place.value(nodes)(), name, true),
      message: (nodes) => pathMessage(nodes, label, inner.path, [' is required']),
    };
    const checks = this.checks(conjuncts, inner);
    if (required) return [present, ...checks];
    return [
      {
        span: label,
        // Also asked where nothing is asked of the value: a field that the kind does not have is a mistake.
        holds: (nodes) => nodes.join(label, '_||_', [nodes.call(label, '!_', present.holds(nodes)), allHold(nodes, label, checks)]),
        message: (nodes) =>
          checks.length === 0 ? pathMessage(nodes, label, inner.path, [' is not as required']) : firstMessage(nodes, checks),
      },
    ];
  }

  /** `[pattern]: value`: every field whose label is like the pattern. */
  #patternChecks(pattern: readonly Conjunct[], value: Conjunct, span: Span, place: Place): Check[] {
    const key = `key${++this.#loops}`;
    const item = `value${this.#loops}`;
    const keyChecks = this.checks(pattern, local(span, key), 'string');
    const checks = this.checks([value], { ...local(span, item), path: withKey(place.path, span, key) });
    if (checks.length === 0) return [];
    const loop = (nodes: CelNodes, macro: string, ...args: Expr[]) =>
      nodes.macro(span, nodes.call(span, 'dyn', place.value(nodes)()), macro, nodes.ident(span, key), nodes.ident(span, item), ...args);
    const isLike = (nodes: CelNodes) => allHold(nodes, span, keyChecks);
    return [
      {
        span,
        holds(nodes) {
          const holds = allHold(nodes, span, checks);
          const term = keyChecks.length === 0 ? holds : nodes.join(span, '_||_', [nodes.call(span, '!_', isLike(nodes)), holds]);
          return loop(nodes, 'all', term);
        },
        message(nodes) {
          const fails = nodes.call(span, '!_', allHold(nodes, span, checks));
          const filter = keyChecks.length === 0 ? fails : nodes.join(span, '_&&_', [isLike(nodes), fails]);
          return first(nodes, span, loop(nodes, 'transformList', filter, firstMessage(nodes, checks)));
        },
      },
    ];
  }

  #closedCheck(labels: readonly string[], patterns: readonly (readonly Conjunct[])[], span: Span, place: Place): Check {
    const key = `key${++this.#loops}`;
    const allowed = (nodes: CelNodes): Expr => {
      const list = nodes.list(
        span,
        labels.map((label) => nodes.literal(span, label)),
      );
      const ways = labels.length === 0 ? [] : [nodes.call(span, '@in', nodes.ident(span, key), list)];
      for (const pattern of patterns) ways.push(allHold(nodes, span, this.checks(pattern, local(span, key), 'string')));
      return nodes.join(span, '_||_', ways);
    };
    const keys = (nodes: CelNodes) => nodes.call(span, 'dyn', place.value(nodes)());
    return {
      span,
      holds: (nodes) => nodes.macro(span, keys(nodes), 'all', nodes.ident(span, key), allowed(nodes)),
      message(nodes) {
        const others = nodes.macro(span, keys(nodes), 'filter', nodes.ident(span, key), nodes.call(span, '!_', allowed(nodes)));
        const name = nodes.method(span, nodes.ident(span, 'strings'), 'quote', first(nodes, span, others));
        return pathMessage(nodes, span, place.path, [': field ', () => name, ' is not allowed']);
      },
    };
  }

  #listChecks(conjunct: Conjunct, list: CueList, place: Place, known: Kind | undefined): Check[] {
    const checks: Check[] = known === 'list' ? [] : [this.#kindCheck(list, place, 'list')];
    const count = list.items.length;
    const inner = (expr: CueExpr): Conjunct => ({
      ...conjunct,
      expr,
      closed: conjunct.closed === 'deep' ? 'deep' : 'no',
      embedded: false,
      alone: false,
    });
    if (count > 0 || list.rest === undefined) checks.push(sizeCheck(list, place, count, list.rest !== undefined));
    for (const [index, item] of list.items.entries()) checks.push(...this.checks([inner(item)], elementAt(place, item, index)));
    if (list.rest === undefined || list.rest === 'anything') return checks;
    const { rest } = list;
    const index = `index${++this.#loops}`;
    const item = `item${this.#loops}`;
    const itemChecks = this.checks([inner(rest)], { ...local(rest, item), path: withIndex(place.path, rest, index) });
    if (itemChecks.length === 0) return checks;
    const isBefore = (nodes: CelNodes) => nodes.call(rest, '_<_', nodes.ident(rest, index), nodes.literal(rest, count));
    checks.push({
      span: rest,
      holds(nodes) {
        const holds = allHold(nodes, rest, itemChecks);
        const subject = place.value(nodes)();
        if (count === 0) return nodes.macro(rest, subject, 'all', nodes.ident(rest, item), holds);
        const term = nodes.join(rest, '_||_', [isBefore(nodes), holds]);
        return nodes.macro(rest, subject, 'all', nodes.ident(rest, index), nodes.ident(rest, item), term);
      },
      message(nodes) {
        const fails = nodes.call(rest, '!_', allHold(nodes, rest, itemChecks));
        const filter = count === 0 ? fails : nodes.join(rest, '_&&_', [nodes.call(rest, '!_', isBefore(nodes)), fails]);
        const [i, e] = [nodes.ident(rest, index), nodes.ident(rest, item)];
        return first(nodes, rest, nodes.macro(rest, place.value(nodes)(), 'transformList', i, e, filter, firstMessage(nodes, itemChecks)));
      },
    });
    return checks;
  }
}

interface FieldConjuncts {
  readonly label: Span;
  required: boolean;
  /** Some conjunct says more than that the field is allowed. */
  asked: boolean;
  readonly conjuncts: Conjunct[];
}

const MAX_QUOTE = 100;

function sizeCheck(list: CueList, place: Place, count: number, orMore: boolean): Check {
  const size = (nodes: CelNodes) => nodes.call(list, 'size', place.value(nodes)());
  return {
    span: list,
    holds: (nodes) => nodes.call(list, orMore ? '_>=_' : '_==_', size(nodes), nodes.literal(list, count)),
    message: (nodes) =>
      pathMessage(nodes, list, place.path, [
        ' has ',
        () => nodes.call(list, 'string', size(nodes)),
        ` items, ${orMore ? 'at least ' : ''}${count} expected`,
      ]),
  };
}

function elementAt(place: Place, span: Span, index: number): Place {
  const path: PathText = [...place.path, `[${index}]`];
  return { span, path, value: (nodes) => () => nodes.call(span, '_[_]', place.value(nodes)(), nodes.literal(span, index)) };
}

/** The place of a loop's variable. */
function local(span: Span, name: string): Place {
  return { span, path: [], value: (nodes) => () => nodes.ident(span, name) };
}

function first(nodes: CelNodes, span: Span, list: Expr): Expr {
  return nodes.call(span, '_[_]', list, nodes.literal(span, 0));
}

/** Whether there is a struct to be closed in it, as far as can be seen without looking names up. */
function isStructural(expr: CueExpr): boolean {
  switch (expr.kind) {
    case 'struct':
    case 'call':
      return true;
    case 'reference':
      return true;
    case 'and':
    case 'or':
      return expr.terms.some(isStructural);
    default:
      return false;
  }
}

function stringOf(expr: CueExpr): string | undefined {
  return expr.kind === 'literal' && typeof expr.value === 'string' ? expr.value : undefined;
}
