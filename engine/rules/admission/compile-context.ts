import type { Environment } from '../../cel/environment.ts';
import type { CelType, TypeProvider } from '../../cel/types.ts';
import type { TypeTable } from '../../object/type-table.ts';
import type { JsonObject } from './decision.ts';
import type { InstrumentExpression } from './expressions.ts';

/** What lowering a document may use; the same for all documents of a bundle. */
export interface CompileContext {
  /** Kubernetes' language and libraries, without variables. */
  readonly environment: Environment;
  /** The same with the JSON Patch library. */
  readonly patchEnvironment: Environment;
  /** The environment of Kyverno's policies, with the variables they declare. */
  readonly kyverno?: {
    readonly environment: Environment;
    readonly patchEnvironment: Environment;
    readonly variables: Readonly<Record<string, CelType>>;
  };
  readonly instrument?: InstrumentExpression | undefined;
  readonly authorizerTypes: Readonly<Record<string, CelType>>;
  /** Types of the cluster's kinds; without them `object` is dyn everywhere and merges know no list keys. */
  readonly types?: TypeTable;
  /** The parameters of the bundle: their value, and the type that expressions see. */
  readonly params?: { readonly value: JsonObject; readonly type: CelType; readonly types: TypeProvider };
}
