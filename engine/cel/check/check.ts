import type { Ast, Call, Comprehension, Expr, Ident, ListExpr, MapExpr, Select, StructExpr } from '../ast.ts';
import type { CelIssue } from '../issue.ts';
import type { CheckedAst, Reference } from '../program.ts';
import type { CelType } from '../types.ts';
import { BOOL, BYTES, DOUBLE, DYN, ERROR, formatType, INT, listOf, mapOf, NULL, optionalOf, STRING, typeOf, UINT } from '../types.ts';
import type { CelValue } from '../values.ts';
import { Uint } from '../values.ts';
import type { PreparedFunction, PreparedOverload } from './declarations.ts';
import { hintForMacro, hintForOverload, suggest, suggestVariable } from './hint.ts';
import type { CheckEnvironment } from './scope.ts';
import { Scope } from './scope.ts';
import { isExactType, mostGeneral, Unifier } from './type-relations.ts';

export type CheckResult = { readonly ok: true; readonly ast: CheckedAst } | { readonly ok: false; readonly issues: readonly CelIssue[] };

/**
 * Finds the type of every node and what every name refers to, or all that is wrong. Messages and positions are cel-go's
 * (checker/checker.go). Never throws for a mistake in the expression.
 */
export function check(ast: Ast, environment: CheckEnvironment): CheckResult {
  const checker = new Checker(ast, environment);
  const root = checker.check(ast.root);
  if (checker.issues.length > 0) return { ok: false, issues: checker.issues };
  return { ok: true, ast: checker.finish(ast, root) };
}

/** So many issues of an expression get a hint. */
const MAX_HINTS = 100;

class Checker {
  readonly issues: CelIssue[] = [];
  private readonly types: (CelType | undefined)[];
  private readonly references: (Reference | undefined)[];
  private readonly scope: Scope;
  private readonly unifier = new Unifier();

  constructor(
    ast: Ast,
    private readonly environment: CheckEnvironment,
  ) {
    this.types = new Array(ast.nodeCount + 1).fill(undefined);
    this.references = new Array(ast.nodeCount + 1).fill(undefined);
    this.scope = new Scope(environment);
  }

  /** The checked tree: type variables are replaced by what they turned out to be, or dyn. */
  finish(ast: Ast, resultType: CelType): CheckedAst {
    const { types, unifier } = this;
    for (let id = 0; id < types.length; id++) {
      const type = types[id];
      if (type) types[id] = unifier.substitute(type, true);
    }
    return {
      text: ast.text,
      root: ast.root,
      nodeCount: ast.nodeCount,
      types,
      references: this.references,
      resultType: unifier.substitute(resultType, true),
    };
  }

  check(expr: Expr): CelType {
    const type = this.typeOf(expr);
    this.types[expr.id] = type;
    return type;
  }

  private typeOf(expr: Expr): CelType {
    switch (expr.kind) {
      case 'literal':
        return literalType(expr.value);
      case 'ident':
        return this.checkIdent(expr);
      case 'select':
        return this.checkSelect(expr);
      case 'call':
        return this.checkCall(expr);
      case 'list':
        return this.checkList(expr);
      case 'map':
        return this.checkMap(expr);
      case 'struct':
        return this.checkStruct(expr);
      case 'comprehension':
        return this.checkComprehension(expr);
    }
  }

  private report(
    code: string,
    node: { readonly start: number; readonly end: number; readonly at: number },
    message: string,
    hint?: string,
  ) {
    const { start, end, at } = node;
    this.issues.push({ code, severity: 'error', message, start, end, at, ...(hint === undefined ? {} : { hint }) });
  }

  private undeclared(node: Expr, name: string, candidates: () => Iterable<string>, suggestion = suggest): CelType {
    const message = `undeclared reference to '${name}' (in container '${this.environment.container}')`;
    this.report('undeclared-reference', node, message, this.hint(name.replace(/^\./, ''), candidates, suggestion));
    return ERROR;
  }

  /** A suggestion, for as many issues as anybody reads. */
  private hint(name: string, candidates: () => Iterable<string>, suggestion = suggest): string | undefined {
    return this.issues.length < MAX_HINTS ? suggestion(name, candidates()) : undefined;
  }

  private mismatch(node: { readonly start: number; readonly end: number; readonly at: number }, expected: CelType, found: CelType): void {
    this.report('type-mismatch', node, `expected type '${formatType(expected)}' but found '${formatType(found)}'`);
  }

  private checkIdent(expr: Ident): CelType {
    const declaration = this.scope.resolveIdent(expr.name);
    if (!declaration) return this.undeclared(expr, expr.name, () => this.identifierNames(), suggestVariable);
    this.references[expr.id] = declaration.reference;
    return declaration.type;
  }

  private *identifierNames(): Iterable<string> {
    yield* this.scope.localNames();
    yield* this.environment.variables.names();
    yield* this.environment.declarations.identifiers.keys();
  }

  private checkSelect(expr: Select): CelType {
    const name = qualifiedName(expr);
    if (name !== undefined) {
      const declaration = this.scope.resolveQualified(name.slice(0, name.indexOf('.', 1)), name);
      if (declaration) {
        this.references[expr.id] = declaration.reference;
        return declaration.type;
      }
    }
    const type = this.checkField(expr, expr.operand, expr.field, false);
    return expr.testOnly ? BOOL : this.unifier.substitute(type, false);
  }

  /** The type of a field of an operand; the operand may be optional, and then so is the result. */
  private checkField(expr: Expr, operand: Expr, field: string, optional: boolean): CelType {
    const operandType = this.unifier.substitute(this.check(operand), false);
    const target = operandType.kind === 'optional' ? operandType.value : operandType;
    const result = this.fieldOf(expr, target, field);
    return optional || operandType.kind === 'optional' ? optionalOf(result) : result;
  }

  private fieldOf(expr: Expr, target: CelType, field: string): CelType {
    switch (target.kind) {
      case 'map':
        return target.value;
      case 'object':
        return this.fieldType(expr, target.name, field) ?? ERROR;
      case 'opaque':
        // Kubernetes declares its own types, other than those of addresses, as structures that nobody knows the fields of.
        if (target.name.startsWith('kubernetes.')) return this.fieldType(expr, target.name, field) ?? ERROR;
        return this.noFields(expr, target);
      case 'param':
        // Nothing is known of the operand: it is dyn from here on.
        this.unifier.isAssignable(DYN, target);
        return DYN;
      case 'dyn':
      case 'error':
        return DYN;
      default:
        return this.noFields(expr, target);
    }
  }

  private noFields(expr: Expr, target: CelType): CelType {
    const hint = target.kind === 'list' ? 'it is a list: take one by [index], or all with map, all or exists' : undefined;
    this.report('no-field-selection', expr, `type '${formatType(target)}' does not support field selection`, hint);
    return DYN;
  }

  /** The declared type of a structure's field, or undefined after an issue. */
  private fieldType(
    node: { readonly start: number; readonly end: number; readonly at: number },
    typeName: string,
    field: string,
  ): CelType | undefined {
    const struct = this.environment.types?.structType(typeName);
    if (!struct) {
      this.report('unknown-type', node, `unexpected failed resolution of '${typeName}'`);
      return undefined;
    }
    const type = struct.field(field);
    if (type) return type;
    if (struct.open) return DYN;
    this.report(
      'undefined-field',
      node,
      `undefined field '${field}'`,
      this.hint(field, () => struct.fieldNames()),
    );
    return undefined;
  }

  private checkCall(expr: Call): CelType {
    if (expr.fn === '_?._') return this.checkOptionalSelect(expr);
    const argTypes = expr.args.map((arg) => this.check(arg));
    const { target } = expr;
    if (target === undefined) {
      const fn = this.scope.resolveFunction(expr.fn);
      if (!fn) return this.undeclaredFunction(expr);
      return this.resolveOverload(expr, fn, false, argTypes);
    }
    // `a.b.c()` is a function of that full name before it is a method of `a.b`.
    const prefix = qualifiedName(target);
    if (prefix !== undefined) {
      const fn = this.scope.resolveFunction(`${prefix}.${expr.fn}`);
      if (fn) return this.resolveOverload(expr, fn, false, argTypes);
    }
    argTypes.unshift(this.check(target));
    const fn = this.scope.resolveFunction(expr.fn);
    if (!fn) return this.undeclaredFunction(expr);
    return this.resolveOverload(expr, fn, true, argTypes);
  }

  private undeclaredFunction(expr: Call): CelType {
    const member = expr.target !== undefined;
    const message = `undeclared reference to '${expr.fn}' (in container '${this.environment.container}')`;
    const macros = (this.environment.macros ?? []).filter((macro) => macro.member === member && macro.name === expr.fn);
    const hint =
      macros.length > 0 ? hintForMacro(expr.fn, macros) : this.hint(expr.fn.replace(/^\./, ''), () => this.functionNames(member));
    this.report('undeclared-reference', expr, message, hint);
    return ERROR;
  }

  private *functionNames(member: boolean): Iterable<string> {
    for (const fn of this.environment.declarations.functions.values()) {
      if (fn.overloads.some((each) => each.overload.member === member)) yield fn.name;
    }
    for (const macro of this.environment.macros ?? []) if (macro.member === member) yield macro.name;
  }

  private checkOptionalSelect(expr: Call): CelType {
    const [operand, field] = expr.args;
    const name = field?.kind === 'literal' ? field.value : undefined;
    if (operand === undefined || typeof name !== 'string') {
      this.report('no-field-selection', expr, 'unsupported optional field selection: incorrect signature.');
      return ERROR;
    }
    const type = this.checkField(expr, operand, name, true);
    const fn = this.scope.resolveFunction(expr.fn);
    if (fn?.overloads[0]) this.references[expr.id] = fn.overloads[0].reference;
    this.types[field!.id] = STRING;
    return this.unifier.substitute(type, false);
  }

  private resolveOverload(expr: Call, fn: PreparedFunction, member: boolean, argTypes: readonly CelType[]): CelType {
    const { unifier } = this;
    if (fn.name === '_&&_' || fn.name === '_||_') return this.checkLogic(expr, fn, argTypes);
    const matching: PreparedOverload[] = [];
    let result: CelType | undefined;
    for (const prepared of fn.overloads) {
      const { overload, variables } = prepared;
      if (overload.member !== member) continue;
      let args = overload.args;
      let type = overload.result;
      if (variables.length > 0) {
        const fresh = new Map(variables.map((name) => [name, unifier.newVariable()] as const));
        args = args.map((arg) => instantiate(arg, fresh));
        type = instantiate(type, fresh);
      }
      if (!unifier.areAssignable(argTypes, args)) continue;
      matching.push(prepared);
      const substituted = unifier.substitute(type, false);
      if (result === undefined) result = substituted;
      else if (result.kind !== 'dyn' && !isExactType(substituted, result)) result = DYN;
    }
    if (result === undefined) {
      const found = argTypes.map((type) => unifier.substitute(type, true));
      const signature = formatSignature(found, member);
      const message = `found no matching overload for '${fn.name}' applied to '${signature}'`;
      this.report('no-matching-overload', expr, message, hintForOverload(fn, member, found));
      return ERROR;
    }
    this.references[expr.id] =
      matching.length === 1
        ? matching[0]!.reference
        : { kind: 'function', name: fn.name, overloads: matching.map((prepared) => prepared.overload) };
    return result;
  }

  private checkLogic(expr: Call, fn: PreparedFunction, argTypes: readonly CelType[]): CelType {
    let ok = true;
    argTypes.forEach((type, index) => {
      if (this.unifier.isAssignable(type, BOOL)) return;
      this.mismatch(expr.args[index]!, BOOL, type);
      ok = false;
    });
    if (!ok) return ERROR;
    if (fn.overloads[0]) this.references[expr.id] = fn.overloads[0].reference;
    return BOOL;
  }

  private checkList(expr: ListExpr): CelType {
    let joined: CelType | undefined;
    let optionals = 0;
    for (const [index, element] of expr.elements.entries()) {
      let type = this.check(element);
      if (expr.optionalIndices[optionals] === index) {
        optionals++;
        type = this.unwrapOptional(element, type);
      }
      joined = this.join(joined, type);
    }
    return listOf(joined ?? this.unifier.newVariable());
  }

  private checkMap(expr: MapExpr): CelType {
    let keys: CelType | undefined;
    let values: CelType | undefined;
    for (const { key, value, optional } of expr.entries) {
      keys = this.join(keys, this.check(key));
      let type = this.check(value);
      if (optional) type = this.unwrapOptional(value, type);
      values = this.join(values, type);
    }
    keys ??= this.unifier.newVariable();
    return mapOf(keys, values ?? this.unifier.newVariable());
  }

  private unwrapOptional(node: Expr, type: CelType): CelType {
    if (type.kind === 'optional') return type.value;
    if (type.kind !== 'dyn') this.mismatch(node, optionalOf(type), type);
    return type;
  }

  /** The common type of what came before and one more element; a mixture is dyn, which the validators may refuse later. */
  private join(previous: CelType | undefined, current: CelType): CelType {
    if (previous === undefined) return current;
    return this.unifier.isAssignable(previous, current) ? mostGeneral(previous, current) : DYN;
  }

  private checkStruct(expr: StructExpr): CelType {
    const declaration = this.scope.resolveTypeName(expr.typeName);
    if (!declaration) return this.undeclared(expr, expr.typeName, () => []);
    const { reference } = declaration;
    this.references[expr.id] = reference;
    const constructed = declaration.type.kind === 'type' ? declaration.type.of : undefined;
    let type: CelType = ERROR;
    if (constructed?.kind === 'object') type = constructed;
    else this.report('not-a-message', expr, `'${constructed ? formatType(constructed) : expr.typeName}' is not a message type`);
    this.types[expr.id] = type;
    for (const field of expr.fields) {
      const position = { start: field.start, end: field.value.end, at: field.at };
      let valueType = this.check(field.value);
      const fieldType = type.kind === 'object' ? (this.fieldType(position, type.name, field.name) ?? ERROR) : ERROR;
      if (field.optional) valueType = this.unwrapOptional(field.value, valueType);
      if (this.unifier.isAssignable(fieldType, valueType)) continue;
      const message = `expected type of field '${field.name}' is '${formatType(fieldType)}' but provided type is '${formatType(valueType)}'`;
      this.report('type-mismatch', position, message);
    }
    return type;
  }

  private checkComprehension(expr: Comprehension): CelType {
    const { scope, unifier } = this;
    const rangeType = unifier.substitute(this.check(expr.iterRange), false);
    const accuType = this.check(expr.accuInit);
    scope.push(expr.accuVar, accuType);
    const [first, second] = this.iterationTypes(expr, rangeType);
    scope.push(expr.iterVar, first);
    if (expr.iterVar2 !== undefined) scope.push(expr.iterVar2, second);
    this.expect(expr.loopCondition, this.check(expr.loopCondition), BOOL);
    this.expect(expr.loopStep, this.check(expr.loopStep), accuType);
    scope.pop(expr.iterVar2 === undefined ? 1 : 2);
    const result = this.check(expr.result);
    scope.pop(1);
    return unifier.substitute(result, false);
  }

  private expect(node: Expr, found: CelType, expected: CelType): void {
    if (!this.unifier.isAssignable(expected, found)) this.mismatch(node, expected, found);
  }

  /** Types of the first and, in two-variable macros, the second iteration variable. */
  private iterationTypes(expr: Comprehension, range: CelType): readonly [CelType, CelType] {
    switch (range.kind) {
      case 'list':
        return expr.iterVar2 === undefined ? [range.element, ERROR] : [INT, range.element];
      case 'map':
        return [range.key, range.value];
      case 'dyn':
      case 'error':
      case 'param':
        this.unifier.isAssignable(DYN, range);
        return [DYN, DYN];
      default: {
        const type = formatType(range);
        const message = `expression of type '${type}' cannot be range of a comprehension (must be list, map, or dynamic)`;
        this.report('not-a-range', expr.iterRange, message);
        return [ERROR, ERROR];
      }
    }
  }
}

function literalType(value: CelValue): CelType {
  switch (typeof value) {
    case 'string':
      return STRING;
    case 'boolean':
      return BOOL;
    case 'bigint':
      return INT;
    case 'number':
      return Number.isInteger(value) ? INT : DOUBLE;
  }
  if (value === null) return NULL;
  if (value instanceof Uint) return UINT;
  if (value instanceof Uint8Array) return BYTES;
  return DOUBLE;
}

/** `a.b.c` when the expression is nothing but that; `has()` is not. */
function qualifiedName(expr: Expr): string | undefined {
  if (expr.kind === 'ident') return expr.name;
  if (expr.kind !== 'select' || expr.testOnly) return undefined;
  const prefix = qualifiedName(expr.operand);
  return prefix === undefined ? undefined : `${prefix}.${expr.field}`;
}

function instantiate(type: CelType, fresh: ReadonlyMap<string, CelType>): CelType {
  switch (type.kind) {
    case 'param':
      return fresh.get(type.name) ?? type;
    case 'list':
      return listOf(instantiate(type.element, fresh));
    case 'map':
      return mapOf(instantiate(type.key, fresh), instantiate(type.value, fresh));
    case 'optional':
      return optionalOf(instantiate(type.value, fresh));
    case 'type':
      return type.of ? typeOf(instantiate(type.of, fresh)) : type;
    case 'opaque':
      return type.params.length === 0 ? type : { ...type, params: type.params.map((each) => instantiate(each, fresh)) };
    default:
      return type;
  }
}

/** `(int, string)`, or `string.(int)` for a method. cel-go: checker/format.go formatFunctionDeclType. */
function formatSignature(args: readonly CelType[], member: boolean): string {
  const names = args.map(formatType);
  return member ? `${names[0]}.(${names.slice(1).join(', ')})` : `(${names.join(', ')})`;
}
