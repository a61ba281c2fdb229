import type { Json, JsonObject } from '../../object/json.ts';
import { type Effect, EffectError, type EffectHandler, type ProgramResult, runSteps, type Steps } from '../effect.ts';
import { argumentsOf } from '../network/play.fixture.ts';
import type { Operation, OwnedThing, StepContext } from '../operation.ts';
import { ownerTag } from '../owner-tag.ts';
import { ModelIptables } from './model-iptables.fixture.ts';
import { ModelNftables } from './model-nftables.fixture.ts';

/** A host on paper with firewalls, for one operation at a time. */
export class FilterHost implements EffectHandler {
  readonly nftables = new ModelNftables();
  readonly iptables = { 4: new ModelIptables(), 6: new ModelIptables() } as const;
  readonly sysctls = new Map<string, string>();
  /** Programs and backends that are not there. */
  readonly lacks = new Set<string>();
  /** Programs that were run, with their arguments. */
  readonly runs: string[] = [];
  /** Scripts of nft that were applied. */
  readonly scripts: string[] = [];
  readonly memory = new Map<string, Json>();
  readonly #recollected = new Map<string, unknown>();
  /** Called before each effect, to change what is there in between. */
  before: (effect: Effect) => void = () => undefined;

  async perform(effect: Effect): Promise<unknown> {
    this.before(effect);
    switch (effect.kind) {
      case 'nft':
        this.#need('nft');
        try {
          this.nftables.apply(effect.script);
          this.scripts.push(effect.script);
        } catch (error) {
          if (!(error instanceof EffectError) || !effect.tolerate?.includes(error.code)) throw error;
        }
        return undefined;
      case 'nft-list':
        this.#need('nft');
        return this.nftables.list(effect.words);
      case 'iptables':
        this.#need('iptables');
        return this.iptables[effect.family].restore(effect.script);
      case 'iptables-save':
        this.#need('iptables');
        return this.iptables[effect.family].save(effect.table);
      case 'show':
        return [{ dst: effect.words.at(-1), dev: 'cni0' }];
      case 'sysctl-read':
        return this.sysctls.get(effect.key);
      case 'sysctl-write':
        this.sysctls.set(effect.key, effect.value);
        return undefined;
      case 'run':
        this.#need(effect.program);
        this.runs.push([effect.program, ...effect.arguments].join(' '));
        return { exitCode: 1, stdout: '', stderr: '' } satisfies ProgramResult;
      default:
        throw new Error(`not on this host: ${effect.kind}`);
    }
  }

  ensure(operation: Operation, raw: JsonObject, who = 'a'): Promise<unknown> {
    return this.#play(who, (context) => operation.ensure(argumentsOf(operation, raw), context));
  }
  check(operation: Operation, raw: JsonObject, who = 'a'): Promise<readonly string[]> {
    return this.#play(who, (context) => operation.check(argumentsOf(operation, raw), context));
  }
  undo(operation: Operation, raw: JsonObject, who = 'a'): Promise<void> {
    return this.#play(who, (context) => operation.undo(argumentsOf(operation, raw), context));
  }
  inventory(operation: Operation): Promise<readonly OwnedThing[]> {
    return runSteps(operation.inventory!(), this);
  }

  /** As after a restart: what was recollected is gone. */
  forget(): void {
    this.#recollected.clear();
  }

  /** Performs `remember` itself, and recollects, as the performer does. */
  #play<T>(who: string, steps: (context: StepContext) => Steps<T>): Promise<T> {
    const memory = this.memory.get(who);
    const recollection = {
      take: () => {
        const value = this.#recollected.get(who);
        this.#recollected.delete(who);
        return value;
      },
      keep: (value: unknown) => void this.#recollected.set(who, value),
    };
    const context: StepContext = {
      owner: tagOf(who),
      netns: undefined,
      netnsGone: false,
      recollection,
      ...(memory !== undefined && { memory }),
    };
    const perform = async (effect: Effect): Promise<unknown> => {
      if (effect.kind !== 'remember') return this.perform(effect);
      this.memory.set(who, effect.value);
      return undefined;
    };
    return runSteps(steps(context), { perform });
  }

  #need(program: string): void {
    if (this.lacks.has(program)) throw new EffectError('program', `there is no program ${program}`, program);
  }
}

export const tagOf = (who: string) => ownerTag('net', who);
