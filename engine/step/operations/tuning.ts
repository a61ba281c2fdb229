import { STRING } from '../../cel/types.ts';
import { boolean, defaulted, type Infer, integer, object, optional } from '../../text/shape.ts';
import { type Command, EffectError, type Steps } from '../effect.ts';
import { readFile } from '../effects/files.ts';
import { command, ip } from '../effects/iproute.ts';
import { existingLink, type LinkRow, link } from '../effects/show.ts';
import { remember } from '../effects/step.ts';
import { writeSysctl } from '../effects/sysctl.ts';
import { linkNameProblems, macProblems } from '../network/link-name.ts';
import { linkName, mac, mtu, sysctls } from '../network/shapes.ts';
import { differingSysctls, readSysctls, restoreSysctls, settleSysctls, sysctlProblems } from '../network/sysctl-values.ts';
import type { Operation, StepContext } from '../operation.ts';

const shape = object({
  dev: linkName('Interface of the container, usually `${request.ifName}`.'),
  mac: mac('MAC address.'),
  mtu: mtu(),
  promisc: defaulted(boolean({ doc: 'Whether it takes packets for any MAC address. False leaves it as it is.' }), false),
  allmulti: optional(boolean({ doc: 'Whether it takes all multicast packets.' })),
  txQLen: optional(integer({ doc: 'Packets that may wait for transmission.', minimum: 0, maximum: 2 ** 31 - 1 })),
  sysctl: defaulted(sysctls('Keys of the kernel below `net`, as `net.ipv4.conf.IFNAME.arp_filter`; IFNAME stands for the interface.'), {}),
});
type Arguments = Infer<typeof shape>;
type Outputs = { readonly name: string; readonly mac?: string; readonly sandbox?: string };

/** What was there before, as far as it is changed. */
interface Memory {
  readonly mac?: string;
  readonly mtu?: number;
  readonly promisc?: boolean;
  readonly allmulti?: boolean;
  readonly txQLen?: number;
  readonly sysctl: Readonly<Record<string, string>>;
}

/** Lines of regular expressions; where the file is, a sysctl must match one of them. Official plugin: the same file. */
const ALLOW_LIST = '/etc/cni/tuning/allowlist.conf';
const ALLOW_LIST_LIMIT = 64 * 1024;

/** Changes an interface that an earlier plugin or step has made. Official plugin: plugins/meta/tuning/tuning.go. */
export const TUNING: Operation<Arguments, Outputs> = {
  name: 'tuning',
  group: 'network',
  doc: 'Attributes and kernel parameters of an interface of the container that is there already.',
  arguments: shape,
  outputs: { name: STRING, mac: STRING, sandbox: STRING },
  lifetime: 'owned',

  validate: (args) => [...linkNameProblems(args, 'dev'), ...macProblems(args, 'mac'), ...sysctlProblems(args.sysctl, ['sysctl'])],
  requires: () => [],
  lockKeys: () => [],

  *ensure(args, context) {
    const { netns } = context;
    yield* checkAllowed(Object.keys(args.sysctl));
    const row = yield* existingLink(netns, args.dev, `the container has no interface ${JSON.stringify(args.dev)}`);
    if (context.memory === undefined) yield* remember({ ...(yield* stateBefore(args, context, row)) });
    for (const [key, value] of settled(args)) yield* writeSysctl(netns, key, value);
    const line = linkCommand(args.dev, { ...args, promisc: args.promisc || undefined });
    if (line !== undefined) yield* ip(netns, line);
    return outputsOf(args, context);
  },

  *check(args, { netns }) {
    const row = yield* link(netns, args.dev);
    if (row === undefined) return [`interface ${args.dev} is not in the container`];
    const problems: string[] = [...(yield* differingSysctls(netns, settled(args)))];
    const compare = (what: string, wanted: unknown, found: unknown): void => {
      if (wanted !== undefined && wanted !== found) problems.push(`${what} of ${args.dev} is ${found}, not ${wanted}`);
    };
    compare('MAC address', args.mac ? args.mac.toLowerCase() : undefined, row.address);
    compare('MTU', args.mtu || undefined, row.mtu);
    compare('promiscuous mode', args.promisc || undefined, row.flags.includes('PROMISC'));
    compare('all-multicast mode', args.allmulti, row.flags.includes('ALLMULTI'));
    compare('transmit queue length', args.txQLen, row.txqlen);
    return problems;
  },

  *undo(args, context) {
    if (context.netnsGone || context.memory === undefined) return;
    const before = context.memory as unknown as Memory;
    if ((yield* link(context.netns, args.dev)) === undefined) return;
    yield* restoreSysctls(context.netns, settled(args), before.sysctl);
    const line = linkCommand(args.dev, before);
    if (line !== undefined) yield* ip(context.netns, line);
  },

  predict: (args, context) => outputsOf(args, context),
  describe: (args) =>
    [
      `tune ${args.dev}:`,
      [
        args.mac && `address ${args.mac}`,
        args.mtu ? `mtu ${args.mtu}` : undefined,
        args.promisc && 'promiscuous',
        args.allmulti !== undefined && `allmulti ${args.allmulti ? 'on' : 'off'}`,
        args.txQLen !== undefined && `txqueuelen ${args.txQLen}`,
        ...settled(args).map(([key, value]) => `${key}=${value}`),
      ]
        .filter(Boolean)
        .join(', '),
    ].join(' '),
  // As the official plugin, which tells of the MAC address alone.
  result: (args, outputs) => (args.mac ? { interfaces: [outputs] } : {}),
};

const settled = (args: Arguments) => settleSysctls(args.sysctl, args.dev);

const outputsOf = (args: Arguments, { netns }: StepContext<Outputs>): Outputs => ({
  name: args.dev,
  ...(args.mac && { mac: args.mac.toLowerCase() }),
  ...(netns !== undefined && { sandbox: netns }),
});

const onOff = (word: string, value: boolean | undefined): readonly string[] => (value === undefined ? [] : [word, value ? 'on' : 'off']);

/** One line for all attributes; undefined where there is none. */
function linkCommand(dev: string, wanted: { readonly [K in keyof Omit<Memory, 'sysctl'>]: Memory[K] | undefined }): Command | undefined {
  const words = [
    ...(wanted.mac ? ['address', wanted.mac] : []),
    ...(wanted.mtu ? ['mtu', wanted.mtu] : []),
    ...onOff('promisc', wanted.promisc),
    ...onOff('allmulticast', wanted.allmulti),
    ...(wanted.txQLen === undefined ? [] : ['txqueuelen', wanted.txQLen]),
  ];
  return words.length === 0 ? undefined : command('link', 'set', 'dev', dev, ...words);
}

function* stateBefore(args: Arguments, { netns }: StepContext<Outputs>, row: LinkRow): Steps<Memory> {
  return {
    ...(args.mac && row.address !== undefined && { mac: row.address }),
    ...(args.mtu && { mtu: row.mtu }),
    ...(args.promisc && { promisc: row.flags.includes('PROMISC') }),
    ...(args.allmulti !== undefined && { allmulti: row.flags.includes('ALLMULTI') }),
    ...(args.txQLen !== undefined && row.txqlen !== undefined && { txQLen: row.txqlen }),
    sysctl: Object.fromEntries(yield* readSysctls(netns, settled(args))),
  };
}

/** @throws EffectError `denied` for a sysctl that the host's administrator has not allowed. */
function* checkAllowed(keys: readonly string[]): Steps<void> {
  if (keys.length === 0) return;
  const text = yield* readFile(ALLOW_LIST, ALLOW_LIST_LIMIT);
  if (text === undefined) return;
  const allowed = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const patterns = allowed.map(readPattern);
  const refused = keys.find((key) => !patterns.some((pattern) => pattern.test(key)));
  if (refused !== undefined) {
    throw new EffectError(
      'denied',
      `Sysctl ${refused} is not allowed. Only the following sysctls are allowed: [${allowed.join(' ')}]`,
      `sysctl ${refused}`,
    );
  }
}

function readPattern(line: string): RegExp {
  try {
    return new RegExp(line);
  } catch (error) {
    throw new EffectError(
      'invalid',
      `${ALLOW_LIST} has a line that is no regular expression: ${(error as Error).message}`,
      `read ${ALLOW_LIST}`,
    );
  }
}
