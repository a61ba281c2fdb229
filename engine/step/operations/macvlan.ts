import { defaulted, type Infer, integer, object, oneOf, optional } from '../../text/shape.ts';
import {
  checkContainerLink,
  ensureOnMaster,
  INTERFACE_OUTPUTS,
  type InterfaceOutputs,
  interfaceMac,
  interfaceOutputs,
  interfaceParts,
  undoContainerLink,
} from '../network/container-link.ts';
import { describeInterface, interfaceProblems } from '../network/interface.ts';
import { optionalLinkNameProblems } from '../network/link-name.ts';
import { ownedLinks } from '../network/owned-link.ts';
import { interfaceFields, linkInContainer, linkName } from '../network/shapes.ts';
import type { Operation } from '../operation.ts';

const shape = object({
  ...interfaceFields,
  master: optional(linkName('Interface that it shares; by default the one of the default route.')),
  mode: defaulted(
    { ...oneOf('bridge', 'private', 'vepa', 'passthru'), doc: 'Whether and where those who share reach each other.' },
    'bridge',
  ),
  broadcastQueueLength: optional(
    integer({ doc: 'Broadcast packets that may wait; 0 leaves it to the kernel.', minimum: 0, maximum: 2 ** 32 - 1 }),
  ),
  linkInContainer,
});
type Arguments = Infer<typeof shape>;

/** An interface with a MAC address of its own on an interface of the host. Official plugin: plugins/main/macvlan. */
export const MACVLAN: Operation<Arguments, InterfaceOutputs> = {
  name: 'macvlan',
  group: 'network',
  doc: 'An interface of the container with its own MAC address, on an interface of the host.',
  arguments: shape,
  outputs: INTERFACE_OUTPUTS,
  lifetime: 'owned',
  validate: (args) => [...interfaceProblems(args), ...optionalLinkNameProblems(args, 'master')],
  requires: () => [{ kind: 'link-type', name: 'macvlan' }],
  lockKeys: () => [],

  ensure: (args, context) =>
    ensureOnMaster(args, context, {
      kind: 'macvlan',
      after: ['mode', args.mode, ...(args.broadcastQueueLength ? ['bcqueuelen', args.broadcastQueueLength] : [])],
      // It takes the address of the interface it has to itself.
      ...(args.mode !== 'passthru' && { mac: interfaceMac(args, context.owner) }),
    }),
  check: (args, context) => checkContainerLink(args, context, 'macvlan'),
  undo: undoContainerLink,
  inventory: () => ownedLinks('macvlan'),
  predict(args, context) {
    const outputs = interfaceOutputs(args, context, interfaceMac(args, context.owner));
    if (args.mode !== 'passthru') return outputs;
    const { mac: _, ...known } = outputs;
    return known;
  },
  describe: (args) => `macvlan ${describeInterface(args)}, on ${args.master ?? 'the interface of the default route'}, mode ${args.mode}`,
  result: interfaceParts,
};
