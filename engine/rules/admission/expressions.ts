import type { Ast } from '../../cel/ast.ts';
import type { CompileOptions, Environment } from '../../cel/environment.ts';
import { isCelIdentifier } from '../../cel/identifier.ts';
import type { CelIssue } from '../../cel/issue.ts';
import { ADMISSION_VARIABLES } from '../../cel/run/create-program.ts';
import { type CelType, DYN, object, type TypeProvider } from '../../cel/types.ts';
import type { Severity } from '../../text/diagnostic.ts';
import { type Document, type DocumentPath, formatPath } from '../../text/document.ts';
import type { Reporter } from '../reporter.ts';
import type { VariableDocument } from '../shapes.ts';
import { givesJson } from './json-values.ts';
import type { Expression } from './policy.ts';
import { combineTypes, NAMESPACE_TYPE, patchTypes, REQUEST_TYPE, requestTypes } from './request-types.ts';
import { variableType } from './variable-type.ts';
import { VARIABLES_TYPE, type Variable, type VariableTable, variableTable } from './variables.ts';

/** Puts something around a compiled expression of a document, for a host that wants to see what it is evaluated to. */
export type InstrumentExpression = (expression: Expression, document: Document) => Expression;

/** Changes a parsed tree before it is checked; undefined leaves it as it is. */
export type Rewrite = (ast: Ast) => Ast;

export interface ExpressionScope {
  /** `authorizer` is declared. */
  readonly authorizer?: boolean;
  /** `Object{...}`, `JSONPatch{...}` and `jsonpatch.escapeKey` are declared. */
  readonly patches?: boolean;
  /** `variables` is declared, with the ones compiled so far. */
  readonly variables?: boolean;
  /** Further variables, of templates and loops. */
  readonly locals?: Readonly<Record<string, CelType>>;
  /** Where the expression begins in the string at its path. */
  readonly offset?: number;
}

export interface ExpressionOptions {
  /** Libraries and variables that all expressions of the kind may use. */
  readonly environment: Environment;
  /** Environment with what mutating expressions may use on top. */
  readonly patchEnvironment?: Environment;
  /** Type of `object` and `oldObject`. Default: dyn. */
  readonly objectType?: CelType;
  /** Types behind {@link objectType} and {@link paramsType}. */
  readonly types?: readonly TypeProvider[];
  /** Declares `params`. */
  readonly paramsType?: CelType | undefined;
  /** Further variables of the kind. */
  readonly variables?: Readonly<Record<string, CelType>>;
  readonly rewrite?: Rewrite;
  /** What issues are reported as. */
  readonly issues?: { readonly severity?: Severity; readonly note?: string };
  /** Types of `authorizer` and `authorizer.requestResource`. */
  readonly authorizerTypes: Readonly<Record<string, CelType>>;
  readonly instrument?: InstrumentExpression | undefined;
}

/** Compiles the expressions of one policy, and says what is wrong with them. */
export interface ExpressionCompiler {
  compile(path: DocumentPath, text: string, scope: ExpressionScope, options?: CompileOptions): Expression | undefined;
  /** Compiles a tree that was made from the text at `path`; a mistake that stands in it several times is reported once. */
  compileAst(
    path: DocumentPath,
    ast: Ast,
    scope: ExpressionScope,
    options?: CompileOptions & { readonly phrase?: (issue: CelIssue) => CelIssue },
  ): Expression | undefined;
  /** Compiles `variables`; later expressions see them, and so does each the earlier ones. */
  variables(path: DocumentPath, documents: readonly VariableDocument[] | undefined): VariableTable;
}

export function expressionCompiler(report: Reporter, options: ExpressionOptions): ExpressionCompiler {
  const variableTypes = new Map<string, CelType>();
  const jsonVariables = new Set(ADMISSION_VARIABLES);
  const variableStruct = {
    name: VARIABLES_TYPE,
    field: (name: string) => variableTypes.get(name),
    fieldNames: () => variableTypes.keys(),
  };
  const types = combineTypes(
    { structType: (name) => (name === VARIABLES_TYPE ? variableStruct : undefined) },
    requestTypes,
    ...(options.types ?? []),
  );
  const objectType = options.objectType ?? DYN;
  const declared: Record<string, CelType> = {
    object: objectType,
    oldObject: objectType,
    request: REQUEST_TYPE,
    namespaceObject: NAMESPACE_TYPE,
    ...(options.paramsType === undefined ? {} : { params: options.paramsType }),
    ...options.variables,
  };
  const environments = new Map<string, Environment>();

  function environment(scope: ExpressionScope): Environment {
    const key = `${scope.authorizer ?? false} ${scope.patches ?? false} ${scope.variables ?? false}`;
    let found = environments.get(key);
    if (found === undefined) {
      const base = scope.patches ? (options.patchEnvironment ?? options.environment) : options.environment;
      found = base.extend({
        variables: {
          ...declared,
          ...(scope.authorizer ? options.authorizerTypes : {}),
          ...(scope.variables ? { variables: object(VARIABLES_TYPE) } : {}),
        },
        types: scope.patches ? combineTypes(types, patchTypes) : types,
      });
      environments.set(key, found);
    }
    return scope.locals === undefined ? found : found.extend({ variables: scope.locals });
  }

  function compile(path: DocumentPath, text: string, scope: ExpressionScope, compileOptions?: CompileOptions): Expression | undefined {
    if (text.trim() === '') {
      report.error(path, 'admission-required', 'Required value: expression is not specified');
      return undefined;
    }
    const parsed = environment(scope).parse(text);
    if (!parsed.ok) {
      for (const issue of parsed.issues)
        report.issue(path, issue, { ...options.issues, ...(scope.offset === undefined ? {} : { offset: scope.offset }) });
      return undefined;
    }
    return check(path, parsed.ast, scope, compileOptions);
  }

  function check(
    path: DocumentPath,
    parsed: Ast,
    scope: ExpressionScope,
    compileOptions?: CompileOptions,
    phrase: (issue: CelIssue) => CelIssue | undefined = (issue) => issue,
  ): Expression | undefined {
    const ast = options.rewrite === undefined ? parsed : options.rewrite(parsed);
    const compiled = environment(scope).compileAst(ast, { ...compileOptions, jsonVariables });
    for (const issue of compiled.issues.flatMap((found) => phrase(found) ?? []))
      report.issue(path, issue, { ...options.issues, ...(scope.offset === undefined ? {} : { offset: scope.offset }) });
    if (!compiled.ok) return undefined;
    const expression = { text: ast.text, program: compiled.program, path: formatPath(path) };
    return options.instrument === undefined ? expression : options.instrument(expression, report.document);
  }

  return {
    compile,
    compileAst(path, ast, scope, { phrase, ...compileOptions } = {}) {
      const seen = new Set<string>();
      const repeated = ({ start, message }: CelIssue) => seen.size === seen.add(`${start} ${message}`).size;
      return check(path, ast, scope, compileOptions, (issue) => (repeated(issue) ? undefined : (phrase?.(issue) ?? issue)));
    },
    variables(path, documents = []) {
      const compiled: Variable[] = [];
      for (const [index, { name, expression }] of documents.entries()) {
        const at = [...path, index];
        if (!isCelIdentifier(name)) {
          report.error([...at, 'name'], 'admission-invalid', `Invalid value: ${JSON.stringify(name)}: must be a valid CEL identifier`);
        } else if (variableTypes.has(name)) {
          report.warning([...at, 'name'], 'admission-duplicate', `a variable is already called ${name}; the later one counts`);
        }
        const found = compile([...at, 'expression'], expression, { authorizer: true, variables: true });
        variableTypes.set(name, found === undefined ? DYN : variableType(found.program.ast.resultType));
        if (found === undefined) continue;
        const json = givesJson(found.program.ast, jsonVariables);
        if (json) jsonVariables.add(`variables.${name}`);
        compiled.push({ name, text: found.text, path: found.path, program: found.program, json });
      }
      return variableTable(compiled);
    },
  };
}
