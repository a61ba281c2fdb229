import { defaulted, type Infer, object, oneOf, optional } from '../../text/shape.ts';
import { containerLink, ensureOnMaster, type InterfaceOutputs, predictInterface } from '../network/container-link.ts';
import { describeInterface, interfaceProblems } from '../network/interface.ts';
import { optionalLinkNameProblems } from '../network/link-name.ts';
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
  ...containerLink('ipvlan'),
  name: 'ipvlan',
  doc: 'An interface of the container with addresses of its own, on an interface of the host whose MAC address it shares.',
  arguments: shape,
  validate: (args) => [...interfaceProblems(args), ...optionalLinkNameProblems(args, 'master')],

  ensure: (args, context) => ensureOnMaster(args, context, { kind: 'ipvlan', after: ['mode', args.mode] }),
  predict: (args, context) => predictInterface(args, context),
  describe: (args) => `ipvlan ${describeInterface(args)}, on ${args.master || 'the interface of the default route'}, mode ${args.mode}`,
};
