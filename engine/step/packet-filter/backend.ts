import { isJsonObject, type Json } from '../../object/json.ts';
import { defaulted, doc, oneOf } from '../../text/shape.ts';
import { EffectError, type Steps } from '../effect.ts';
import { listNft } from '../effects/nft.ts';
import { remember } from '../effects/step.ts';
import type { Requirement } from '../requirement.ts';
import { TABLE } from './table.ts';

export const backendField = defaulted(
  doc('What the rules are written in; `auto` is nftables, and iptables where that is all there is.', oneOf('auto', 'nftables', 'iptables')),
  'auto',
);
export type Backend = 'auto' | 'nftables' | 'iptables';

const NFTABLES: Requirement = { kind: 'nft-family', name: 'inet' };
const IPTABLES: Requirement = { kind: 'program', name: 'iptables' };

export function backendRequirements(backend: Backend): readonly Requirement[] {
  if (backend === 'nftables') return [NFTABLES];
  return backend === 'iptables' ? [IPTABLES] : [{ kind: 'any-of', requirements: [NFTABLES, IPTABLES] }];
}

/** One verb, as each backend does it. */
export interface BackendSteps<T> {
  nftables(): Steps<T>;
  iptables(): Steps<T>;
}

/** Performs `ensure` with nftables, or with iptables on hosts that have nothing else. What was taken then is remembered. */
export function* ensureWith(backend: Backend, memory: Json | undefined, steps: BackendSteps<void>): Steps<void> {
  if (backend === 'iptables' || tookIptables(memory)) return yield* steps.iptables();
  try {
    yield* steps.nftables();
  } catch (error) {
    if (backend === 'nftables' || !isLack(error) || (yield* hasNftables())) throw error;
    yield* remember({ backend: 'iptables' });
    yield* steps.iptables();
  }
}

/** Performs `check` or `undo` with the backend that `ensure` took. */
export function* againWith<T>(backend: Backend, memory: Json | undefined, steps: BackendSteps<T>): Steps<T> {
  if (backend === 'iptables' || tookIptables(memory)) return yield* steps.iptables();
  try {
    return yield* steps.nftables();
  } catch (error) {
    // Without a memory, as after a loss of the journal, the host is asked again.
    if (backend === 'nftables' || !isLack(error) || (yield* hasNftables())) throw error;
    return yield* steps.iptables();
  }
}

/** What is listed in nftables, whatever the host's backend is; nothing on a host that has no nftables. */
export function* ofNftables<T>(listed: Steps<readonly T[]>): Steps<readonly T[]> {
  try {
    return yield* listed;
  } catch (error) {
    if (!isLack(error) || (yield* hasNftables())) throw error;
    return [];
  }
}

const tookIptables = (memory: Json | undefined): boolean => isJsonObject(memory) && memory['backend'] === 'iptables';

const isLack = (error: unknown): boolean => error instanceof EffectError && (error.code === 'program' || error.code === 'unsupported');

/** A child that ended may have been there all the same. */
function* hasNftables(): Steps<boolean> {
  try {
    yield* listNft('table', ...TABLE);
    return true;
  } catch (error) {
    if (isLack(error)) return false;
    throw error;
  }
}
