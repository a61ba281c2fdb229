import type { CompileOptions, Environment } from '../cel/environment.ts';
import type { CelIssue } from '../cel/issue.ts';
import type { Program } from '../cel/program.ts';
import { type CelType, DYN, object, type StructType, type TypeProvider } from '../cel/types.ts';
import type { DocumentPath } from '../text/document.ts';
import { type Reads, readsOf } from './reads.ts';
import type { Reporter } from './reporter.ts';

/** Text in CEL, and where it stands. */
export interface ExpressionSource {
  readonly path: DocumentPath;
  readonly text: string;
  /** Where the text begins in the string at {@link path}. */
  readonly offset?: number;
}

/** A compiled expression of a rule. */
export interface Expression {
  readonly text: string;
  readonly path: DocumentPath;
  readonly program: Program;
  /** What it reads itself, with `variables` as one of the roots. */
  readonly reads: Reads;
  /** Names of the variables it uses. */
  readonly variables: readonly string[];
  /** Ids of the entries it depends on, those of its variables included. */
  readonly ids: readonly string[];
  /** It reads `now`, itself or by a variable. */
  readonly readsTime: boolean;
}

export interface Variable {
  readonly name: string;
  readonly expression: Expression;
}

/** A structure with the fields of a table. */
export function structOf(name: string, fields: Readonly<Record<string, CelType>>): StructType {
  const byName = new Map(Object.entries(fields));
  return { name, field: (field) => byName.get(field), fieldNames: () => byName.keys() };
}

export interface ExpressionContext {
  /** First word of the codes of diagnostics, and of the name of the type of `variables`: `reconcile`. */
  readonly room: string;
  /** Kubernetes' language with our own libraries, without variables. */
  readonly environment: Environment;
  /** Type of each variable that stands for something of the rule: `self`, `params`, `now`, the ids. */
  readonly variables: Readonly<Record<string, CelType>>;
  readonly types: readonly TypeProvider[];
  /** Ids of entries among {@link variables}. */
  readonly ids: ReadonlySet<string>;
  /** Variables whose values are parsed JSON. */
  readonly jsonVariables: ReadonlySet<string>;
  /** What to do about a name that there is not, where none that there is looks like it. */
  readonly explainUnknown?: (name: string) => string | undefined;
}

/** Compiles the expressions of one rule, and says what is wrong with them. */
export class ExpressionCompiler {
  readonly #report: Reporter;
  readonly #context: ExpressionContext;
  readonly #environment: Environment;
  readonly #variableTypes = new Map<string, CelType>();
  readonly #variables = new Map<string, Variable>();

  constructor(report: Reporter, context: ExpressionContext) {
    this.#report = report;
    this.#context = context;
    const variablesType = `${context.room}.variables`;
    const variableStruct: StructType = {
      name: variablesType,
      field: (name) => this.#variableTypes.get(name),
      fieldNames: () => this.#variableTypes.keys(),
    };
    const providers: readonly TypeProvider[] = [
      { structType: (name) => (name === variablesType ? variableStruct : undefined) },
      ...context.types,
    ];
    this.#environment = context.environment.extend({
      variables: { ...context.variables, variables: object(variablesType) },
      types: { structType: (name) => firstOf(providers, name) },
    });
  }

  /** The variables compiled so far, in order. */
  get variables(): ReadonlyMap<string, Variable> {
    return this.#variables;
  }

  compile(source: ExpressionSource, locals?: Readonly<Record<string, CelType>>, options?: CompileOptions): Expression | undefined {
    const { path, text, offset } = source;
    const at = offset === undefined ? {} : { offset };
    if (text.trim() === '') {
      this.#report.error(path, `${this.#context.room}-required`, 'expected an expression, found nothing');
      return undefined;
    }
    // No expression begins so: the error of the parser would be about the $ alone.
    const wrapped = /^\s*\$\{(.*)\}\s*$/s.exec(text)?.[1];
    if (wrapped !== undefined) {
      const hint = `write it without \${ and }${/[\n"]/.test(wrapped) || wrapped.length > 60 ? '' : `: ${wrapped.trim()}`}`;
      this.#report.error(path, `${this.#context.room}-expression`, 'expected an expression, found a template', hint);
      return undefined;
    }
    const environment = locals === undefined ? this.#environment : this.#environment.extend({ variables: locals });
    const jsonVariables =
      locals === undefined
        ? this.#context.jsonVariables
        : new Set([...this.#context.jsonVariables].filter((name) => !Object.hasOwn(locals, name)));
    const compiled = environment.compile(text, { ...options, jsonVariables });
    for (const issue of compiled.issues) this.#report.issue(path, this.#explained(issue, text), at);
    if (!compiled.ok) return undefined;
    const reads = readsOf(compiled.program.ast);
    const ids = new Set(
      [...reads.keys()].filter((name) => this.#context.ids.has(name) && !(locals !== undefined && Object.hasOwn(locals, name))),
    );
    const read = reads.get('variables');
    const variables = read === undefined ? [] : read === true ? [...this.#variables.keys()] : Object.keys(read);
    let readsTime = reads.has('now');
    for (const name of variables) {
      const used = this.#variables.get(name)?.expression;
      for (const id of used?.ids ?? []) ids.add(id);
      readsTime ||= used?.readsTime ?? false;
    }
    return { text, path, program: compiled.program, reads, variables, ids: [...ids], readsTime };
  }

  #explained(issue: CelIssue, text: string): CelIssue {
    if (issue.code !== 'undeclared-reference' || issue.hint !== undefined) return issue;
    const hint = this.#context.explainUnknown?.(text.slice(issue.start, issue.end));
    return hint === undefined ? issue : { ...issue, hint };
  }

  /** Declares a variable for what is compiled after it. */
  declare(name: string, source: ExpressionSource): Variable | undefined {
    const expression = this.compile(source);
    const type = expression?.program.ast.resultType ?? DYN;
    // A variable is computed later, when it is the same to all who read it: null or an unresolved type says nothing.
    this.#variableTypes.set(name, type.kind === 'null' || type.kind === 'error' ? DYN : type);
    if (expression === undefined) return undefined;
    const variable = { name, expression };
    this.#variables.set(name, variable);
    return variable;
  }
}

function firstOf(providers: readonly TypeProvider[], name: string): StructType | undefined {
  for (const provider of providers) {
    const found = provider.structType(name);
    if (found !== undefined) return found;
  }
  return undefined;
}
