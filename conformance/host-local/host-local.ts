import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseIp } from '../../engine/object/ip-address.ts';
import type { AddressRange } from '../../engine/rules/network/program.ts';
import { type AddressAllocator, createAddressAllocator } from '../../runtimes/cni/addresses/allocator.ts';
import { createDelegate } from '../../runtimes/cni/delegation/delegate.ts';
import { systemClock } from '../../runtimes/host/clock.ts';

export type RangeSets = readonly (readonly AddressRange[])[];

/** Who gives addresses of a folder: the official plugin, or ours. Answers are addresses with prefix lengths, or `no: <why>`. */
export interface Giver {
  readonly name: string;
  add(id: string, ranges: RangeSets, requested?: readonly string[]): Promise<string>;
  del(id: string, ranges: RangeSets): Promise<string>;
  check(id: string, ranges: RangeSets): Promise<string>;
}

/** A folder of reservations in which both work. */
export interface Folder {
  readonly official: Giver;
  readonly ours: Giver;
  /** Our allocator anew, as after a start of the daemon. */
  restarted(): Giver;
  /** Names and texts of reservations, and what was given last. */
  state(): string;
  remove(): void;
}

const NETWORK = 'net';

/** Makes an empty folder. `plugins` holds the official executables. */
export function makeFolder(plugins: string): Folder {
  const dataDir = mkdtempSync(join(tmpdir(), 'fairlead-host-local-'));
  return {
    official: officialGiver(plugins, dataDir),
    ours: ourGiver(dataDir),
    restarted: () => ourGiver(dataDir),
    state: () => stateOf(join(dataDir, NETWORK)),
    remove: () => rmSync(dataDir, { recursive: true, force: true }),
  };
}

async function wording(act: () => Promise<string>): Promise<string> {
  try {
    return await act();
  } catch (error) {
    return `no: ${(error as Error).message}`;
  }
}

function officialGiver(plugins: string, dataDir: string): Giver {
  const delegate = createDelegate({ clock: systemClock, log: () => {} });
  const call = (command: 'ADD' | 'DEL' | 'CHECK', id: string, ranges: RangeSets, requested: readonly string[] = []): Promise<string> =>
    wording(async () => {
      const ipam = { type: 'host-local', dataDir, ranges: ranges as never };
      const config = { cniVersion: '1.1.0', name: NETWORK, ipam, runtimeConfig: { ips: requested } };
      const at = { containerId: id, netns: '/nowhere', ifName: 'eth0', args: {}, path: [plugins] };
      const result = await delegate({ type: 'host-local', command, config, ...at });
      return result === undefined ? 'yes' : result.ips.map(({ address, gateway }) => `${address} by ${gateway}`).join(', ');
    });
  return {
    name: 'host-local',
    add: (id, ranges, requested) => call('ADD', id, ranges, requested),
    del: (id, ranges) => call('DEL', id, ranges),
    check: (id, ranges) => call('CHECK', id, ranges),
  };
}

function ourGiver(dataDir: string): Giver {
  const allocator: AddressAllocator = createAddressAllocator({ log: () => {} });
  const request = (containerId: string, ranges: RangeSets, requested: readonly string[] = []) => ({
    network: NETWORK,
    containerId,
    ifName: 'eth0',
    ranges,
    requested,
    dataDir,
  });
  return {
    name: 'ours',
    add: (id, ranges, requested) =>
      wording(async () => {
        const { ips } = await allocator.allocate(request(id, ranges, requested));
        return ips.map(({ address, gateway }) => `${address} by ${gateway}`).join(', ');
      }),
    del: (id, ranges) =>
      wording(async () => {
        await allocator.release(request(id, ranges));
        return 'yes';
      }),
    check: (id, ranges) =>
      wording(async () => {
        const problems = await allocator.check(request(id, ranges));
        return problems.length === 0 ? 'yes' : `no: ${problems.join('; ')}`;
      }),
  };
}

function stateOf(folder: string): string {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return names
    .filter((name) => parseIp(name) !== undefined || name.startsWith('last_reserved_ip.'))
    .sort()
    .map((name) => `${name}: ${JSON.stringify(readFileSync(join(folder, name), 'utf8'))}`)
    .join('\n');
}
