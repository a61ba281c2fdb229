import { type Infer, object } from '../../text/shape.ts';
import {
  checkContainerLink,
  ensureContainerLink,
  INTERFACE_OUTPUTS,
  type InterfaceOutputs,
  interfaceMac,
  interfaceOutputs,
  interfaceParts,
  undoContainerLink,
} from '../network/container-link.ts';
import { describeInterface, interfaceProblems } from '../network/interface.ts';
import { ownedLinks } from '../network/owned-link.ts';
import { interfaceFields } from '../network/shapes.ts';
import type { Operation } from '../operation.ts';

const shape = object(interfaceFields);
type Arguments = Infer<typeof shape>;

/** An interface that leads nowhere. Official plugin: plugins/main/dummy. */
export const DUMMY: Operation<Arguments, InterfaceOutputs> = {
  name: 'dummy',
  group: 'network',
  doc: 'An interface that leads nowhere, to hold addresses.',
  arguments: shape,
  outputs: INTERFACE_OUTPUTS,
  lifetime: 'owned',
  validate: (args) => interfaceProblems(args),
  requires: () => [{ kind: 'link-type', name: 'dummy' }],
  lockKeys: () => [],

  *ensure(args, context) {
    const mac = interfaceMac(args, context.owner);
    yield* ensureContainerLink(args, context, { kind: 'dummy', madeIn: context.netns, mac });
    return interfaceOutputs(args, context, mac);
  },

  check: (args, context) => checkContainerLink(args, context, 'dummy'),
  undo: undoContainerLink,
  inventory: () => ownedLinks('dummy'),
  predict: (args, context) => interfaceOutputs(args, context, interfaceMac(args, context.owner)),
  describe: (args) => `dummy ${describeInterface(args)}`,
  result: interfaceParts,
};
