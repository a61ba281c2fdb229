import { STRING } from '../../cel/types.ts';
import type { Json } from '../../object/json.ts';
import { type Infer, object } from '../../text/shape.ts';
import { type Command, EffectError, type Netns, type Steps } from '../effect.ts';
import { readFile } from '../effects/files.ts';
import { command, ip, tolerating } from '../effects/iproute.ts';
import { type LinkRow, link, links } from '../effects/show.ts';
import { pause, remember } from '../effects/step.ts';
import { addAddress, readAddress } from '../network/address.ts';
import { predictInterface } from '../network/container-link.ts';
import { askedDevice, deviceFields, deviceKey, deviceProblems, findDevice, isForPrograms } from '../network/host-device-lookup.ts';
import { checkInterface, configureInterface, describeInterface, interfaceProblems, interfaceResult } from '../network/interface.ts';
import { tagLink } from '../network/owned-link.ts';
import { interfaceFields } from '../network/shapes.ts';
import type { Operation, OwnedThing, StepContext } from '../operation.ts';
import { readOwnerTag } from '../owner-tag.ts';

const shape = object({ ...interfaceFields, ...deviceFields });
type Arguments = Infer<typeof shape>;
/** `name` is `` for a device that is bound to a driver of user space: it has no interface. */
type Outputs = { readonly name: string; readonly mac: string; readonly sandbox?: string; readonly pciID?: string };
type Context = StepContext<Outputs>;

/** What the device was on the host. */
interface Memory {
  readonly name: string;
  /** Number of the link, which it keeps where it is free. */
  readonly index?: number;
  /** Whether it outlives the namespace that it is in. */
  readonly isPhysical?: boolean;
  readonly alias: string;
  readonly mac: string;
  readonly mtu: number;
  readonly up: boolean;
  readonly addresses: readonly string[];
}

/** Milliseconds from one look for a device that is on its way back to the next; a namespace ends in the background. */
const RETURN_PAUSE = 100;
/** Looks for it. */
const RETURN_LOOKS = 30;

/**
 * Moves a device of the host into the container, and back. It gets its new name by the same message that moves it, and its old one before it
 * is moved back, so that udev on the host never sees it under a name that it would change. Official plugin: plugins/main/host-device.
 */
export const HOST_DEVICE: Operation<Arguments, Outputs> = {
  name: 'hostDevice',
  group: 'network',
  doc: 'A network device of the host, moved into the container.',
  arguments: shape,
  outputs: { name: STRING, mac: STRING, sandbox: STRING, pciID: STRING },
  lifetime: 'owned',

  validate: (args) => [...interfaceProblems(args), ...deviceProblems(args)],
  requires: () => [],
  // Two containers that ask for one device: the second shall be told that it is gone.
  lockKeys: (args) => [`device:${deviceKey(args)}`],

  *ensure(args, context) {
    if (yield* isForPrograms(args)) return outputsOf(args, context, { name: '', mac: '' });
    const moved = yield* ownLink(context.netns, args, context);
    const mac = moved === undefined ? yield* moveIn(args, context) : (moved.address ?? '');
    if (moved !== undefined && moved.ifname !== args.name) {
      yield* ip(
        context.netns,
        command('link', 'set', 'dev', moved.ifname, 'down'),
        command('link', 'set', 'dev', moved.ifname, 'name', args.name),
      );
    }
    yield* ip(context.netns, ...attributes(args.name, args));
    yield* configureInterface(context.netns, args);
    return outputsOf(args, context, { name: args.name, mac: args.mac ? args.mac.toLowerCase() : mac });
  },

  *check(args, context) {
    return context.outputs?.name === '' ? [] : yield* checkInterface(context.netns, args);
  },

  *undo(args, context) {
    const before = context.memory as unknown as Memory | undefined;
    if (before === undefined) return;
    if (!context.netnsGone) yield* moveOut(args, context, before);
    yield* giveBack(args, context, before);
  },

  inventory: ownedDevices,
  predict: (args, context) => predictInterface(args, context, args.mac?.toLowerCase()),
  describe: (args) => `move ${askedDevice(args)} into the container as ${describeInterface(args)}`,
  result(args, { name, mac, sandbox, pciID }) {
    const place = { ...(sandbox !== undefined && { sandbox }), ...(pciID !== undefined && { pciID }) };
    return name === ''
      ? { interfaces: [{ name: args.name, ...place }], ips: interfaceResult(args, 0).ips ?? [] }
      : { interfaces: [{ name, mac, ...place }], ...interfaceResult(args, 0) };
  },
};

const outputsOf = (args: Arguments, { netns }: Context, known: { readonly name: string; readonly mac: string }): Outputs => ({
  ...known,
  ...(netns !== undefined && { sandbox: netns }),
  ...(args.pciAddress && { pciID: args.pciAddress }),
});

const attributes = (name: string, { mac, mtu }: { readonly mac?: string; readonly mtu?: number }): Command[] =>
  mac || mtu ? [command('link', 'set', 'dev', name, ...(mac ? ['address', mac] : []), ...(mtu ? ['mtu', mtu] : []))] : [];

/**
 * Our device in a namespace: its tag was written before it was moved. Other steps of the owner have the same tag, so something else has to
 * fit too. What comes back by itself, with the namespace of a container, may have any name, and the container may have given it any address.
 */
function* ownLink(netns: Netns, args: Arguments, { owner, memory }: Context): Steps<LinkRow | undefined> {
  if (memory === undefined) return undefined;
  const { name, mac, index } = memory as unknown as Memory;
  const macs = [mac, args.mac?.toLowerCase()];
  return (yield* links(netns)).find(
    (row) =>
      row.ifalias === owner.text &&
      (row.ifname === args.name ||
        row.ifname === name ||
        macs.includes(row.address) ||
        row.permaddr === mac ||
        (row.ifindex === index && isPhysical(row))),
  );
}

const isPhysical = (row: LinkRow): boolean => row.linkinfo?.info_kind === undefined;

/** Answers the MAC address. */
function* moveIn(args: Arguments, context: Context): Steps<string> {
  const device = yield* findDevice(args);
  if (device.ifalias !== undefined && device.ifalias !== context.owner.text && readOwnerTag(device.ifalias) !== undefined) {
    throw new EffectError('busy', `${device.ifname} belongs to ${device.ifalias}`, `ip link show dev ${device.ifname}`);
  }
  if ((yield* link(context.netns, args.name)) !== undefined) {
    throw new EffectError(
      'exists',
      `the container has an interface ${JSON.stringify(args.name)} already`,
      `ip link set dev ${device.ifname} name ${args.name}`,
    );
  }
  if (context.netns === undefined)
    throw new EffectError('namespace', 'there is no container to move a device into', `ip link set dev ${device.ifname} netns`);
  if (context.memory === undefined) yield* remember(toJson(stateOf(device)));
  yield* ip(
    undefined,
    tagLink(device.ifname, context.owner),
    command('link', 'set', 'dev', device.ifname, 'netns', context.netns, 'name', args.name),
  );
  return device.address ?? '';
}

const stateOf = (row: LinkRow): Memory => ({
  name: row.ifname,
  index: row.ifindex,
  isPhysical: isPhysical(row),
  alias: row.ifalias ?? '',
  mac: row.address ?? '',
  mtu: row.mtu,
  up: row.flags.includes('UP'),
  addresses: row.addr_info.filter(({ scope }) => scope !== 'link').map(({ local, prefixlen }) => `${local}/${prefixlen}`),
});

const toJson = (memory: Memory): Json => ({ ...memory });

/** Moves the device to the namespace of this process, under its old name where the container has no interface of that name. */
function* moveOut(args: Arguments, context: Context, before: Memory): Steps<void> {
  const moved = yield* ownLink(context.netns, args, context);
  if (moved === undefined) return;
  const home = yield* ownNamespace();
  const isFree = moved.ifname === before.name || (yield* link(context.netns, before.name)) === undefined;
  yield* ip(
    context.netns,
    command('link', 'set', 'dev', moved.ifname, 'down'),
    ...(isFree && moved.ifname !== before.name ? [command('link', 'set', 'dev', moved.ifname, 'name', before.name)] : []),
    isFree
      ? command('link', 'set', 'dev', before.name, 'netns', home)
      : command('link', 'set', 'dev', moved.ifname, 'netns', home, 'name', before.name),
  );
}

/** Path of the namespace that effects on the host happen in, for a program that runs in another one. */
function* ownNamespace(): Steps<string> {
  const status = yield* readFile('/proc/self/stat', 4096);
  const pid = /^\d+/.exec(status ?? '')?.[0];
  if (pid === undefined) throw new EffectError('other', '/proc/self/stat does not say the number of this process', 'read /proc/self/stat');
  return `/proc/${pid}/ns/net`;
}

/**
 * The device on the host again. Where its namespace is gone, the kernel brings a physical one back a moment later: under the name that it has
 * there, or as `dev` and a number where that is taken. Undefined where it went elsewhere, or was pulled out.
 */
function* cameBack(args: Arguments, context: Context, before: Memory): Steps<LinkRow | undefined> {
  for (let look = 1; ; look++) {
    const found = yield* ownLink(undefined, args, context);
    if (found !== undefined || !context.netnsGone || before.isPhysical !== true || look === RETURN_LOOKS) return found;
    // It was never moved, or the machine was started anew.
    if ((yield* link(undefined, before.name))?.address === before.mac) return undefined;
    yield* pause(RETURN_PAUSE);
  }
}

/** Makes the device on the host what it was. */
function* giveBack(args: Arguments, context: Context, before: Memory): Steps<void> {
  const found = yield* cameBack(args, context, before);
  if (found === undefined) return;
  const { name } = before;
  yield* ip(
    undefined,
    ...(found.ifname === name
      ? []
      : [command('link', 'set', 'dev', found.ifname, 'down'), command('link', 'set', 'dev', found.ifname, 'name', name)]),
    ...attributes(name, {
      ...(found.address !== before.mac && before.mac !== '' && { mac: before.mac }),
      ...(found.mtu !== before.mtu && { mtu: before.mtu }),
    }),
    ...(before.up ? [command('link', 'set', 'dev', name, 'up')] : []),
    ...before.addresses.map((address) => addAddress(name, readAddress(address))),
    // Last, so that after an interruption it is still found.
    tolerating(command('link', 'set', 'dev', name, 'alias', before.alias), 'missing'),
  );
}

/** Devices that came back with a namespace while nobody looked after them: the tag is taken away, the device stays. */
function* ownedDevices(): Steps<readonly OwnedThing[]> {
  const physical = (yield* links(undefined)).filter(isPhysical);
  return physical.flatMap(({ ifalias, ifname }) =>
    ifalias === undefined || readOwnerTag(ifalias) === undefined
      ? []
      : [
          {
            tag: ifalias,
            what: `device ${ifname}`,
            remove: () => ip(undefined, tolerating(command('link', 'set', 'dev', ifname, 'alias', ''), 'missing')),
          },
        ],
  );
}
