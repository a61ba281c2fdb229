import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { imaginedAdd } from '../../../engine/rules/network/imagined-request.ts';
import type { NetworkProgram } from '../../../engine/rules/network/program.ts';
import { EffectError } from '../../../engine/step/effect.ts';
import { type Clock, pause } from '../../host/clock.ts';
import { errorMessage } from '../../host/error-message.ts';
import type { Log } from '../../host/log.ts';
import type { HostHandler } from '../../linux/performer.ts';
import { RehearsalHost } from '../../linux/rehearsal-host.ts';
import { createAddressAllocator } from '../addresses/allocator.ts';
import type { Delegate } from '../delegation/delegate.ts';
import { networkEffects } from '../network-effects.ts';
import { openNetworkPerformer } from '../network-performer.ts';
import { createPlugin, type Plugin } from '../plugin.ts';
import { requestInvocation } from '../request-invocation.ts';
import { factsWithoutCluster } from '../verbs/network-facts-source.ts';
import { fullSample } from './samples.ts';

export interface RehearsalOptions {
  readonly program: NetworkProgram;
  /** The host that is served. It is asked, and not changed. */
  readonly host: HostHandler;
  /** Made for this, and removed at the end. */
  readonly folder: string;
  readonly clock: Clock;
  /** Whether somebody is served: then it waits. */
  readonly isBusy: () => boolean;
  /** Ends it. */
  readonly signal: AbortSignal;
  readonly log: Log;
  /** Of containers, over all rules. Default: 400, from where on they get hardly faster. */
  readonly attachments?: number;
}

const ATTACHMENTS = 400;
/** Milliseconds from one look whether somebody is served to the next. */
const PAUSE = 20;
const BOOT = 'rehearsal';

/**
 * Attaches and detaches containers that are not there, by all that the daemon does it with, up to the kernel: the plugin, a journal and an
 * allocator of their own. A program that has just started takes twice the time for what it has not done often yet, and a node may ask for a few pods
 * an hour. Never rejects.
 */
export async function rehearse(options: RehearsalOptions): Promise<void> {
  const { program, folder, clock, isBusy, signal, log, attachments = ATTACHMENTS } = options;
  const began = clock.elapsed();
  let count = 0;
  const rules = new Set(program.rules.map(({ name }) => name));
  let stage: Stage | undefined;
  try {
    stage = await openStage(options);
    while (count < attachments && rules.size > 0) {
      for (const rule of rules) {
        await setImmediate();
        while (isBusy() && !signal.aborted) await pause(clock, PAUSE, signal);
        if (signal.aborted) return;
        count++;
        // One that needs more than a sample says, or others, has been looked at; once is enough.
        if (!(await attachAndDetach(stage, rule, join(folder, 'networks')))) rules.delete(rule);
      }
    }
    log('info', 'rehearsed', { attachments: count, seconds: Math.round(clock.elapsed() - began) / 1000 });
  } catch (error) {
    log('warn', 'the rehearsal ended', { reason: errorMessage(error) });
  } finally {
    await stage?.close();
  }
}

interface Stage {
  readonly host: RehearsalHost;
  readonly plugin: Plugin;
  close(): Promise<void>;
}

const noDelegate: Delegate = async () => {
  throw new EffectError('program', 'no other plugin is called in a rehearsal', 'delegate');
};

async function openStage({ program, folder, clock, host: real }: RehearsalOptions): Promise<Stage> {
  await rm(folder, { recursive: true, force: true });
  const addresses = createAddressAllocator({ log: () => {} });
  const host = new RehearsalHost({ real, custom: networkEffects(addresses, noDelegate) });
  const performer = await openNetworkPerformer({ stateFolder: folder, handler: host, clock, bootId: BOOT, log: () => {} });
  const plugin = createPlugin({
    program,
    performer,
    host,
    addresses,
    delegate: noDelegate,
    facts: factsWithoutCluster('node'),
    log: () => {},
    clock,
    netns: { of: (path) => path, own: () => BOOT },
  });
  return {
    host,
    plugin,
    async close() {
      await plugin.close();
      await performer.close();
      await rm(folder, { recursive: true, force: true }).catch(() => {});
    },
  };
}

/** Whether the rule attached it. */
async function attachAndDetach({ host, plugin }: Stage, type: string, dataDir: string): Promise<boolean> {
  const request = imaginedAdd(fullSample(type, dataDir));
  host.clear();
  const { exitCode } = await plugin.invoke(requestInvocation(type, request));
  await plugin.invoke(requestInvocation(type, { ...request, command: 'DEL' }));
  return exitCode === 0;
}
