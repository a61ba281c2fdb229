import { createEnvironment } from '../../../cel/create-environment.ts';
import { JSON_PATCH_LIBRARY } from '../../../cel/libraries/jsonpatch.ts';
import { ImageContextValue } from '../../../cel/libraries/kyverno/image.ts';
import { KYVERNO_VARIABLES, kyvernoLibraries } from '../../../cel/libraries/kyverno/kyverno.ts';
import { ResourceContextValue } from '../../../cel/libraries/kyverno/resource.ts';
import { CelError, type CelValue, type PlainObject, Timestamp } from '../../../cel/values.ts';
import { parseApiVersion, type TypeTable } from '../../../object/type-table.ts';
import type { HostValues } from '../activation.ts';
import type { CompileContext } from '../compile-context.ts';
import type { FactReader } from '../fact-reader.ts';
import { LENIENT_OPTIONALS_LIBRARY } from './lenient-optionals.ts';

let language: NonNullable<CompileContext['kyverno']> | undefined;

/** Who tells the time to the request at hand: `time.now()` has no other way to it. Set by {@link kyvernoHost}. */
let clock: FactReader | undefined;

/** Kyverno's dialect: Kubernetes' language, and the functions of Kyverno that reach out to nothing. */
export function kyvernoLanguage(): NonNullable<CompileContext['kyverno']> {
  if (language === undefined) {
    const environment = createEnvironment().extend({ libraries: [...kyvernoLibraries(now), LENIENT_OPTIONALS_LIBRARY] });
    language = {
      environment,
      patchEnvironment: environment.extend({ libraries: [JSON_PATCH_LIBRARY] }),
      variables: KYVERNO_VARIABLES,
    };
  }
  return language;
}

function now(): Timestamp {
  if (clock === undefined) throw new CelError('the current time is not available here');
  const nanos = clock.now();
  const second = 1_000_000_000n;
  const rest = ((nanos % second) + second) % second;
  return new Timestamp(Number((nanos - rest) / second), Number(rest));
}

/** The values of Kyverno's variables for one request. */
export function kyvernoHost(facts: FactReader, types: TypeTable | undefined): HostValues {
  clock = facts;
  const kindOf = (apiVersion: string, resource: string): string | undefined => {
    const { group, version } = parseApiVersion(apiVersion);
    return types?.resource(group, version, resource)?.kind.kind;
  };
  return {
    resource: new ResourceContextValue({
      get({ apiVersion, resource, namespace, name }) {
        const kind = kindOf(apiVersion, resource);
        if (kind === undefined) return null;
        return facts.object({ apiVersion, kind, name, ...(namespace === '' ? {} : { namespace }) }) as PlainObject | null;
      },
      list({ apiVersion, resource, namespace, labelSelector }) {
        const kind = kindOf(apiVersion, resource);
        if (kind === undefined) return [];
        const within = namespace === '' ? {} : { namespace };
        return facts.list({ apiVersion, kind, ...within, ...(labelSelector ? { labelSelector } : {}) }) as readonly PlainObject[];
      },
    }),
    image: new ImageContextValue((image) => facts.image(image) as CelValue),
  };
}
