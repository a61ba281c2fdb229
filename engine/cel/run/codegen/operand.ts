import type { CelValue } from '../../values.ts';
import type { Context, Known, Operand } from './context.ts';
import { type Fragment, js } from './emitter.ts';

/** An operand for a value known now: a literal in the code where JavaScript has one, else a constant passed beside it. */
export function literalOperand(context: Context, value: CelValue): Operand {
  const literal = { value };
  if (typeof value === 'string') return { code: js`${value}`, known: 'string', literal, isSimple: true };
  if (typeof value === 'boolean') return { code: js`${value}`, known: 'bool', literal, isSimple: true };
  if (value === null) return { code: js`null`, literal, isSimple: true };
  if (typeof value === 'number' && Number.isFinite(value)) {
    // In parentheses, because a dot behind a bare number is a decimal point.
    return { code: js`(${value})`, literal, isSimple: true, ...(Number.isSafeInteger(value) ? { known: 'int' as const } : {}) };
  }
  return { code: context.hoist(value), literal, isSimple: true, ...(Array.isArray(value) ? { known: 'list' as const } : {}) };
}

/** The operand as a value: what stands for the inside of an optional becomes an optional. */
export function asValue(context: Context, operand: Operand): Operand {
  if (!operand.isMaybe) return operand;
  return context.bind({ code: js`${context.runtime('optional')}(${operand.code})` });
}

/** Binds the result of a call that may throw. */
export function failing(context: Context, code: Fragment, known?: Known): Operand {
  const name = context.temporary();
  context.emitFailing(js`const ${name} = ${code};\n`);
  return { code: name, isSimple: true, ...(known ? { known } : {}) };
}

/** Binds an expression that can't throw. */
export function computed(context: Context, code: Fragment, known?: Known): Operand {
  const name = context.temporary();
  context.emit(js`const ${name} = ${code};\n`);
  return { code: name, isSimple: true, ...(known ? { known } : {}) };
}

/** An expression that the caller will use once. */
export const expression = (code: Fragment, known?: Known): Operand => ({ code, ...(known ? { known } : {}) });
