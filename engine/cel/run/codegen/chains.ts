import type { Call, Expr, Ident, Select } from '../../ast.ts';
import type { CelType } from '../../types.ts';
import type { CelValue } from '../../values.ts';
import { isInherited } from '../inherited.ts';
import { mapKey } from '../map-key.ts';
import { type Context, factKey, type Operand, type Scope, Unsupported } from './context.ts';
import { type Code, js, property } from './emitter.ts';
import { asValue, computed, failing, literalOperand } from './operand.ts';

/** Whether cel-go makes the node part of one chain with its operand, so that the chain's own cost falls due once. */
function continuesChain(expr: Expr): boolean {
  return expr.kind === 'ident' || expr.kind === 'select' || (expr.kind === 'call' && /^_(\[\??_\]|\?\._|\?_:_)$/.test(expr.fn));
}

/** A variable of a comprehension or of the activation. */
export function visitIdent(context: Context, expr: Ident, scope: Scope | undefined): Operand {
  const reference = context.ast.references[expr.id];
  const name = reference && reference.kind !== 'function' ? reference.name : expr.name.replace(/^\./, '');
  context.charge(1);
  for (let at = expr.name.startsWith('.') ? undefined : scope; at; at = at.parent) if (at.name === name) return at.operand;
  return activationVariable(context, name);
}

/** A variable that is absent is an error, and so rare that the fast back end need not know how to go on from it. */
function activationVariable(context: Context, name: string): Operand {
  return { code: context.variable(name), isSimple: true, json: context.jsonVariables.has(name) };
}

/** `operand.field` and `has(operand.field)`. */
export function visitSelect(context: Context, expr: Select, scope: Scope | undefined): Operand {
  const reference = context.ast.references[expr.id];
  if (reference && reference.kind === 'variable') {
    context.charge(1);
    return activationVariable(context, reference.name);
  }
  const operand = visitContainer(context, expr.operand, scope);
  context.charge(1);
  if (expr.testOnly) return presenceOf(context, operand, expr.field);
  const selected = selectConstant(context, operand, expr.field);
  return isJsonField(context, expr, scope) ? { ...selected, json: true } : selected;
}

/** A field of a variable of the activation of which it is known that its values are parsed JSON: `variables.containers`. */
function isJsonField({ jsonVariables }: Context, { operand, field }: Select, scope: Scope | undefined): boolean {
  if (operand.kind !== 'ident' || !jsonVariables.has(`${operand.name}.${field}`)) return false;
  for (let at = scope; at; at = at.parent) if (at.name === operand.name) return false;
  return true;
}

/** The operand of a select or index. What is optional stays open, because the rest of the chain looks into it. */
function visitContainer(context: Context, expr: Expr, scope: Scope | undefined): Operand {
  const operand = context.bind(context.visit(context, expr, scope));
  if (!continuesChain(expr)) context.charge(1);
  if (operand.isMaybe || operand.json || !isOptionalType(context.ast.types[expr.id])) return operand;
  // Only the start of a chain is looked into.
  if (expr.kind === 'select' || (expr.kind === 'call' && expr.fn === '_[_]')) throw new Unsupported('an optional inside a chain');
  return { ...context.bind({ code: js`${context.runtime('inside')}(${operand.code})` }), isMaybe: true };
}

const isOptionalType = (type: CelType | undefined): boolean => type?.kind === 'optional';

/** The element under a constant key. */
function selectConstant(context: Context, operand: Operand, key: CelValue): Operand {
  if (operand.isMaybe) return lookUp(context, operand, literalOperand(context, key));
  if (typeof key !== 'string') return indexConstant(context, operand, key);
  if (!operand.json) return failing(context, js`${context.runtime('field')}(${operand.code}, ${key})`);
  if (isInherited(key)) return { ...failing(context, js`${context.runtime('select')}(${operand.code}, ${key})`), json: true };
  const known = context.block.facts.get(factKey(operand, key));
  if (known) return { code: known, isSimple: true, json: true };
  const result = context.declare();
  const { code } = operand;
  context.emitFailing(
    js`if ((${result} = ${rawField(operand, key)}) === undefined) ${result} = ${context.runtime('select')}(${code}, ${key});\n`,
  );
  context.block.facts.set(factKey(operand, key), result);
  return { code: result, isSimple: true, json: true };
}

/** A field of parsed JSON, undefined when it is not there. */
const rawField = ({ code }: Operand, field: string): Code =>
  js`typeof ${code} === 'object' && ${code} !== null ? ${property(code, field)} : undefined`;

function indexConstant(context: Context, operand: Operand, key: CelValue): Operand {
  const json = operand.json ?? false;
  const { code } = operand;
  const keyCode = literalOperand(context, key).code;
  if (typeof key === 'number' && Number.isSafeInteger(key) && key >= 0) {
    const access = js`Array.isArray(${code}) && ${code}.length > ${key} ? ${code}[${key}] : ${context.runtime('at')}(${code}, ${key})`;
    return { ...failing(context, access), json };
  }
  return { ...failing(context, js`${context.runtime('at')}(${code}, ${keyCode})`), json };
}

/** Looks into what may be none. */
function lookUp(context: Context, operand: Operand, key: Operand): Operand {
  const { code } = operand;
  const find = js`${context.runtime('maybe')}(${code}, ${key.code})`;
  const json = operand.json ?? false;
  if (!operand.isMaybe) return { ...failing(context, find), isMaybe: true, json };
  return { ...failing(context, js`${code} === undefined ? undefined : ${find}`), isMaybe: true, json };
}

function presenceOf(context: Context, operand: Operand, field: string): Operand {
  const { code } = operand;
  if (operand.isMaybe) return failing(context, js`${code} !== undefined && ${context.runtime('present')}(${code}, ${field})`, 'bool');
  if (!operand.json || isInherited(field)) return failing(context, js`${context.runtime('present')}(${code}, ${field})`, 'bool');
  const key = factKey(operand, field);
  if (context.block.facts.has(key)) return { code: js`true`, known: 'bool', isSimple: true };
  const value = context.declare();
  // Asking a list for a field is an error, and so rare that it is left to the tracing back end: `has` can't fail then.
  context.emit(js`${value} = ${rawField(operand, field)};\n`);
  const test = js`(${value} !== undefined || ${context.runtime('absentFrom')}(${code}))`;
  return { ...computed(context, test, 'bool'), whenTrue: new Map([[key, value]]) };
}

/** `a[b]`, `a[?b]` and `a.?b`. */
export function visitIndex(context: Context, expr: Call, operands: readonly Expr[], scope: Scope | undefined): Operand {
  const isOptional = expr.fn !== '_[_]';
  const container = visitContainer(context, operands[0]!, scope);
  context.charge(1);
  const constant = context.known.get(operands[1]!.id);
  const isConstantKey = constant !== undefined && mapKey(constant) !== undefined;
  if (isConstantKey && !isOptional) return selectConstant(context, container, constant);
  if (isConstantKey) return lookUp(context, openContainer(context, operands[0]!, container), literalOperand(context, constant));
  if (container.isMaybe || isOptional) return lookUpLater(context, openContainer(context, operands[0]!, container), operands[1]!, scope);
  const key = asValue(context, context.bind(context.visit(context, operands[1]!, scope)));
  return {
    ...failing(context, js`${context.runtime('at')}(${container.code}, ${key.code})`),
    json: container.json ?? false,
  };
}

/** A container that may turn out to be an optional at run time is looked into where the chain starts. */
function openContainer(context: Context, expr: Expr, container: Operand): Operand {
  if (container.isMaybe || container.json) return container;
  const startsHere = expr.kind !== 'select' && !(expr.kind === 'call' && expr.fn === '_[_]');
  if (!startsHere) return container;
  return { ...context.bind({ code: js`${context.runtime('inside')}(${container.code})` }), isMaybe: true };
}

/** A computed key is computed only when there is something to look into. */
function lookUpLater(context: Context, container: Operand, keyExpr: Expr, scope: Scope | undefined): Operand {
  const result = context.temporary();
  const { block } = context.capture(() => {
    const key = asValue(context, context.bind(context.visit(context, keyExpr, scope)));
    context.emitFailing(js`${result} = ${context.runtime('maybe')}(${container.code}, ${key.code});\n`);
  });
  context.absorb(block);
  context.emit(
    container.isMaybe
      ? js`let ${result};\nif (${container.code} !== undefined) {\n${block.statements}}\n`
      : js`let ${result};\n{\n${block.statements}}\n`,
  );
  return { code: result, isSimple: true, isMaybe: true, json: container.json ?? false };
}
