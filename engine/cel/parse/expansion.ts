import type { Expr, MacroCall, MapEntry } from '../ast.ts';
import type { CelValue } from '../values.ts';
import type { MacroContext } from './macro.ts';
import { ACCUMULATOR } from './macro.ts';
import type { Position } from './node.ts';
import { callNode, identNode, listNode, literalNode, mapNode, selectNode } from './node.ts';

/** Where an expansion gets ids from and leaves its errors. */
export interface ExpansionHost {
  newId(): number;
  report(code: string, node: Position, message: string): void;
  placeholder(start: number, end: number): Expr;
}

/**
 * The expansion of one macro call. Nodes it makes stand where the call stands and are reported at its opening parenthesis;
 * arguments keep their own positions. cel-go: parser/helper.go exprHelper.
 */
export class Expansion implements MacroContext {
  private failed = false;

  constructor(
    private readonly host: ExpansionHost,
    private readonly macro: MacroCall,
    private readonly position: Position,
  ) {}

  literal(value: CelValue): Expr {
    return literalNode(this.host.newId(), this.position, value);
  }

  ident(name: string): Expr {
    return identNode(this.host.newId(), this.position, name);
  }

  call(fn: string, ...args: Expr[]): Expr {
    return callNode(this.host.newId(), this.position, fn, undefined, args);
  }

  memberCall(target: Expr, fn: string, ...args: Expr[]): Expr {
    return callNode(this.host.newId(), this.position, fn, target, args);
  }

  select(operand: Expr, field: string, testOnly = false): Expr {
    return selectNode(this.host.newId(), this.position, operand, field, testOnly);
  }

  list(...elements: Expr[]): Expr {
    return listNode(this.host.newId(), this.position, elements, []);
  }

  map(...pairs: [key: Expr, value: Expr][]): Expr {
    const { at } = this.position;
    const entries: MapEntry[] = pairs.map(([key, value]) => ({ id: this.host.newId(), key, value, optional: false, at }));
    return mapNode(this.host.newId(), this.position, entries);
  }

  comprehension(parts: Parameters<MacroContext['comprehension']>[0]): Expr {
    const id = this.host.newId();
    const { start, end, at } = this.position;
    const { iterRange, iterVar, iterVar2, accuVar = ACCUMULATOR, accuInit, loopCondition, loopStep, result } = parts;
    const { macro } = this;
    const rest = { accuVar, accuInit, loopCondition, loopStep, result, macro };
    return iterVar2 === undefined
      ? { kind: 'comprehension', id, start, end, at, iterRange, iterVar, ...rest }
      : { kind: 'comprehension', id, start, end, at, iterRange, iterVar, iterVar2, ...rest };
  }

  copy(expr: Expr): Expr {
    const id = this.host.newId();
    switch (expr.kind) {
      case 'literal':
      case 'ident':
        return { ...expr, id };
      case 'select':
        return { ...expr, id, operand: this.copy(expr.operand) };
      case 'call': {
        const args = expr.args.map((arg) => this.copy(arg));
        return expr.target === undefined ? { ...expr, id, args } : { ...expr, id, args, target: this.copy(expr.target) };
      }
      case 'list':
        return { ...expr, id, elements: expr.elements.map((element) => this.copy(element)) };
      case 'map':
        return {
          ...expr,
          id,
          entries: expr.entries.map((entry) => ({
            ...entry,
            id: this.host.newId(),
            key: this.copy(entry.key),
            value: this.copy(entry.value),
          })),
        };
      case 'struct':
        return {
          ...expr,
          id,
          fields: expr.fields.map((field) => ({ ...field, id: this.host.newId(), value: this.copy(field.value) })),
        };
      case 'comprehension':
        return {
          ...expr,
          id,
          iterRange: this.copy(expr.iterRange),
          accuInit: this.copy(expr.accuInit),
          loopCondition: this.copy(expr.loopCondition),
          loopStep: this.copy(expr.loopStep),
          result: this.copy(expr.result),
        };
    }
  }

  error(at: Expr, message: string): Expr {
    this.failed = true;
    this.host.report('macro', at, message);
    return this.host.placeholder(at.start, at.end);
  }

  /** The node that takes the place of the call: it remembers the macro when it is a call itself. */
  finish(expanded: Expr): Expr {
    return expanded.kind === 'call' && !this.failed ? { ...expanded, macro: this.macro } : expanded;
  }
}
