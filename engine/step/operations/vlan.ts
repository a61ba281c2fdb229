import { type Infer, integer, object } from '../../text/shape.ts';
import { containerLink, ensureOnMaster, type InterfaceOutputs, predictInterface } from '../network/container-link.ts';
import { describeInterface, interfaceProblems } from '../network/interface.ts';
import { linkNameProblems } from '../network/link-name.ts';
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
  ...containerLink('vlan'),
  name: 'vlan',
  doc: 'An interface of the container that is one VLAN of an interface of the host.',
  arguments: shape,
  validate: (args) => [...interfaceProblems(args), ...linkNameProblems(args, 'master')],

  ensure: (args, context) => ensureOnMaster(args, context, { kind: 'vlan', after: ['id', args.id] }),
  predict: (args, context) => predictInterface(args, context, args.mac?.toLowerCase()),
  describe: (args) => `vlan ${args.id} of ${args.master} as ${describeInterface(args)}`,
};
