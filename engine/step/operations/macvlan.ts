import { defaulted, type Infer, integer, object, oneOf, optional } from '../../text/shape.ts';
import { containerLink, ensureOnMaster, type InterfaceOutputs, interfaceMac, predictInterface } from '../network/container-link.ts';
import { describeInterface, interfaceProblems } from '../network/interface.ts';
import { optionalLinkNameProblems } from '../network/link-name.ts';
import { interfaceFields, linkInContainer, linkName } from '../network/shapes.ts';
import type { Operation, StepContext } from '../operation.ts';

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
  ...containerLink('macvlan'),
  name: 'macvlan',
  doc: 'An interface of the container with its own MAC address, on an interface of the host.',
  arguments: shape,
  validate: (args) => [...interfaceProblems(args), ...optionalLinkNameProblems(args, 'master')],

  ensure: (args, context) =>
    ensureOnMaster(args, context, {
      kind: 'macvlan',
      after: ['mode', args.mode, ...(args.broadcastQueueLength ? ['bcqueuelen', args.broadcastQueueLength] : [])],
      mac: chosenMac(args, context),
    }),
  predict: (args, context) => predictInterface(args, context, chosenMac(args, context)),
  describe: (args) => `macvlan ${describeInterface(args)}, on ${args.master || 'the interface of the default route'}, mode ${args.mode}`,
};

/** Undefined where it takes the address of the interface that it has to itself. */
const chosenMac = (args: Arguments, { owner }: Pick<StepContext, 'owner'>): string | undefined =>
  args.mode === 'passthru' ? undefined : interfaceMac(args, owner);
