import type { Comprehension, Expr } from '../cel/ast.ts';
import { children } from '../cel/check/walk.ts';
import type { CheckedAst } from '../cel/program.ts';
import type { FieldDemand } from '../object/projection.ts';

/** What an expression reads, by the variable that it reads from: `self`, an id, `variables`. */
export type Reads = ReadonlyMap<string, FieldDemand>;

/**
 * Which fields of which variables an expression reads. `self.spec.replicas` reads that field, `self.spec.ports.all(p, p.port > 0)` the
 * field `port` of every port; a value that is handed on as a whole is read with everything in it. Never less than what an evaluation
 * looks at, sometimes more.
 */
export function readsOf(ast: CheckedAst): Reads {
  const analysis = new Analysis(ast);
  analysis.use(ast.root, new Map());
  return analysis.reads;
}

/** Both demands in one. */
export function mergeDemand(a: FieldDemand | undefined, b: FieldDemand): FieldDemand {
  if (a === undefined) return b;
  if (a === true || b === true) return true;
  const merged = new Map(Object.entries(a));
  for (const [field, demand] of Object.entries(b)) merged.set(field, mergeDemand(merged.get(field), demand));
  return fromMap(merged);
}

/** The demand of one field, `true` for everything below it. */
function demandAt(path: readonly string[], leaf: FieldDemand = true): FieldDemand {
  return path.reduceRight<FieldDemand>((demand, field) => fromMap(new Map([[field, demand]])), leaf);
}

/** Own properties only: fields may be called `__proto__`. */
function fromMap(fields: ReadonlyMap<string, FieldDemand>): FieldDemand {
  return Object.fromEntries(fields);
}

/** A part of a variable's value. */
interface Place {
  readonly root: string;
  readonly path: readonly string[];
}

/** Variables of comprehensions; undefined: its value is no part of a variable's. */
type Locals = ReadonlyMap<string, Place | undefined>;

class Analysis {
  readonly reads = new Map<string, FieldDemand>();

  constructor(private readonly ast: CheckedAst) {}

  /** The value is looked at, or goes where it is not followed. */
  use(expr: Expr, locals: Locals): void {
    const place = this.visit(expr, locals);
    if (place !== undefined) this.#record(place);
  }

  #record({ root, path }: Place): void {
    this.reads.set(root, mergeDemand(this.reads.get(root), demandAt(path)));
  }

  /** The place that the expression denotes, not yet read; undefined where it is none, after what it reads has been noted. */
  visit(expr: Expr, locals: Locals): Place | undefined {
    switch (expr.kind) {
      case 'ident':
        return this.#ident(expr.name, expr.id, locals);
      case 'select': {
        const qualified = this.ast.references[expr.id];
        if (qualified?.kind === 'constant') return undefined;
        const place = this.visit(expr.operand, locals);
        if (place === undefined) return undefined;
        const field = below(place, expr.field);
        if (!expr.testOnly) return field;
        this.#record(field);
        return undefined;
      }
      case 'call':
        return this.#call(expr, locals);
      case 'comprehension':
        return this.#comprehension(expr, locals);
      default:
        for (const child of children(expr)) this.use(child, locals);
        return undefined;
    }
  }

  #ident(name: string, id: number, locals: Locals): Place | undefined {
    if (locals.has(name)) return locals.get(name);
    const plain = name.startsWith('.') ? name.slice(1) : name;
    return this.ast.references[id]?.kind === 'variable' ? { root: plain, path: [] } : undefined;
  }

  #call(expr: Expr & { readonly kind: 'call' }, locals: Locals): Place | undefined {
    const [first, second] = expr.args;
    switch (expr.fn) {
      case '_[_]':
      case '_[?_]':
      case '_?._': {
        const place = this.visit(first as Expr, locals);
        const key = second as Expr;
        if (place === undefined) {
          this.use(key, locals);
          return undefined;
        }
        if (key.kind === 'literal' && typeof key.value === 'string') return below(place, key.value);
        this.use(key, locals);
        return below(place, '*');
      }
      case 'orValue':
      case 'value':
        if (expr.target !== undefined) {
          for (const arg of expr.args) this.use(arg, locals);
          return this.visit(expr.target, locals);
        }
    }
    for (const child of children(expr)) this.use(child, locals);
    return undefined;
  }

  #comprehension(expr: Comprehension, locals: Locals): Place | undefined {
    const range = this.visit(expr.iterRange, locals);
    const isMap = this.ast.types[expr.iterRange.id]?.kind === 'map' || this.ast.types[expr.iterRange.id]?.kind === 'object';
    const element = range === undefined ? undefined : below(range, '*');
    const inner = new Map(locals);
    inner.set(expr.accuVar, this.visit(expr.accuInit, locals));
    if (expr.iterVar2 === undefined) inner.set(expr.iterVar, isMap ? undefined : element);
    else {
      inner.set(expr.iterVar, undefined);
      inner.set(expr.iterVar2, element);
    }
    this.use(expr.loopCondition, inner);
    this.use(expr.loopStep, inner);
    const result = this.visit(expr.result, inner);
    // How many elements there are matters in any case.
    if (range !== undefined && !isRead(this.reads.get(range.root), range.path)) this.#record(range);
    return result;
  }
}

const below = (place: Place, field: string): Place => ({ root: place.root, path: [...place.path, field] });

function isRead(demand: FieldDemand | undefined, path: readonly string[]): boolean {
  let found = demand;
  for (const field of path) {
    if (found === undefined || found === true) return found === true;
    found = Object.hasOwn(found, field) ? found[field] : undefined;
  }
  return found !== undefined;
}
