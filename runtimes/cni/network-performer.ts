import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NETWORK_OPERATIONS } from '../../engine/rules/network/operations.ts';
import { createPerformer } from '../linux/create-performer.ts';
import type { Performer, PerformerOptions } from '../linux/performer.ts';

export interface NetworkPerformerOptions extends Pick<PerformerOptions, 'handler' | 'log' | 'crashPoint'> {
  /** Folder of the journal's folder; one process has it for itself. */
  readonly stateFolder: string;
  readonly clock: NonNullable<PerformerOptions['clock']>;
  /** Default: the kernel's. */
  readonly bootId?: string | undefined;
}

/** The performer of the networks of this node. Throws `FileError` where another process has the folder. */
export function openNetworkPerformer({ stateFolder, clock, bootId, ...options }: NetworkPerformerOptions): Promise<Performer> {
  return createPerformer({
    ...options,
    folder: join(stateFolder, 'journal'),
    operations: NETWORK_OPERATIONS,
    now: clock.now,
    clock,
    bootId: bootId ?? readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
  });
}
