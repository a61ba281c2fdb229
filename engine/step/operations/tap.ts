import { boolean, defaulted, type Infer, integer, object, optional } from '../../text/shape.ts';
import { EffectError, type Steps } from '../effect.ts';
import { command, ip } from '../effects/iproute.ts';
import { link } from '../effects/show.ts';
import { remember } from '../effects/step.ts';
import { containerLink, type InterfaceOutputs, interfaceMac, interfaceOutputs } from '../network/container-link.ts';
import { checkInterface, configureInterface, describeInterface, interfaceProblems } from '../network/interface.ts';
import { optionalLinkNameProblems } from '../network/link-name.ts';
import { deleteLink } from '../network/owned-link.ts';
import { interfaceFields, linkName } from '../network/shapes.ts';
import type { Operation, StepContext } from '../operation.ts';

const shape = object({
  ...interfaceFields,
  multiQueue: defaulted(boolean({ doc: 'Whether several programs or threads may serve it at once.' }), false),
  vnetHeader: defaulted(boolean({ doc: 'Whether packets begin with a virtio header, as virtual machines want them.' }), false),
  owner: optional(integer({ doc: 'Number of the user who may open it; by default only root.', minimum: 0, maximum: 2 ** 32 - 2 })),
  group: optional(integer({ doc: 'Number of the group that may open it.', minimum: 0, maximum: 2 ** 32 - 2 })),
  bridge: optional(linkName('Bridge in the container that it is plugged into.')),
});
type Arguments = Infer<typeof shape>;

/** An Ethernet interface whose other end is a program. Official plugin: plugins/main/tap. */
export const TAP: Operation<Arguments, InterfaceOutputs> = {
  ...containerLink('tun'),
  name: 'tap',
  doc: 'An interface of the container whose other end is a program, such as a virtual machine.',
  arguments: shape,
  validate: (args) => [...interfaceProblems(args), ...optionalLinkNameProblems(args, 'bridge')],

  *ensure(args, context) {
    yield* make(args, context);
    if (args.bridge) yield* ip(context.netns, command('link', 'set', 'dev', args.name, 'master', args.bridge));
    yield* configureInterface(context.netns, args, { announces: ['arp'] });
    return interfaceOutputs(args, context, interfaceMac(args, context.owner));
  },

  *check(args, context) {
    const problems = yield* checkInterface(context.netns, args, 'tun');
    const row = args.bridge && problems.length === 0 ? yield* link(context.netns, args.name) : undefined;
    return row === undefined || row.master === args.bridge ? problems : [`interface ${args.name} is not plugged into ${args.bridge}`];
  },

  *undo(args, context) {
    if (context.netnsGone) return;
    const row = yield* link(context.netns, args.name);
    if (row !== undefined && (row.ifalias === context.owner.text || (row.ifalias === undefined && context.memory !== undefined))) {
      yield* deleteLink(context.netns, args.name);
    }
  },

  predict: (args, context) => interfaceOutputs(args, context, interfaceMac(args, context.owner)),
  describe: (args) => `tap ${describeInterface(args)}${args.bridge ? `, on ${args.bridge}` : ''}`,
};

/** A device for programs can't be made with an address that tells whose it is: that it is being made is kept before. */
function* make(args: Arguments, { owner, netns, memory }: StepContext<InterfaceOutputs>): Steps<void> {
  const present = yield* link(netns, args.name);
  const isOurs = present?.ifalias === owner.text || (present?.ifalias === undefined && memory !== undefined);
  if (present !== undefined && !isOurs) {
    throw new EffectError(
      'exists',
      `the container has an interface ${JSON.stringify(args.name)} already`,
      `ip tuntap add dev ${args.name} mode tap`,
    );
  }
  if (present === undefined) {
    yield* remember({ making: args.name });
    yield* ip(
      netns,
      command(
        ...['tuntap', 'add', 'dev', args.name, 'mode', 'tap'],
        args.multiQueue && 'multi_queue',
        args.vnetHeader && 'vnet_hdr',
        ...(args.owner === undefined ? [] : ['user', args.owner]),
        ...(args.group === undefined ? [] : ['group', args.group]),
      ),
    );
  }
  yield* ip(
    netns,
    command(
      ...['link', 'set', 'dev', args.name, 'alias', owner.text, 'address', interfaceMac(args, owner)],
      ...(args.mtu ? ['mtu', args.mtu] : []),
    ),
  );
}
