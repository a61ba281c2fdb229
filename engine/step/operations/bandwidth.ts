import { STRING } from '../../cel/types.ts';
import { defaulted, type Infer, integer, object } from '../../text/shape.ts';
import { EffectError, type Steps } from '../effect.ts';
import { command, ip, tc } from '../effects/iproute.ts';
import { link } from '../effects/show.ts';
import { generatedLinkName, generatedMac, linkNameObjection } from '../network/link-name.ts';
import { deleteLink, isOwned, ownedLinks, tagLink } from '../network/owned-link.ts';
import { linkName } from '../network/shapes.ts';
import type { ArgumentProblem, Operation, StepContext } from '../operation.ts';
import type { Requirement } from '../requirement.ts';
import { type QdiscRow, qdiscs, redirects } from '../traffic/qdisc.ts';
import { bucketWords, isBucket, type TokenBucket, tokenBucket } from '../traffic/token-bucket.ts';

const bits = (doc: string) => defaulted(integer({ doc, minimum: 0 }), 0);

const shape = object({
  device: linkName("The container's link as the host sees it: the other end of its veth."),
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
    const device = linkNameObjection(args.device);
    return [
      ...(device === undefined ? [] : [{ path: ['device'], message: device }]),
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
  lockKeys: ({ device }) => [`link:${device}`],

  *ensure(args, context) {
    const { ingress, egress } = limitsOf(args);
    if (ingress !== undefined) yield* limit(args.device, ingress);
    if (egress === undefined) return { ifb: '', mac: '' };
    const outputs = ifbOf(args, context);
    yield* makeIfb(args, context, outputs);
    yield* limit(outputs.ifb, egress);
    if (!(yield* qdiscs(args.device)).some(isIngress)) yield* tc(undefined, command('qdisc', 'add', 'dev', args.device, 'ingress'));
    if (!(yield* redirects(args.device)).includes(outputs.ifb)) yield* tc(undefined, redirectTo(args.device, outputs.ifb));
    return outputs;
  },

  *check(args, context) {
    const { ingress, egress } = limitsOf(args);
    const problems: string[] = [];
    if (ingress !== undefined) problems.push(...(yield* bucketProblems(args.device, ingress)));
    if (egress !== undefined) {
      const { ifb } = ifbOf(args, context);
      problems.push(...(yield* bucketProblems(ifb, egress)));
      if (!(yield* redirects(args.device)).includes(ifb)) problems.push(`what ${args.device} receives is not led through ${ifb}`);
    }
    return problems;
  },

  *undo(args, context) {
    const { ingress, egress } = limitsOf(args);
    const present = yield* qdiscs(args.device);
    if (ingress !== undefined && present.some((row) => isBucket(row, ingress))) {
      yield* tc(undefined, command('qdisc', 'del', 'dev', args.device, 'root'));
    }
    if (egress === undefined) return;
    const { ifb, mac } = ifbOf(args, context);
    if (present.some(isIngress) && (yield* redirects(args.device)).every((device) => device === ifb)) {
      yield* tc(undefined, command('qdisc', 'del', 'dev', args.device, 'ingress'));
    }
    const row = yield* link(undefined, ifb);
    if (row !== undefined && isOwned(row, context.owner, mac)) yield* deleteLink(undefined, ifb);
  },

  inventory: () => ownedLinks('ifb'),
  predict: (args, context) => (limitsOf(args).egress === undefined ? { ifb: '', mac: '' } : ifbOf(args, context)),
  describe(args) {
    const words = (['ingress', 'egress'] as const).flatMap((direction) => {
      const rate = args[`${direction}Rate`];
      return rate === 0 ? [] : [`${direction} to ${rate} bit/s with bursts of ${args[`${direction}Burst`]} bit`];
    });
    return words.length === 0 ? `no limits on ${args.device}` : `limit ${words.join(', ')} on ${args.device}`;
  },
  result: (_, { ifb, mac }) => (ifb === '' ? {} : { interfaces: [{ name: ifb, mac }] }),
};

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

// The device tells apart the limits of one owner.
function ifbOf({ device }: Arguments, { owner }: Context): Outputs {
  const seed = `${owner.id}/${device}`;
  return { ifb: generatedLinkName('bwp', seed), mac: generatedMac(`${seed}/ifb`) };
}

function* makeIfb(args: Arguments, { owner }: Context, { ifb, mac }: Outputs): Steps<void> {
  const device = yield* link(undefined, args.device);
  if (device === undefined)
    throw new EffectError('missing', `there is no interface ${args.device} on the host`, `ip link show dev ${args.device}`);
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
