import type { JsonObject } from '../../engine/object/json.ts';
import { type Effect, EffectError, type EffectHandler } from '../../engine/step/effect.ts';
import type { HostHandler, HostSession } from '../linux/performer.ts';

/** Performs the `custom` effects of one name. Throws {@link EffectError}. */
export type CustomEffect = (request: JsonObject, signal?: AbortSignal) => Promise<unknown>;

/** A handler that also knows the effects of a protocol, by name; the host performs the others. */
export function withCustomEffects(host: HostHandler, effects: ReadonlyMap<string, CustomEffect>): HostHandler {
  const perform = performing(host, effects);
  return {
    perform,
    missing: (requirements) => host.missing(requirements),
    async session(netns) {
      const session = await host.session(netns);
      const inSession: HostSession = {
        perform: performing(session, effects),
        get netnsGone() {
          return session.netnsGone;
        },
        close: () => session.close(),
      };
      return inSession;
    },
  };
}

function performing(host: EffectHandler, effects: ReadonlyMap<string, CustomEffect>): EffectHandler['perform'] {
  return async function perform(effect: Effect, signal?: AbortSignal): Promise<unknown> {
    if (effect.kind === 'custom') {
      const custom = effects.get(effect.name);
      if (custom === undefined) throw new EffectError('unsupported', `this runtime has no effect ${effect.name}`, effect.name);
      return custom(effect.request, signal);
    }
    if (effect.kind !== 'all' || !effect.effects.some(isCustom)) return host.perform(effect, signal);
    const answers = await Promise.allSettled(effect.effects.map((one) => perform(one, signal)));
    return answers.map((answer) => {
      if (answer.status === 'rejected') throw answer.reason;
      return answer.value;
    });
  };
}

const isCustom = (effect: Effect): boolean => effect.kind === 'custom' || (effect.kind === 'all' && effect.effects.some(isCustom));
