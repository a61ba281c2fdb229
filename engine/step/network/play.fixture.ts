import type { JsonObject } from '../../object/json.ts';
import { checkShapeValue } from '../../text/shape-check.ts';
import { type EffectHandler, runSteps, type Steps } from '../effect.ts';
import type { Operation, OwnedThing, StepContext } from '../operation.ts';
import { ownerTag } from '../owner-tag.ts';
import { Killed, type ModelHost } from './model-host.fixture.ts';

/** Path of the namespace of the container in tests. */
export const NETNS = '/run/netns/test';
export const OWNER = ownerTag('test', 'net', 'container', 'eth0');

/** Arguments with defaults filled in. Throws where they do not fit. */
export function argumentsOf(operation: Operation, raw: JsonObject): JsonObject {
  const { value, problems } = checkShapeValue<JsonObject>(operation.arguments, raw);
  if (value === undefined) throw new Error(problems.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '));
  return value;
}

/** What `validate` says, `path: message`. */
export const problemsOf = (operation: Operation, raw: JsonObject): readonly string[] =>
  (operation.validate?.(argumentsOf(operation, raw)) ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);

/** One step with a host of paper: what the performer would do with it. */
export class Play {
  readonly #operation: Operation;
  readonly #args: JsonObject;
  readonly host: ModelHost;
  outputs: JsonObject | undefined;
  netnsGone = false;

  constructor(operation: Operation, raw: JsonObject, host: ModelHost) {
    this.#operation = operation;
    this.#args = argumentsOf(operation, raw);
    this.host = host;
  }

  async ensure(): Promise<JsonObject> {
    this.outputs = await this.#run((context) => this.#operation.ensure(this.#args, context));
    return this.outputs;
  }

  check(): Promise<readonly string[]> {
    return this.#run((context) => this.#operation.check(this.#args, context));
  }

  async undo(): Promise<void> {
    await this.#run((context) => this.#operation.undo(this.#args, context));
  }

  predict(): Partial<JsonObject> {
    return this.#operation.predict(this.#args, this.#context());
  }

  result() {
    return this.#operation.result?.(this.#args, this.outputs!);
  }

  inventory(): Promise<readonly OwnedThing[]> {
    return this.#run(() => this.#operation.inventory!());
  }

  async remove(thing: OwnedThing): Promise<void> {
    await this.#run(() => thing.remove());
  }

  /** Runs `ensure` and kills it after so many commands; answers whether it was killed before it ended. */
  async ensureKilled(commands: number): Promise<boolean> {
    this.host.patience = commands;
    try {
      await this.ensure();
      return false;
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
      this.outputs = undefined;
      return true;
    } finally {
      this.host.patience = Number.POSITIVE_INFINITY;
    }
  }

  async undoKilled(commands: number): Promise<boolean> {
    this.host.patience = commands;
    try {
      await this.undo();
      return false;
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
      return true;
    } finally {
      this.host.patience = Number.POSITIVE_INFINITY;
    }
  }

  #context(): StepContext {
    const { memory } = this.host;
    return {
      owner: OWNER,
      netns: NETNS,
      netnsGone: this.netnsGone,
      ...(memory !== undefined && { memory }),
      ...(this.outputs !== undefined && { outputs: this.outputs }),
    };
  }

  #run<T>(steps: (context: StepContext) => Steps<T>): Promise<T> {
    return runSteps(steps(this.#context()), mortal(this.host));
  }
}

/** A killed process does not go on with what it was about to clean up. */
function mortal(host: EffectHandler): EffectHandler {
  let isDead = false;
  return {
    async perform(effect) {
      if (isDead) throw new Killed(effect.kind);
      try {
        return await host.perform(effect);
      } catch (error) {
        isDead = error instanceof Killed;
        throw error;
      }
    },
  };
}
