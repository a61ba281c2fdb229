import { createEnvironment } from '../../cel/create-environment.ts';
import { AUTHORIZER_VARIABLES } from '../../cel/libraries/authorizer.ts';
import { JSON_PATCH_LIBRARY } from '../../cel/libraries/jsonpatch.ts';
import type { TypeTable } from '../../object/type-table.ts';
import { authorizerValues } from './authorizer-values.ts';
import type { CompileContext } from './compile-context.ts';
import type { AdmissionProgram } from './decision.ts';
import { customEquivalents } from './equivalent-resources.ts';
import { admissionProgram } from './executor.ts';
import { kyvernoHost, kyvernoLanguage } from './kyverno/language.ts';
import type { Policy } from './policy.ts';

export interface LinkOptions {
  readonly types?: TypeTable;
  readonly params?: NonNullable<CompileContext['params']>;
  readonly instrument?: CompileContext['instrument'];
}

let environments: Pick<CompileContext, 'environment' | 'patchEnvironment'> | undefined;

/** Puts the compiler of admission rules together with the language: the one place that knows both. */
export function linkAdmission(options: LinkOptions): CompileContext {
  if (environments === undefined) {
    const environment = createEnvironment();
    environments = { environment, patchEnvironment: environment.extend({ libraries: [JSON_PATCH_LIBRARY] }) };
  }
  return {
    ...environments,
    authorizerTypes: AUTHORIZER_VARIABLES,
    get kyverno() {
      return kyvernoLanguage();
    },
    ...options,
  };
}

/** The executor of lowered policies. */
export function linkProgram(policies: readonly Policy[], types: TypeTable | undefined): AdmissionProgram {
  return admissionProgram(policies, {
    authorizers: authorizerValues,
    host: (_request, facts) => kyvernoHost(facts, types),
    ...(types === undefined ? {} : { equivalents: customEquivalents(types) }),
  });
}
