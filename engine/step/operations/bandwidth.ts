import { STRING } from '../../cel/types.ts';
import { defaulted, type Infer, integer, object, optional } from '../../text/shape.ts';
import { EffectError, type Steps } from '../effect.ts';
import { command, ip, tc } from '../effects/iproute.ts';
import { existingLink, link, links } from '../effects/show.ts';
import { remember } from '../effects/step.ts';
import { generatedLinkName, generatedMac, optionalLinkNameProblems } from '../network/link-name.ts';
import { deleteLink, isOwned, ownedLinks, tagLink } from '../network/owned-link.ts';
import { linkName } from '../network/shapes.ts';
import type { ArgumentProblem, Operation, StepContext } from '../operation.ts';
import type { Requirement } from '../requirement.ts';
import { type QdiscRow, qdiscs, redirects } from '../traffic/qdisc.ts';
import { bucketWords, isBucket, type TokenBucket, tokenBucket } from '../traffic/token-bucket.ts';

const bits = (doc: string) => defaulted(integer({ doc, minimum: 0 }), 0);

const shape = object({
  device: optional(linkName("The container's link as the host sees it: the other end of its veth.")),
  container: optional(linkName('Interface of the container whose other end is looked for on the host, where `device` is not known.')),
  ingressRate: bits('Bits per second that the container may receive; 0 for no limit.'),
  ingressBurst: bits('Bits that it may receive at once.'),
  egressRate: bits('Bits per second that the container may send; 0 for no limit.'),
  egressBurst: bits('Bits that it may send at once.'),
});
type Arguments = Infer<typeof shape>;
type Outputs = { readonly ifb: string; readonly mac: string };
type Context = StepContext<Outputs>;

/**
 * Limits by token buckets: what the container receives is sent by the host's end of its link; what it sends is led through a link of
 * its own (ifb), because only what is sent can be delayed. Official plugin: plugins/meta/bandwidth.
 */
export const BANDWIDTH: Operation<Arguments, Outputs> = {
  name: 'bandwidth',
  group: 'network',
  doc: 'Limits how much a container receives and sends.',
  arguments: shape,
  outputs: { ifb: STRING, mac: STRING },
  lifetime: 'owned',

  validate(args) {
    if ((args.device === undefined) === (args.container === undefined))
      return [{ path: ['device'], message: 'specify one of device, container' }];
    return [
      ...optionalLinkNameProblems(args, 'device'),
      ...optionalLinkNameProblems(args, 'container'),
      ...limitProblems('ingress', args.ingressRate, args.ingressBurst),
      ...limitProblems('egress', args.egressRate, args.egressBurst),
    ];
  },

  requires(args) {
    const { ingress, egress } = limitsOf(args);
    const needed: readonly (Requirement | undefined)[] = [
      ingress || egress ? { kind: 'qdisc', name: 'tbf' } : undefined,
      egress && { kind: 'qdisc', name: 'ingress' },
      egress && { kind: 'link-type', name: 'ifb' },
    ];
    return needed.filter((requirement) => requirement !== undefined);
  },
  lockKeys: ({ device, container }, { netns }) => [`link:${device ?? `${netns}/${container}`}`],

  *ensure(args, context) {
    const { ingress, egress } = limitsOf(args);
    if (ingress === undefined && egress === undefined) return NONE;
    const device = yield* findDevice(args, context);
    if (ingress !== undefined) yield* limit(device, ingress);
    if (egress === undefined) return NONE;
    const outputs = ifbOf(args, context);
    yield* makeIfb(device, context, outputs);
    yield* limit(outputs.ifb, egress);
    if (!(yield* qdiscs(device)).some(isIngress)) yield* tc(undefined, command('qdisc', 'add', 'dev', device, 'ingress'));
    if (!(yield* redirects(device)).includes(outputs.ifb)) yield* tc(undefined, redirectTo(device, outputs.ifb));
    return outputs;
  },

  *check(args, context) {
    const { ingress, egress } = limitsOf(args);
    if (ingress === undefined && egress === undefined) return [];
    const device = args.device ?? (yield* otherEnd(args.container, context));
    if (device === undefined) return [`the other end of interface ${args.container} is not on the host`];
    const problems: string[] = [];
    if (ingress !== undefined) problems.push(...(yield* bucketProblems(device, ingress)));
    if (egress !== undefined) {
      const { ifb } = ifbOf(args, context);
      problems.push(...(yield* bucketProblems(ifb, egress)));
      if (!(yield* redirects(device)).includes(ifb)) problems.push(`what ${device} receives is not led through ${ifb}`);
    }
    return problems;
  },

  *undo(args, context) {
    const { ingress, egress } = limitsOf(args);
    // One that was not found was not limited either, and what was limited is gone with it.
    const device = args.device ?? deviceBefore(context);
    const present = device === undefined ? [] : yield* qdiscs(device);
    if (device !== undefined && ingress !== undefined && present.some((row) => isBucket(row, ingress))) {
      yield* tc(undefined, command('qdisc', 'del', 'dev', device, 'root'));
    }
    if (egress === undefined) return;
    const { ifb, mac } = ifbOf(args, context);
    if (device !== undefined && present.some(isIngress) && (yield* redirects(device)).every((each) => each === ifb)) {
      yield* tc(undefined, command('qdisc', 'del', 'dev', device, 'ingress'));
    }
    const row = yield* link(undefined, ifb);
    if (row !== undefined && isOwned(row, context.owner, mac)) yield* deleteLink(undefined, ifb);
  },

  inventory: () => ownedLinks('ifb'),
  predict: (args, context) => (limitsOf(args).egress === undefined ? NONE : ifbOf(args, context)),
  describe(args) {
    const words = (['ingress', 'egress'] as const).flatMap((direction) => {
      const rate = args[`${direction}Rate`];
      return rate === 0 ? [] : [`${direction} to ${rate} bit/s with bursts of ${args[`${direction}Burst`]} bit`];
    });
    const link = args.device ?? `the other end of ${args.container}`;
    return words.length === 0 ? `no limits on ${link}` : `limit ${words.join(', ')} on ${link}`;
  },
  result: (_, { ifb, mac }) => (ifb === '' ? {} : { interfaces: [{ name: ifb, mac }] }),
};

const NONE: Outputs = { ifb: '', mac: '' };

function limitsOf(args: Arguments): { readonly ingress: TokenBucket | undefined; readonly egress: TokenBucket | undefined } {
  const bucket = (rate: number, burst: number) => (rate > 0 && burst > 0 ? tokenBucket(rate, burst) : undefined);
  return { ingress: bucket(args.ingressRate, args.ingressBurst), egress: bucket(args.egressRate, args.egressBurst) };
}

/** Official plugin: plugins/meta/bandwidth/main.go validateRateAndBurst. */
function limitProblems(direction: 'ingress' | 'egress', rate: number, burst: number): readonly ArgumentProblem[] {
  const at = (field: 'Rate' | 'Burst', message: string): readonly ArgumentProblem[] => [{ path: [`${direction}${field}`], message }];
  if (burst === 0 && rate !== 0) return at('Burst', 'if rate is set, burst must also be set');
  if (rate === 0 && burst !== 0) return at('Rate', 'if burst is set, rate must also be set');
  if (burst / 8 >= 2 ** 32 - 1) return at('Burst', 'burst cannot be more than 4GB');
  if (rate !== 0 && rate < 8) return at('Rate', 'rate must be at least 8 bits per second');
  if (rate > Number.MAX_SAFE_INTEGER) return at('Rate', 'rate is beyond what any link can do');
  return [];
}

// The link tells apart the limits of one owner.
function ifbOf({ device, container }: Arguments, { owner }: Context): Outputs {
  const seed = `${owner.id}/${device ?? container}`;
  return { ifb: generatedLinkName('bwp', seed), mac: generatedMac(`${seed}/ifb`) };
}

const deviceBefore = ({ memory }: Context): string | undefined => (memory as { readonly device?: string } | undefined)?.device;

/** The link to limit. Where it was found by its other end, that is kept, as the container may be gone when it is looked for again. */
function* findDevice({ device, container }: Arguments, context: Context): Steps<string> {
  if (device !== undefined) return device;
  const found = yield* otherEnd(container, context);
  if (found === undefined) {
    throw new EffectError('missing', `the other end of interface ${container} is not on the host`, `ip link show dev ${container}`);
  }
  if (deviceBefore(context) !== found) yield* remember({ device: found });
  return found;
}

/** Name on the host of the other end of a veth. */
function* otherEnd(container: string | undefined, { netns }: Context): Steps<string | undefined> {
  const end = container === undefined ? undefined : yield* link(netns, container);
  if (end?.linkinfo?.info_kind !== 'veth') return undefined;
  // Both ends say it of each other: another namespace may have a link of the same number.
  const ends = yield* links(undefined, 'type', 'veth');
  return ends.find((row) => row.ifindex === end.link_index && row.link_index === end.ifindex)?.ifname;
}

function* makeIfb(name: string, { owner }: Context, { ifb, mac }: Outputs): Steps<void> {
  const device = yield* existingLink(undefined, name, `there is no interface ${name} on the host`);
  const present = yield* link(undefined, ifb);
  if (present !== undefined && !isOwned(present, owner, mac)) {
    throw new EffectError('exists', `there is an interface ${ifb} of somebody else`, `ip link add ${ifb} type ifb`);
  }
  yield* ip(
    undefined,
    // A queue of its own would stand before the bucket's.
    ...(present === undefined
      ? [command('link', 'add', 'name', ifb, 'address', mac, 'mtu', device.mtu, 'txqueuelen', 0, 'type', 'ifb')]
      : []),
    command('link', 'set', 'dev', ifb, 'up'),
    tagLink(ifb, owner),
  );
}

/** Limits what a device sends. A limit of somebody else is left alone. @throws EffectError `exists` */
function* limit(device: string, bucket: TokenBucket): Steps<void> {
  const root = (yield* qdiscs(device)).find((row) => row.root === true && row.handle !== '0:');
  if (root === undefined)
    return yield* tc(undefined, command('qdisc', 'add', 'dev', device, 'root', 'handle', '1:', ...bucketWords(bucket)));
  if (isBucket(root, bucket)) return;
  throw new EffectError('exists', `${device} has another queueing discipline already: ${root.kind}`, `tc qdisc add dev ${device} root tbf`);
}

function* bucketProblems(device: string, bucket: TokenBucket): Steps<readonly string[]> {
  return (yield* qdiscs(device)).some((row) => isBucket(row, bucket)) ? [] : [`${device} is not limited as it should be`];
}

const isIngress = ({ kind }: QdiscRow): boolean => kind === 'ingress';

const redirectTo = (device: string, ifb: string) =>
  command(
    ...['filter', 'add', 'dev', device, 'parent', 'ffff:', 'protocol', 'all', 'prio', 1],
    ...['u32', 'match', 'u32', 0, 0, 'flowid', '1:1', 'action', 'mirred', 'egress', 'redirect', 'dev', ifb],
  );
