import { defaulted, type Infer, object, oneOf, optional } from '../../text/shape.ts';
import {
  checkContainerLink,
  ensureOnMaster,
  INTERFACE_OUTPUTS,
  type InterfaceOutputs,
  interfaceParts,
  undoContainerLink,
} from '../network/container-link.ts';
import { describeInterface, interfaceProblems } from '../network/interface.ts';
import { optionalLinkNameProblems } from '../network/link-name.ts';
import { ownedLinks } from '../network/owned-link.ts';
import { interfaceFields, linkInContainer, linkName } from '../network/shapes.ts';
import type { Operation } from '../operation.ts';

const { mac: _, ...fields } = interfaceFields;
const shape = object({
  ...fields,
  master: optional(linkName('Interface that it shares; by default the one of the default route.')),
  mode: defaulted(
    { ...oneOf('l2', 'l3', 'l3s'), doc: 'Whether it is switched (l2) or routed (l3; l3s through the firewall of the host).' },
    'l2',
  ),
  linkInContainer,
});
type Arguments = Infer<typeof shape>;

/** An interface that shares the MAC address of an interface of the host. Official plugin: plugins/main/ipvlan. */
export const IPVLAN: Operation<Arguments, InterfaceOutputs> = {
  name: 'ipvlan',
  group: 'network',
  doc: 'An interface of the container with addresses of its own, on an interface of the host whose MAC address it shares.',
  arguments: shape,
  outputs: INTERFACE_OUTPUTS,
  lifetime: 'owned',
  validate: (args) => [...interfaceProblems(args), ...optionalLinkNameProblems(args, 'master')],
  requires: () => [{ kind: 'link-type', name: 'ipvlan' }],
  lockKeys: () => [],

  ensure: (args, context) => ensureOnMaster(args, context, { kind: 'ipvlan', after: ['mode', args.mode] }),
  check: (args, context) => checkContainerLink(args, context, 'ipvlan'),
  undo: undoContainerLink,
  inventory: () => ownedLinks('ipvlan'),
  predict: (args, { netns }) => ({ name: args.name, ...(netns !== undefined && { sandbox: netns }) }),
  describe: (args) => `ipvlan ${describeInterface(args)}, on ${args.master ?? 'the interface of the default route'}, mode ${args.mode}`,
  result: interfaceParts,
};
