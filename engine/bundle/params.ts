import { type CelType, object, type StructType, type TypeProvider } from '../cel/types.ts';
import { isJsonObject, type Json, type JsonObject } from '../object/json.ts';
import { readSimpleSchema, type SchemaProblem } from '../object/simple-schema.ts';
import { celTypeOf, checkValue, withDefaults } from '../object/simple-schema-value.ts';
import type { Diagnostic } from '../text/diagnostic.ts';
import type { Document } from '../text/document.ts';
import { diagnosticAt } from '../text/shape-check.ts';

/** The parameters of a bundle, typed and with their values. */
export interface BundleParams {
  readonly value: JsonObject;
  readonly type: CelType;
  readonly types: TypeProvider;
}

/** Name of the structure behind `params`. Not `params` itself, or `params.x` would be taken for the name of a type. */
const PARAMS_TYPE = 'bundle.params';

/**
 * Reads `spec.params` of a RuleBundle document and gives the parameters their values: those given at load, else the defaults.
 * What is wrong with a declaration is reported where it stands; a given value that does not fit, at the declaration it misses.
 */
export function bundleParams(
  document: Document,
  declarations: unknown,
  given: JsonObject | undefined,
  diagnostics: Diagnostic[],
): BundleParams {
  const path = ['spec', 'params'];
  const report = (problems: readonly SchemaProblem[], code: string) => {
    for (const { path: below, message, hint } of problems) {
      diagnostics.push(diagnosticAt(document, [...path, ...below], { code, message, hint }));
    }
  };
  const problems: SchemaProblem[] = [];
  const schema = readSimpleSchema(isJsonObject(declarations) ? declarations : {}, problems);
  report(problems, 'bundle-params');
  const value = given ?? {};
  report(
    checkValue(schema, value, []).map((problem) => ({
      ...problem,
      message: `the value given for ${problem.path.join('.')}: ${problem.message}`,
    })),
    'bundle-param-value',
  );
  const missing: SchemaProblem[] = [];
  const filled = withDefaults(schema, value, [], missing) as Json;
  report(missing, 'bundle-param-missing');
  const structs = new Map<string, StructType>();
  const type = celTypeOf(schema, PARAMS_TYPE, structs);
  return { value: filled as JsonObject, type, types: { structType: (name) => structs.get(name) } };
}

/** A bundle without declarations has no parameters: any use of one is an error. */
export const NO_PARAMS: BundleParams = {
  value: {},
  type: object(PARAMS_TYPE),
  types: { structType: (name) => (name === PARAMS_TYPE ? { name, field: () => undefined, fieldNames: () => [] } : undefined) },
};
