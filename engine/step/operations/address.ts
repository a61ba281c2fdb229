import { formatIpPrefix } from '../../object/ip-address.ts';
import type { Infer } from '../../text/shape.ts';
import { object } from '../../text/shape.ts';
import { EffectError } from '../effect.ts';
import { ip } from '../effects/iproute.ts';
import { link } from '../effects/show.ts';
import { remember } from '../effects/step.ts';
import { addAddress, addressProblems, deleteAddress, isAddress, readAddress } from '../network/address.ts';
import { missingAddresses } from '../network/interface.ts';
import { linkNameProblems } from '../network/link-name.ts';
import { cidrs, linkName, where } from '../network/shapes.ts';
import type { Operation, StepContext } from '../operation.ts';

const shape = object({
  dev: linkName('Interface that is given the addresses.'),
  addresses: cidrs('The addresses, `10.1.0.5/16`; without a prefix length it is the address alone.'),
  in: where('Where the interface is.'),
});
type Arguments = Infer<typeof shape>;

/** Addresses have no place for a tag; those that were not there before are kept, and taken away again. */
export const ADDRESS: Operation<Arguments> = {
  name: 'address',
  group: 'network',
  doc: 'Addresses of an interface that is there already.',
  arguments: shape,
  outputs: {},
  lifetime: 'owned',
  validate: (args) => [...linkNameProblems(args, 'dev'), ...addressProblems(args.addresses, ['addresses'])],
  requires: () => [],
  lockKeys: (args, context) => (args.in === 'host' ? [`addresses:${args.dev}`] : [`addresses:${context.netns}:${args.dev}`]),

  *ensure(args, context) {
    const netns = args.in === 'host' ? undefined : context.netns;
    const row = yield* link(netns, args.dev);
    if (row === undefined)
      throw new EffectError('missing', `there is no interface ${JSON.stringify(args.dev)}`, `ip address show dev ${args.dev}`);
    const ours = new Set(addedBefore(context));
    const lacking = args.addresses.map(readAddress).filter((address) => !row.addr_info.some((info) => isAddress(info, address)));
    const added = [...new Set([...ours, ...lacking.map(formatIpPrefix)])];
    if (added.length > ours.size) yield* remember({ added });
    yield* ip(netns, ...lacking.map((address) => addAddress(args.dev, address, { noDad: true })));
    return {};
  },

  *check(args, { netns }) {
    const row = yield* link(args.in === 'host' ? undefined : netns, args.dev);
    return row === undefined ? [`there is no interface ${args.dev}`] : missingAddresses(row, args.addresses.map(readAddress));
  },

  *undo(args, context) {
    if (args.in === 'container' && context.netnsGone) return;
    yield* ip(
      args.in === 'host' ? undefined : context.netns,
      ...addedBefore(context).map((address) => deleteAddress(args.dev, readAddress(address))),
    );
  },

  predict: () => ({}),
  describe: (args) => `addresses ${args.addresses.join(', ')} on ${args.dev}${args.in === 'host' ? '' : ' in the container'}`,
};

const addedBefore = ({ memory }: StepContext): readonly string[] =>
  (memory as { readonly added?: readonly string[] } | undefined)?.added ?? [];
