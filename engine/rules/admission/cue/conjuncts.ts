import type { CueExpr, CueField, CueStruct } from '../../../text/cue-syntax/tree.ts';
import { refuse } from '../../../text/cue-syntax/tree.ts';
import type { Span } from '../../../text/diagnostic.ts';
import { suggest } from '../../../text/suggest.ts';
import { isPredeclared, PREDECLARED_NAMES } from './leaf.ts';

/** Where names are looked up: a struct, and the ones around it. */
export interface Scope {
  readonly struct: CueStruct;
  readonly outer?: Scope | undefined;
}

/** One of the things that a value must be all at once. */
export interface Conjunct {
  readonly expr: CueExpr;
  readonly scope: Scope | undefined;
  /** Whether it closes the struct it is, as `close` does, or all structs inside too, as a definition does. */
  readonly closed: 'no' | 'here' | 'deep';
  /** Embedded in a struct, whose fields it then allows. */
  readonly embedded?: boolean;
  /** Says only which fields are allowed; what they are is checked elsewhere. */
  readonly labelsOnly?: boolean;
  /** In a group of its own, so that a closed embedding closes no more than its struct. */
  readonly alone?: boolean;
  /** Shared by all conjuncts of a constraint. */
  readonly effort: Effort;
  /** The declarations that led here, to notice one that leads to itself. */
  readonly trail?: Trail | undefined;
}

/** What is left to spend: definitions that use others twice, and those others twice, would take for ever to write out. */
export interface Effort {
  left: number;
}

function spend(effort: Effort, span: Span): void {
  if (--effort.left < 0) refuse(span, 'too-large', 'with its definitions written out, the constraint is too large');
}

interface Trail {
  readonly value: CueExpr;
  readonly before: Trail | undefined;
}

export interface StructConjunct extends Conjunct {
  readonly expr: CueStruct;
  /** The scope of the struct's own fields. */
  readonly inner: Scope;
}

/** What the conjuncts of one place come down to. */
export interface Atoms {
  readonly structs: StructConjunct[];
  /** Literals, types, bounds, validators and lists. */
  readonly leaves: Conjunct[];
  /** Alternatives, of which one must hold. */
  readonly disjunctions: (Conjunct & { readonly alternatives: readonly Conjunct[] })[];
  /** Conjuncts that are judged on their own: fields of others are not allowed by them, and theirs not by others. */
  readonly groups: (readonly Conjunct[])[];
}

/** Resolves references and takes conjunctions and embeddings apart. */
export function atomsOf(conjuncts: readonly Conjunct[]): Atoms {
  const atoms: Atoms = { structs: [], leaves: [], disjunctions: [], groups: [] };
  for (const conjunct of conjuncts) collect(conjunct, atoms);
  return atoms;
}

function collect(conjunct: Conjunct, atoms: Atoms): void {
  const { expr, scope, effort } = conjunct;
  spend(effort, expr);
  switch (expr.kind) {
    case 'and':
      if (conjunct.embedded && expr.terms.some((term) => closes(term, scope, effort))) {
        refuse(
          expr,
          'unsupported',
          'a conjunction of definitions is not embedded here',
          'write it as one more conjunct of the struct, with &',
        );
      }
      for (const term of expr.terms) collect({ ...conjunct, expr: term }, atoms);
      return;
    case 'or':
      atoms.disjunctions.push({ ...conjunct, alternatives: expr.terms.map((term) => ({ ...conjunct, expr: withoutDefault(term) })) });
      return;
    case 'struct': {
      const inner: Scope = { struct: expr, outer: scope };
      const embeddings = expr.declarations.flatMap((declaration) => (declaration.kind === 'embedding' ? [declaration.value] : []));
      if (!conjunct.alone && !conjunct.embedded && embeddings.some((value) => closes(value, inner, effort))) {
        separate([{ ...conjunct, alone: true }], conjunct, atoms);
        return;
      }
      const onlyEmbeds = embeddings.length > 0 && embeddings.length === expr.declarations.filter(isOfData).length;
      if (!onlyEmbeds) atoms.structs.push({ ...conjunct, expr, inner });
      for (const value of embeddings) collect({ ...conjunct, expr: value, scope: inner, embedded: true }, atoms);
      return;
    }
    case 'reference': {
      const found = resolve(expr.name, scope);
      if (found === undefined) {
        if (!isPredeclared(expr.name)) undefinedName(expr, scope);
        atoms.leaves.push(conjunct);
        return;
      }
      if (found.role === 'data') {
        const hint = 'give the value a name with `let`; to compare fields, write a validation with `expression`';
        refuse(expr, 'unsupported', `${expr.name} is a field: a reference to a field is not read here`, hint);
      }
      const values = found.values.map((value): Conjunct => {
        for (let before = conjunct.trail; before !== undefined; before = before.before) {
          if (before.value === value)
            refuse(expr, 'unsupported', `${expr.name} leads to itself`, 'write out as many levels as there may be');
        }
        const trail: Trail = { value, before: conjunct.trail };
        return { ...conjunct, expr: value, scope: found.scope, trail, closed: found.role === 'definition' ? 'deep' : conjunct.closed };
      });
      if (found.role === 'definition') closedPart(values, conjunct, atoms);
      else for (const value of values) collect(value, atoms);
      return;
    }
    case 'call': {
      const { callee, args } = expr;
      if (callee.kind === 'reference' && callee.name === 'close' && resolve('close', scope) === undefined) {
        const [arg] = args;
        if (arg === undefined || args.length > 1) refuse(expr, 'syntax', 'close takes one struct');
        else closedPart([{ ...conjunct, expr: arg, closed: conjunct.closed === 'deep' ? 'deep' : 'here' }], conjunct, atoms);
        return;
      }
      atoms.leaves.push(conjunct);
      return;
    }
    case 'unary':
      if (expr.operator === '*') {
        refuse(expr, 'syntax', '* marks the default of a disjunction', 'leave it out, or add the other values: *a | b');
      }
      atoms.leaves.push(conjunct);
      return;
    default:
      atoms.leaves.push(conjunct);
  }
}

/** What closes a struct is embedded in the one around it, or stands on its own. */
function closedPart(values: readonly Conjunct[], by: Conjunct, atoms: Atoms): void {
  if (by.embedded) for (const value of values) collect({ ...value, embedded: true }, atoms);
  else separate(values, by, atoms);
}

function separate(values: readonly Conjunct[], by: Conjunct, atoms: Atoms): void {
  if (!by.labelsOnly) atoms.groups.push(values);
  if (by.closed === 'no') return;
  // A closed struct around still has to know what fields these speak of.
  for (const value of values) collect({ ...value, embedded: true, labelsOnly: true }, atoms);
}

function isOfData(declaration: CueStruct['declarations'][number]): boolean {
  if (declaration.kind === 'let') return false;
  return declaration.kind !== 'field' || declaration.role === 'data';
}

/** `*a | b`: a validation fills nothing in, so that the default is a value like the others. */
function withoutDefault(expr: CueExpr): CueExpr {
  return expr.kind === 'unary' && expr.operator === '*' ? expr.operand : expr;
}

interface Resolved {
  readonly role: CueField['role'] | 'let';
  readonly values: readonly CueExpr[];
  readonly scope: Scope;
}

function resolve(name: string, scope: Scope | undefined): Resolved | undefined {
  for (let at = scope; at !== undefined; at = at.outer) {
    const values: CueExpr[] = [];
    let role: Resolved['role'] | undefined;
    for (const declaration of at.struct.declarations) {
      if (declaration.kind === 'let' && declaration.name === name) role = 'let';
      else if (declaration.kind === 'field' && declaration.nameable && declaration.name === name) role = declaration.role;
      else continue;
      values.push(declaration.value);
    }
    if (role !== undefined) return { role, values, scope: at };
  }
  return undefined;
}

function undefinedName(expr: CueExpr & { readonly kind: 'reference' }, scope: Scope | undefined): never {
  const names = [...PREDECLARED_NAMES];
  for (let at = scope; at !== undefined; at = at.outer) {
    for (const declaration of at.struct.declarations) {
      if (declaration.kind === 'let' || (declaration.kind === 'field' && declaration.role !== 'data')) names.push(declaration.name);
    }
  }
  const meant = suggest(expr.name, names);
  return refuse(expr, 'undefined', `${expr.name} is not defined`, meant === undefined ? undefined : `did you mean ${meant}?`);
}

/** Whether the value is closed: a definition, a call of `close`, or something with one of them in it at this place. */
export function closes(expr: CueExpr, scope: Scope | undefined, effort: Effort): boolean {
  spend(effort, expr);
  switch (expr.kind) {
    case 'and':
    case 'or':
      return expr.terms.some((term) => closes(withoutDefault(term), scope, effort));
    case 'struct': {
      const inner: Scope = { struct: expr, outer: scope };
      return expr.declarations.some((declaration) => declaration.kind === 'embedding' && closes(declaration.value, inner, effort));
    }
    case 'call':
      return expr.callee.kind === 'reference' && expr.callee.name === 'close';
    case 'reference': {
      const found = resolve(expr.name, scope);
      if (found === undefined) return false;
      return found.role === 'definition' || found.values.some((value) => closes(value, found.scope, effort));
    }
    default:
      return false;
  }
}
