import { STRING } from '../../engine/cel/types.ts';
import type { JsonObject } from '../../engine/object/json.ts';
import { type Effect, EffectError, type Steps } from '../../engine/step/effect.ts';
import type { Operation, OwnedThing, StepContext } from '../../engine/step/operation.ts';
import { ownerTag } from '../../engine/step/owner-tag.ts';
import type { BoundStep, Plan } from '../../engine/step/plan.ts';
import type { MissingRequirement, Requirement } from '../../engine/step/requirement.ts';
import { object, string } from '../../engine/text/shape.ts';
import type { HostHandler, HostSession } from './performer.ts';

/** A host for tests: what its kernel holds, by name, what is on its disk, and which namespaces there are. */
export class FakeHost {
  /** Links and their like, with their tags; and values of sysctls. Gone with the power. */
  readonly kernel = new Map<string, string>();
  readonly disk = new Map<string, string>();
  readonly namespaces = new Set<string>();
  readonly lacks = new Set<string>();
  /** Effects that changed something, in the order in which they were performed. */
  readonly story: string[] = [];
  /** Namespaces that were entered. */
  entered = 0;
  openSessions = 0;
  /** Asked before each effect; what it answers is thrown, what it throws too. */
  before: (effect: Effect, signal: AbortSignal | undefined) => EffectError | undefined | Promise<EffectError | undefined> = () => undefined;

  /** Everything that is there, to be compared. */
  state(): string {
    const sorted = (map: Map<string, string>): string[] => [...map].map(([key, value]) => `${key}=${value}`).sort();
    return [...sorted(this.kernel), '--', ...sorted(this.disk)].join('\n');
  }

  /** The machine stops and starts. */
  reboot(): void {
    this.kernel.clear();
    this.namespaces.clear();
  }

  /** A handler whose process dies when `isDead` says so: nothing is performed any more. */
  handler(isDead: () => boolean = () => false): HostHandler {
    const perform = async (effect: Effect, signal?: AbortSignal): Promise<unknown> => {
      // As with a real host, others come to their turn while one waits.
      await Promise.resolve();
      const failure = await this.before(effect, signal);
      if (isDead()) throw new Error('the process is dead');
      if (failure !== undefined) throw failure;
      return this.#perform(effect);
    };
    return {
      perform,
      session: async (netns): Promise<HostSession> => {
        this.openSessions++;
        const { namespaces } = this;
        return {
          perform,
          get netnsGone() {
            return netns !== undefined && !namespaces.has(netns);
          },
          close: () => {
            this.openSessions--;
          },
        };
      },
      missing: async (requirements): Promise<readonly MissingRequirement[]> =>
        requirements.flatMap((requirement: Requirement) =>
          requirement.kind !== 'any-of' && this.lacks.has(requirement.name)
            ? [{ requirement, message: `there is no ${requirement.kind === 'program' ? 'program ' : ''}${requirement.name}` }]
            : [],
        ),
    };
  }

  #perform(effect: Effect): unknown {
    switch (effect.kind) {
      case 'iproute':
        for (const { words } of effect.commands) this.#iproute(words, effect.netns);
        return undefined;
      case 'show':
        return [...this.kernel].flatMap(([name, tag]) => (effect.words.length === 0 || effect.words[0] === name ? [{ name, tag }] : []));
      case 'sysctl-read':
        return this.kernel.get(effect.key);
      case 'sysctl-write':
        this.story.push(`${effect.key}=${effect.value}`);
        this.kernel.set(effect.key, effect.value);
        return undefined;
      case 'read-file':
        return this.disk.get(effect.path);
      case 'write-file':
        this.story.push(`write ${effect.path}`);
        this.disk.set(effect.path, effect.text);
        return undefined;
      case 'remove-path':
        this.story.push(`remove ${effect.path}`);
        this.disk.delete(effect.path);
        return undefined;
      default:
        throw new EffectError('unsupported', 'the host of this test can not', effect.kind);
    }
  }

  #iproute(words: readonly string[], netns: string | undefined): void {
    const [verb, name = '', tag = ''] = words;
    if (netns !== undefined && !this.namespaces.has(netns)) throw new EffectError('namespace', 'it is not there', `enter ${netns}`);
    this.story.push(`${verb} ${name}`);
    if (verb === 'add') {
      if (this.kernel.has(name)) throw new EffectError('exists', 'RTNETLINK answers: File exists', `ip link add ${name}`);
      this.kernel.set(name, tag);
    } else this.kernel.delete(name);
  }
}

type Named = { readonly name: string };
type Valued = { readonly key: string; readonly value: string };

function* show(name?: string): Steps<readonly { readonly name: string; readonly tag: string }[]> {
  const words = name === undefined ? [] : [name];
  return (yield { kind: 'show', program: 'ip', netns: undefined, words }) as { name: string; tag: string }[];
}

function* change(...words: string[]): Steps<void> {
  yield { kind: 'iproute', program: 'ip', netns: undefined, commands: [{ words }] };
}

function* ensureThing(name: string, tag: string, isShared: boolean): Steps<void> {
  const [found] = yield* show(name);
  if (found === undefined) yield* change('add', name, tag);
  else if (!isShared && found.tag !== tag) throw new EffectError('exists', 'it is not ours', `ip link add ${name}`);
}

function* removeThing(name: string, tag: string): Steps<void> {
  const [found] = yield* show(name);
  if (found?.tag === tag) yield* change('del', name);
}

function thingOperation(name: string, lifetime: 'owned' | 'shared'): Operation<Named, Named> {
  return {
    name,
    group: 'network',
    doc: 'Something with a tag.',
    arguments: object({ name: string() }),
    outputs: { name: STRING },
    lifetime,
    requires: () => [{ kind: 'program', name }],
    lockKeys: (args) => [`${name}:${args.name}`],
    *ensure(args, { owner }) {
      yield* ensureThing(args.name, owner.text, lifetime === 'shared');
      // A second effect, so that there is something between the two.
      if (lifetime === 'owned') yield* ensureThing(`${args.name}.peer`, owner.text, false);
      return { name: args.name };
    },
    *check(args) {
      return (yield* show(args.name)).length === 0 ? [`${args.name} is not there`] : [];
    },
    *undo(args, { owner }) {
      yield* removeThing(`${args.name}.peer`, owner.text);
      yield* removeThing(args.name, owner.text);
    },
    *inventory() {
      return (yield* show())
        .filter((each) => each.tag.startsWith('fairlead:') && each.name.startsWith(name))
        .map((each): OwnedThing => ({ tag: each.tag, what: `${name} ${each.name}`, remove: () => removeThing(each.name, each.tag) }));
    },
    predict: (args) => ({ name: args.name }),
    describe: (args) => `${name} ${args.name}`,
  };
}

/** Something that can't carry a tag: what was there before is remembered. */
function valueOperation(
  name: string,
  read: (key: string) => Effect,
  write: (key: string, value: string) => Effect,
  remove: (key: string) => Effect,
): Operation<Valued, { readonly before: string }> {
  const memoryOf = ({ memory }: StepContext<{ readonly before: string }>): string | undefined => memory as string | undefined;
  return {
    name,
    group: 'files',
    doc: 'A value.',
    arguments: object({ key: string(), value: string() }),
    outputs: { before: STRING },
    lifetime: 'owned',
    requires: () => [],
    lockKeys: () => [],
    *ensure(args, context) {
      const before = memoryOf(context) ?? ((yield read(args.key)) as string | undefined) ?? '';
      if (context.memory === undefined) yield { kind: 'remember', value: before };
      yield write(args.key, args.value);
      return { before };
    },
    *check(args) {
      const value = (yield read(args.key)) as string | undefined;
      return value === args.value ? [] : [`${args.key} is ${value}, not ${args.value}`];
    },
    *undo(args, context) {
      const before = memoryOf(context);
      if (before === undefined || (yield read(args.key)) !== args.value) return;
      yield before === '' ? remove(args.key) : write(args.key, before);
    },
    predict: () => ({}),
    describe: (args) => `${args.key} = ${args.value}`,
  };
}

/** A set that is changed in place, whatever it held. */
function membersOperation(): Operation<Valued> {
  const write = (key: string, value: string): Effect => ({ kind: 'sysctl-write', netns: undefined, key, value });
  return {
    name: 'members',
    group: 'network',
    doc: 'A set.',
    arguments: object({ key: string(), value: string() }),
    outputs: {},
    lifetime: 'owned',
    requires: () => [],
    lockKeys: () => [],
    identity: ({ key }) => key,
    *ensure({ key, value }) {
      if ((yield { kind: 'sysctl-read', netns: undefined, key }) !== value) yield write(key, value);
      return {};
    },
    *check({ key, value }) {
      return (yield { kind: 'sysctl-read', netns: undefined, key }) === value ? [] : [`${key} is not ${value}`];
    },
    *undo({ key }) {
      yield write(key, '');
    },
    predict: () => ({}),
    describe: ({ key, value }) => `${key} = ${value}`,
  };
}

/** The words of the fake host: `thing` and `hub` (shared) carry tags, `file` and `value` are remembered, `members` changes in
 * place, and `broken` fails half way. */
export function fakeOperations(): Map<string, Operation> {
  const { inventory: _, ...likeThing } = thingOperation('thing', 'owned');
  const broken: Operation<Named, Named> = {
    ...likeThing,
    name: 'broken',
    *ensure(args, { owner }) {
      yield* ensureThing(args.name, owner.text, false);
      throw new EffectError('invalid', 'RTNETLINK answers: Invalid argument', `ip link set ${args.name} up`);
    },
  };
  const operations: readonly Operation[] = [
    thingOperation('thing', 'owned') as unknown as Operation,
    thingOperation('hub', 'shared') as unknown as Operation,
    broken as unknown as Operation,
    membersOperation() as unknown as Operation,
    valueOperation(
      'value',
      (key) => ({ kind: 'sysctl-read', netns: undefined, key }),
      (key, value) => ({ kind: 'sysctl-write', netns: undefined, key, value }),
      (key) => ({ kind: 'sysctl-write', netns: undefined, key, value: '' }),
    ) as unknown as Operation,
    valueOperation(
      'file',
      (path) => ({ kind: 'read-file', path, limit: 1000 }),
      (path, text) => ({ kind: 'write-file', path, text, mode: 0o600 }),
      (path) => ({ kind: 'remove-path', path }),
    ) as unknown as Operation,
  ];
  return new Map(operations.map((operation) => [operation.name, operation]));
}

/** A step of a fake plan: an operation with its arguments, or how they follow from what earlier steps ended with, by key. */
export type FakeStep = readonly [
  operation: string,
  args: JsonObject | ((outputs: Readonly<Record<string, JsonObject>>) => JsonObject),
  key?: string,
];

export function fakeStep([operation, args, key]: FakeStep, index: number, outputs: Readonly<Record<string, JsonObject>> = {}): BoundStep {
  return {
    key: key ?? `${operation}-${index}`,
    operation,
    arguments: typeof args === 'function' ? args(outputs) : args,
    timeout: 1000,
    path: ['spec', 'steps', index],
    line: 10 + index,
  };
}

/** A plan whose id follows from its name. */
export function fakePlan(name: string, steps: readonly FakeStep[], fields: Partial<Plan> = {}): Plan {
  const owner = ownerTag('rule', name);
  return {
    id: owner.id,
    owner,
    netns: undefined,
    subject: { name },
    walk() {
      const outputs: Record<string, JsonObject> = {};
      let index = 0;
      let current = '';
      return {
        next() {
          const step = steps[index];
          if (step === undefined) return undefined;
          const bound = fakeStep(step, index++, outputs);
          current = bound.key;
          return bound;
        },
        done(ended) {
          outputs[current] = ended;
        },
      };
    },
    ...fields,
  };
}
