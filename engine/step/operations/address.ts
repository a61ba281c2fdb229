import { formatIpPrefix } from '../../object/ip-address.ts';
import type { Infer } from '../../text/shape.ts';
import { object } from '../../text/shape.ts';
import { ip } from '../effects/iproute.ts';
import { existingLink, link } from '../effects/show.ts';
import { remember } from '../effects/step.ts';
import { addedBefore } from '../network/added-before.ts';
import { addAddress, addressProblems, deleteAddress, lackingAddresses, missingAddresses, readAddress } from '../network/address.ts';
import { linkNameProblems } from '../network/link-name.ts';
import { describePlace, isGone, netnsOf, place } from '../network/place.ts';
import { cidrs, linkName } from '../network/shapes.ts';
import type { Operation } from '../operation.ts';

const shape = object({
  dev: linkName('Interface that is given the addresses.'),
  addresses: cidrs('The addresses, `10.1.0.5/16`; without a prefix length it is the address alone.'),
  in: place('Where the interface is.'),
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
    const netns = netnsOf(args, context);
    const row = yield* existingLink(netns, args.dev, `there is no interface ${JSON.stringify(args.dev)}`);
    const ours = new Set(addedBefore<string>(context));
    const lacking = lackingAddresses(row, args.addresses);
    const added = [...new Set([...ours, ...lacking.map(formatIpPrefix)])];
    if (added.length > ours.size) yield* remember({ added });
    yield* ip(netns, ...lacking.map((address) => addAddress(args.dev, address, { noDad: true })));
    return {};
  },

  *check(args, context) {
    const row = yield* link(netnsOf(args, context), args.dev);
    return row === undefined ? [`there is no interface ${args.dev}`] : missingAddresses(row, args.addresses);
  },

  *undo(args, context) {
    if (isGone(args, context)) return;
    yield* ip(netnsOf(args, context), ...addedBefore<string>(context).map((address) => deleteAddress(args.dev, readAddress(address))));
  },

  predict: () => ({}),
  describe: (args) => `addresses ${args.addresses.join(', ')} on ${args.dev}${describePlace(args)}`,
};
