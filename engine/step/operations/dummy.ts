import { type Infer, object } from '../../text/shape.ts';
import { containerLink, ensureContainerLink, type InterfaceOutputs, interfaceMac, interfaceOutputs } from '../network/container-link.ts';
import { describeInterface, interfaceProblems } from '../network/interface.ts';
import { interfaceFields } from '../network/shapes.ts';
import type { Operation } from '../operation.ts';

const shape = object(interfaceFields);
type Arguments = Infer<typeof shape>;

/** An interface that leads nowhere. Official plugin: plugins/main/dummy. */
export const DUMMY: Operation<Arguments, InterfaceOutputs> = {
  ...containerLink('dummy'),
  name: 'dummy',
  doc: 'An interface that leads nowhere, to hold addresses.',
  arguments: shape,
  validate: (args) => interfaceProblems(args),

  *ensure(args, context) {
    const mac = interfaceMac(args, context.owner);
    yield* ensureContainerLink(args, context, { kind: 'dummy', madeIn: context.netns, mac });
    return interfaceOutputs(args, context, mac);
  },

  predict: (args, context) => interfaceOutputs(args, context, interfaceMac(args, context.owner)),
  describe: (args) => `dummy ${describeInterface(args)}`,
};
