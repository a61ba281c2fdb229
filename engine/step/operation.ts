import type { CelType } from '../cel/types.ts';
import type { Json, JsonObject } from '../object/json.ts';
import type { Shape } from '../text/shape.ts';
import type { Netns, Steps } from './effect.ts';
import type { Requirement } from './requirement.ts';

/**
 * One word of the vocabulary: what a step `{ <name>: {arguments} }` is. Everything about it stands in one file of `operations/`.
 *
 * Promises that the rest of the house stands on:
 * - `ensure` may be run again after it was interrupted anywhere, with the same arguments, and then ends as if it had run once. What exists
 *   and is not its owner's it leaves alone, and fails.
 * - `undo` undoes what `ensure` did, or began to do, and nothing else. It may be run again, it is run for steps that never began, and it
 *   succeeds where there is nothing left, also when the network namespace is gone.
 * - Whatever can carry a tag carries {@link OwnerTag.text}; what can't is kept with `remember` before it is changed.
 */
export interface Operation<A extends JsonObject = JsonObject, O extends JsonObject = JsonObject> {
  /** As in a rule: `bridge`. */
  readonly name: string;
  readonly group: 'files' | 'storage' | 'network' | 'outside';
  /** One sentence, for the reference. */
  readonly doc: string;
  /** Shape of the arguments, as they are when all expressions have their values. */
  readonly arguments: Shape<A>;
  /** Characters of JSON that the arguments of one step may have. Default: 256 Ki. */
  readonly maxArgumentsSize?: number;
  /** Fields of `steps.<id>` for later steps, with their types. */
  readonly outputs: Readonly<Record<string, CelType>>;
  /**
   * `owned`: made for one plan, undone with it. `shared`: what several plans use and the first makes (a bridge); it stays when a plan is
   * undone, and goes when nothing uses it and garbage is collected.
   */
  readonly lifetime: 'owned' | 'shared';
  /** What is wrong with arguments beyond their shape, such as an address that is none. Pure, also run on the constant parts at load. */
  validate?(args: A): readonly ArgumentProblem[];
  /** What the host must have for these arguments. Looked for before anything is changed. */
  requires(args: A): readonly Requirement[];
  /** Steps with a key in common are not performed at the same time: `link:cni0`. Few: what the kernel does atomically needs none. */
  lockKeys(args: A, context: StepContext<O>): readonly string[];
  ensure(args: A, context: StepContext<O>): Steps<O>;
  /**
   * Names the thing that arguments are about, where `ensure` changes it in place from whatever other arguments made of it, without taking
   * anything away in between: the members of a set. A plan that is made true again with other arguments of the same name then does not
   * undo the step first. `undo` takes the thing away by its name.
   */
  identity?(args: A): string;
  /** What is not as `ensure` left it, in words, one line each; empty: all is well. */
  check(args: A, context: StepContext<O>): Steps<readonly string[]>;
  /** Of a shared operation: only run where `ensure` did not end and no other record uses it. What can carry no tag yet would be lost else. */
  undo(args: A, context: StepContext<O>): Steps<void>;
  /** Everything on the host that carries a tag of ours and was made by this operation, whoever owns it. */
  inventory?(): Steps<readonly OwnedThing[]>;
  /** Argument that names the interface of the host which it makes for others to use. */
  readonly makesLink?: readonly string[];
  /** Argument that names an interface of the host which must be there before. */
  readonly needsLink?: readonly string[];
  /** Outputs that follow from the arguments alone; a dry run goes on with them. */
  predict(args: A, context: StepContext<O>): Partial<O>;
  /** What it does, in one line for a plan: `bridge cni0, up, with 10.1.0.1/16`. */
  describe(args: A): string;
  /** What it adds to the result of an attachment. */
  result?(args: A, outputs: O): ResultParts;
}

/** A step on its way: who it is for and what is known from before. */
export interface StepContext<O extends JsonObject = JsonObject> {
  readonly owner: OwnerTag;
  /** The container's network namespace; undefined where the plan has none. */
  readonly netns: Netns;
  /** True when {@link netns} does not exist any more: what was in it is gone by itself. */
  readonly netnsGone: boolean;
  /** What `remember` kept. */
  readonly memory?: Json;
  /** What `ensure` ended with; undefined while or before it runs. */
  readonly outputs?: O;
  /** For what is of use to the next `ensure` only; absent where nothing is performed. */
  readonly recollection?: Recollection;
}

/**
 * What an operation keeps in this process from one `ensure` of a step to the next, so that it need not ask the host for what it made itself.
 * It is gone after a restart. Whoever begins to change something takes it, and keeps it anew at the end: so it is never what was there before
 * something that failed in between.
 */
export interface Recollection {
  /** What was kept last; undefined the second time. */
  take(): unknown;
  keep(value: unknown): void;
}

/** Who owns what is made. */
export interface OwnerTag {
  /** 16 hexadecimal digits, the same for the same subject on any host: `attachmentId(network, containerId, ifName)`. */
  readonly id: string;
  /** Name of the rule. */
  readonly rule: string;
  /** `fairlead:<rule>:<id>`, at most 120 characters of `[A-Za-z0-9:._-]`: a link's alias, a comment in nft. */
  readonly text: string;
}

/** Something found on the host with a tag of ours. */
export interface OwnedThing {
  /** {@link OwnerTag.text}. */
  readonly tag: string;
  /** `link veth1a2b3c4d`. */
  readonly what: string;
  /** Of a shared operation: the lock key of the steps that use it, where that is not {@link what} with a colon for its first space. */
  readonly key?: string;
  /** Removes it; succeeds where it is gone. */
  remove(): Steps<void>;
}

export interface ArgumentProblem {
  readonly path: readonly (string | number)[];
  readonly message: string;
  readonly hint?: string;
}

/** Parts of a CNI result, in the words of CNI 1.1.0. */
export interface ResultParts {
  readonly interfaces?: readonly ResultInterface[];
  /** `interface` is an index into {@link interfaces} of the same parts. */
  readonly ips?: readonly { readonly address: string; readonly gateway?: string; readonly interface?: number }[];
  readonly routes?: readonly ResultRoute[];
}

export interface ResultInterface {
  readonly name: string;
  readonly mac?: string;
  readonly mtu?: number;
  /** Path of the namespace; absent for the host's. */
  readonly sandbox?: string;
  readonly socketPath?: string;
  readonly pciID?: string;
}

export interface ResultRoute {
  readonly dst: string;
  readonly gw?: string;
  readonly mtu?: number;
  readonly advmss?: number;
  readonly priority?: number;
  readonly table?: number;
  readonly scope?: number;
}
