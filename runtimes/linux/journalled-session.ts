import type { Json } from '../../engine/object/json.ts';
import { type Effect, EffectError, type EffectHandler } from '../../engine/step/effect.ts';
import { performTogether } from './perform-together.ts';
import type { HostSession } from './performer.ts';

export interface JournalledSessionOptions {
  readonly session: HostSession;
  /** A namespace that must not be entered: it went with an earlier boot, and its path may be another's by now. */
  readonly lostNetns: string | undefined;
  /** Keeps what the step must know to undo. */
  readonly remember: (value: Json) => void;
  /** Waits until the journal outlives a loss of power. */
  readonly sync: () => Promise<void>;
  readonly crashPoint: (name: string) => void;
}

/** Performs the effects of one verb of one step, and keeps the journal ahead of them. */
export interface JournalledSession extends EffectHandler {
  /** Whether something was changed that outlives the machine's power. */
  readonly touchedDisk: boolean;
}

/**
 * The journal is on disk before an effect that outlives the power of the machine: a file, a program, a call, an address that is reserved in
 * a file. What the kernel holds (links, routes, rules, sysctls, nftables) is gone with the power, and with it the need to undo it, so
 * nobody waits for a disk before it: it is enough that the journal was written, which outlives the process.
 */
export function journalledSession(options: JournalledSessionOptions): JournalledSession {
  const { session, lostNetns, remember, sync, crashPoint } = options;
  let touchedDisk = false;

  async function perform(effect: Effect, signal?: AbortSignal): Promise<unknown> {
    if (effect.kind === 'remember') {
      remember(effect.value);
      return undefined;
    }
    if (effect.kind === 'all' && holdsMemory(effect)) {
      return performTogether(effect, perform, signal);
    }
    const netns = lostNetns === undefined ? undefined : netnsWithin(effect, lostNetns);
    if (netns !== undefined) throw new EffectError('namespace', 'it went when the machine was started anew', `enter ${netns}`);
    if (!changesHost(effect)) return session.perform(effect, signal);
    if (outlivesPower(effect)) {
      touchedDisk = true;
      await sync();
    }
    crashPoint(`before effect ${effect.kind}`);
    const answer = await session.perform(effect, signal);
    crashPoint(`after effect ${effect.kind}`);
    return answer;
  }

  return {
    perform,
    get touchedDisk() {
      return touchedDisk;
    },
  };
}

function holdsMemory(effect: Effect): boolean {
  return effect.kind === 'remember' || (effect.kind === 'all' && effect.effects.some(holdsMemory));
}

function netnsWithin(effect: Effect, lost: string): string | undefined {
  if (effect.kind === 'all') return effect.effects.map((each) => netnsWithin(each, lost)).find((each) => each !== undefined);
  return 'netns' in effect && effect.netns === lost ? lost : undefined;
}

function changesHost(effect: Effect): boolean {
  switch (effect.kind) {
    case 'show':
    case 'nft-list':
    case 'iptables-save':
    case 'sysctl-read':
    case 'stat':
    case 'read-file':
    case 'pause':
      return false;
    case 'all':
      return effect.effects.some(changesHost);
    default:
      return true;
  }
}

function outlivesPower(effect: Effect): boolean {
  switch (effect.kind) {
    case 'iproute':
    case 'nft':
    case 'iptables':
    case 'sysctl-write':
      return false;
    case 'all':
      return effect.effects.some((each) => changesHost(each) && outlivesPower(each));
    default:
      return true;
  }
}
