import { isJsonObject, type JsonObject } from '../../../../engine/object/json.ts';
import type { Admission, AdmissionAttributes } from '../hooks.ts';
import { forbidden, type StatusCause, type StatusError } from '../status-error.ts';

/** One pass over the plugins that change objects. */
export interface MutationRound {
  /** 1 where something asked to be followed by what had run before it. */
  readonly round: 0 | 1;
  /** What a plugin keeps from round to round of one request. */
  readonly memory: Map<AdmissionPlugin, unknown>;
  /** The object has changed in a way that plugins before this one may want to see. */
  reinvoke(): void;
}

/** One concern of admission. Both may throw a `StatusError`. */
export interface AdmissionPlugin {
  readonly name: string;
  /** Answers the object as it is to be: the same where there is nothing to do. */
  mutate?(attributes: AdmissionAttributes, round: MutationRound): Promise<JsonObject | null> | JsonObject | null;
  validate?(attributes: AdmissionAttributes): Promise<void> | void;
}

/** Runs plugins in their order. Kubernetes: apiserver pkg/admission/chain.go, reinvocation.go. */
export function admissionChain(plugins: readonly AdmissionPlugin[]): Admission {
  const mutating = plugins.filter(({ mutate }) => mutate !== undefined);
  const validating = plugins.filter(({ validate }) => validate !== undefined);
  return {
    async mutate(attributes) {
      let { object } = attributes;
      let again = false;
      const memory = new Map<AdmissionPlugin, unknown>();
      const run = async (round: 0 | 1): Promise<void> => {
        const reinvoke = (): void => {
          again = true;
        };
        for (const plugin of mutating) object = await plugin.mutate!({ ...attributes, object }, { round, memory, reinvoke });
      };
      await run(0);
      // Once more at most: plugins must come to the same end again.
      if (again) await run(1);
      return object;
    },
    async validate(attributes) {
      for (const plugin of validating) await plugin.validate!(attributes);
    },
  };
}

/** `pods "x" is forbidden: why`. Kubernetes: apiserver pkg/admission/errors.go NewForbidden. */
export function refusal({ type, name, object }: AdmissionAttributes, why: string, causes?: readonly StatusCause[]): StatusError {
  return forbidden(type, name !== '' ? name : nameIn(object), why, causes);
}

/** The name that an object has or will begin with. */
function nameIn(object: JsonObject | null): string {
  const metadata = object?.['metadata'];
  if (!isJsonObject(metadata)) return 'Unknown';
  const { name, generateName } = metadata;
  if (typeof name === 'string' && name !== '') return name;
  return typeof generateName === 'string' ? generateName : 'Unknown';
}

/** Whether a request is about a resource itself, and not about a part of it. */
export const isAbout = ({ type, subresource }: AdmissionAttributes, group: string, resource: string): boolean =>
  subresource === '' && type.group === group && type.resource === resource;
