import { type Infer, integer, object } from '../../text/shape.ts';
import {
  checkContainerLink,
  ensureOnMaster,
  INTERFACE_OUTPUTS,
  type InterfaceOutputs,
  interfaceParts,
  undoContainerLink,
} from '../network/container-link.ts';
import { describeInterface, interfaceProblems } from '../network/interface.ts';
import { linkNameProblems } from '../network/link-name.ts';
import { ownedLinks } from '../network/owned-link.ts';
import { interfaceFields, linkInContainer, linkName } from '../network/shapes.ts';
import type { Operation } from '../operation.ts';

const shape = object({
  ...interfaceFields,
  master: linkName('Interface whose tagged packets it takes.'),
  id: integer({ doc: 'Number of the VLAN.', minimum: 0, maximum: 4094 }),
  linkInContainer,
});
type Arguments = Infer<typeof shape>;

/** One VLAN of an interface of the host. Official plugin: plugins/main/vlan. */
export const VLAN: Operation<Arguments, InterfaceOutputs> = {
  name: 'vlan',
  group: 'network',
  doc: 'An interface of the container that is one VLAN of an interface of the host.',
  arguments: shape,
  outputs: INTERFACE_OUTPUTS,
  lifetime: 'owned',
  validate: (args) => [...interfaceProblems(args), ...linkNameProblems(args, 'master')],
  requires: () => [{ kind: 'link-type', name: 'vlan' }],
  lockKeys: () => [],

  ensure: (args, context) => ensureOnMaster(args, context, { kind: 'vlan', after: ['id', args.id] }),
  check: (args, context) => checkContainerLink(args, context, 'vlan'),
  undo: undoContainerLink,
  inventory: () => ownedLinks('vlan'),
  predict: (args, { netns }) => ({
    name: args.name,
    ...(args.mac && { mac: args.mac.toLowerCase() }),
    ...(netns !== undefined && { sandbox: netns }),
  }),
  describe: (args) => `vlan ${args.id} of ${args.master} as ${describeInterface(args)}`,
  result: interfaceParts,
};
