import type { Ast } from './ast.ts';
import { check } from './check/check.ts';
import { estimateCost } from './check/cost-estimate.ts';
import type { EnvironmentTables } from './check/environment-tables.ts';
import { environmentTables } from './check/environment-tables.ts';
import { isExactType } from './check/type-relations.ts';
import { instantiationIssues, validate } from './check/validate.ts';
import type { CompileOptions, CompileResult, Environment, EnvironmentOptions } from './environment.ts';
import type { CostEstimate } from './function.ts';
import type { CelIssue } from './issue.ts';
import { kubernetesFeatures } from './kubernetes/features.ts';
import { parse } from './parse/parse.ts';
import { createProgram } from './run/create-program.ts';
import type { CelType } from './types.ts';
import { typeName } from './types.ts';
import { CelError } from './values.ts';

/**
 * Makes an environment to compile expressions against. Without options it is that of the newest Kubernetes known, without
 * variables. Tables of libraries are shared between environments, so that making and extending one is cheap.
 */
export function createEnvironment(options: EnvironmentOptions = {}): Environment {
  return environmentOf(environmentTables(options, undefined, kubernetesFeatures().libraries));
}

function environmentOf(tables: EnvironmentTables): Environment {
  const parseText = (text: string) => parse(text, { macros: tables.macros });
  const compileAst = (ast: Ast, options: CompileOptions = {}): CompileResult => compileTree(ast, tables, options);
  return {
    parse: parseText,
    compileAst,
    compile(text, options) {
      const parsed = parseText(text);
      return parsed.ok ? compileAst(parsed.ast, options) : parsed;
    },
    extend: (options) => environmentOf(environmentTables(options, tables, [])),
  };
}

function compileTree(ast: Ast, tables: EnvironmentTables, options: CompileOptions): CompileResult {
  const checked = check(ast, tables);
  if (!checked.ok) return checked;
  const invalid = validate(checked.ast, tables);
  if (invalid.length > 0) return { ok: false, issues: invalid };
  const { resultType } = checked.ast;
  const wrongResult = resultIssue(ast.text, resultType, options.resultTypes);
  if (wrongResult) return { ok: false, issues: [wrongResult] };
  const unmakable = instantiationIssues(checked.ast, tables.literalValidators);
  if (unmakable.length > 0) return { ok: false, issues: unmakable };
  let estimate: CostEstimate | undefined;
  try {
    return {
      ok: true,
      program: createProgram(checked.ast, options.jsonVariables === undefined ? {} : { jsonVariables: options.jsonVariables }),
      resultType,
      // Few callers ask, so that it is not computed before one does.
      get estimate() {
        estimate ??= estimateCost(checked.ast, options.sizes);
        return estimate;
      },
      issues: [],
    };
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    return { ok: false, issues: [wholeIssue('instantiation', ast.text, error.message)] };
  }
}

/** Kubernetes: apiserver pkg/admission/plugin/cel/compile.go CompileCELExpression. */
function resultIssue(text: string, found: CelType, allowed: readonly CelType[] | undefined): CelIssue | undefined {
  if (!allowed || allowed.some((type) => isExactType(type, found))) return undefined;
  const names = allowed.map(typeName);
  const expected = names.length === 1 ? names[0] : `one of [${names.join(' ')}]`;
  return wholeIssue('result-type', text, `must evaluate to ${expected} but got ${typeName(found)}`);
}

function wholeIssue(code: string, text: string, message: string): CelIssue {
  return { code, severity: 'error', message, start: 0, end: text.length, at: -1 };
}
