import type { Json } from '../../engine/object/json.ts';
import type { Impersonation } from '../../runtimes/kubernetes/connection.ts';

/**
 * A script of requests whose answers must be the same on every API server. It runs in a namespace of its own, which exists before
 * the first step. In paths, headers and bodies `$(ns)` is that namespace, which also serves as a word that no other case uses, and
 * `$(name)` what a step before has kept.
 */
export interface ContractCase {
  /** `<subject>/<what is asked>`: unique, one line. */
  readonly name: string;
  readonly steps: readonly Step[];
  /** Runs while no other case does, because it reads what others change: lists of groups, say. */
  readonly alone?: boolean;
}

export interface Step {
  /** Method and path with query: `GET /api/v1/namespaces/$(ns)/configmaps?limit=2`. */
  readonly call: string;
  /** Sent as JSON; a string is sent as it is. */
  readonly body?: unknown;
  readonly contentType?: string;
  readonly accept?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Default: an administrator. */
  readonly as?: Impersonation;
  /** Values of the answer that later steps use as `$(name)`: JSON pointers by name. */
  readonly keep?: Readonly<Record<string, string>>;
  /** Asked again until it holds, for what controllers do in their own time. */
  readonly until?: Condition;
  /** What is compared; default: all of the answer. `pick` reduces the body before. */
  readonly compare?: 'answer' | 'status' | 'nothing';
  readonly pick?: (body: Json) => unknown;
  /** The request is a watch: what is compared are its events. */
  readonly watch?: WatchPlan;
}

export interface WatchPlan {
  /** Done once the server has begun to answer; their answers are compared as well. */
  readonly during?: readonly Step[];
  /** Ends after so many events; `closed` waits until the server ends it. */
  readonly until: number | 'closed';
  /** Several watchers may see events of different objects in different order: compared without their order. */
  readonly anyOrder?: boolean;
}

/** True of an answer when each part that is given is. */
export interface Condition {
  readonly status?: number;
  /** JSON pointer into the body. */
  readonly at?: string;
  /** Value there; absent: anything but undefined. */
  readonly is?: Json;
  /** Nothing is at {@link at}. */
  readonly isAbsent?: boolean;
}

type Options = Omit<Step, 'call' | 'body'>;

export const get = (path: string, options?: Options): Step => ({ call: `GET ${path}`, ...options });
export const create = (path: string, body: unknown, options?: Options): Step => ({ call: `POST ${path}`, body, ...options });
export const update = (path: string, body: unknown, options?: Options): Step => ({ call: `PUT ${path}`, body, ...options });
export const remove = (path: string, body?: unknown, options?: Options): Step => ({
  call: `DELETE ${path}`,
  ...(body === undefined ? {} : { body }),
  ...options,
});
export const mergePatch = (path: string, body: unknown, options?: Options): Step => patch(path, 'merge-patch+json', body, options);
export const jsonPatch = (path: string, body: unknown, options?: Options): Step => patch(path, 'json-patch+json', body, options);
export const strategicPatch = (path: string, body: unknown, options?: Options): Step =>
  patch(path, 'strategic-merge-patch+json', body, options);
/** Server-side apply; the path names its field manager. */
export const apply = (path: string, body: unknown, options?: Options): Step => patch(path, 'apply-patch+yaml', body, options);
export const watch = (path: string, plan: WatchPlan, options?: Options): Step => ({ call: `GET ${path}`, watch: plan, ...options });

function patch(path: string, type: string, body: unknown, options: Options | undefined): Step {
  return { call: `PATCH ${path}`, body, contentType: `application/${type}`, ...options };
}

/** Makes something that the case is not about. */
export const given = (step: Step): Step => ({ ...step, compare: 'nothing' });

/** Cases of one subject, whose names need not repeat it. */
export function subject(
  name: string,
  cases: Readonly<Record<string, readonly Step[]>>,
  options?: { readonly alone?: boolean },
): ContractCase[] {
  return Object.entries(cases).map(([each, steps]) => ({ name: `${name}/${each}`, steps, ...options }));
}
