import { stepShape } from '../../step/step-shape.ts';
import type { OperationTable } from '../../step/step-source.ts';
import {
  any,
  boolean,
  doc,
  type Infer,
  integer,
  list,
  map,
  named,
  object,
  oneOf,
  optional,
  type Shape,
  type ShapeNode,
  string,
} from '../../text/shape.ts';
import { variable } from '../shapes.ts';

const metadata = object(
  {
    name: string({
      minLength: 1,
      maxLength: 63,
      pattern: /^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$/,
      patternName: 'the name of an executable in lower case, as my-cni',
      doc: 'Name of the rule, and type of the plugin in network configurations.',
    }),
    labels: optional(map(string())),
    annotations: optional(map(string())),
  },
  { open: true },
);

const external = object({
  apiVersion: string(),
  kind: string(),
  name: optional(string({ doc: 'A template: the object of this name.' })),
  namespace: optional(string({ doc: 'A template. With selector, the default is all namespaces.' })),
  selector: optional(any({ doc: 'A label selector, a template: all objects with these labels, as a list.' })),
  optional: optional(doc('Without the object the id is an absent optional, instead of the attachment being tried again later.', boolean())),
});

const objectEntry = object({
  id: string({ doc: 'Name of the object, or of the list, in expressions.' }),
  when: optional(string({ doc: 'CEL, of type bool: whether it is looked for at all. The id is an optional then.' })),
  external: doc('An object of the cluster: read, watched, never written.', external),
});
export type ObjectDocument = Infer<typeof objectEntry>;

const validation = object({
  expression: string({ doc: 'CEL, of type bool: what must hold before anything is done.' }),
  message: optional(string({ doc: 'What is said when it does not.' })),
  messageExpression: optional(string({ doc: 'CEL, of type string; takes precedence over message.' })),
  code: optional(integer({ minimum: 1, doc: 'Code of the CNI error. Default: 7, invalid network configuration.' })),
});

const statusCondition = object({
  expression: string({ doc: 'CEL, of type bool: what must hold for the network to be ready.' }),
  message: optional(string({ doc: 'What is said when it does not.' })),
  messageExpression: optional(string({ doc: 'CEL, of type string; takes precedence over message.' })),
  code: optional(
    integer({
      minimum: 50,
      maximum: 51,
      doc: '50 (the default): not available; 51: and existing containers may have limited connectivity.',
    }),
  ),
});

const addresses = named(
  'AddressSource',
  object({
    when: optional(string({ doc: 'CEL, of type bool: whether there are addresses at all.' })),
    ranges: optional(
      any({ doc: 'A template: where addresses are from, one of each; { subnet, rangeStart?, rangeEnd?, gateway? }, or a list of those.' }),
    ),
    configuration: optional(
      any({
        doc: 'A template: `ipam` of the network configuration. Ranges of host-local are ours, another type is the plugin that is asked; without a type there are no addresses.',
      }),
    ),
    requested: optional(any({ doc: 'A template: addresses that are asked for. Default: those of CNI_ARGS, args.cni and the runtime.' })),
    routes: optional(any({ doc: 'A template: routes of the container, { dst, gw?, ... }.' })),
    dns: optional(any({ doc: 'A template: { nameservers?, domain?, search?, options? }.' })),
    dataDir: optional(string({ doc: 'A template: folder of the reservations. Default: /var/lib/cni/networks.' })),
    delegate: optional(string({ doc: 'A template: type of the plugin that gives the addresses instead; ours where it is empty.' })),
  }),
);
export type AddressesDocument = Infer<typeof addresses>;

/** Steps that are written out; one that is repeated makes as many again. */
const MAX_STEPS = 1000;

/** The shape of a NetworkRule whose steps have this shape. */
const networkRuleWith = <S>(step: Shape<S>) =>
  object({
    apiVersion: doc('The API group and version of rules.', oneOf('fairlead.dev/v1alpha1')),
    kind: doc('A CNI plugin.', oneOf('NetworkRule')),
    metadata,
    spec: object({
      description: optional(string()),
      config: optional(
        any({
          doc: 'Short schema of what a network configuration says beside the type: `bridge: string | default=cni0`; or OpenAPI below openAPIV3Schema.',
        }),
      ),
      capabilities: optional(
        list(string(), { doc: 'What a configuration should ask of the runtime. Default: what the rule reads of runtimeConfig.' }),
      ),
      variables: optional(list(variable, { doc: 'Named expressions, each may use those before it.' })),
      objects: optional(list(objectEntry, { doc: 'Objects of the cluster that the rule reads.' })),
      validations: optional(list(validation, { doc: 'What must hold before anything is done.' })),
      ipam: optional(doc('Where addresses come from.', addresses)),
      steps: optional(list(step, { maxItems: MAX_STEPS, doc: 'What attaches a container, in order; undone in reverse.' })),
      node: optional(
        object(
          { steps: list(step, { maxItems: MAX_STEPS }) },
          { doc: 'Steps for the node as a whole, kept true while the network is there: tunnels, routes to other nodes.' },
        ),
      ),
      status: optional(
        list(statusCondition, { doc: 'What must hold for the network to be ready, beside what the steps need of the host.' }),
      ),
      result: optional(
        any({ doc: 'A template: fields of the result in place of those that follow from the steps. `result` is what follows.' }),
      ),
      podAnnotations: optional(
        map(string(), {
          doc: 'Templates: annotations that the pod gets once it is attached. They see `steps`, and `result` as it is answered. A cluster that does not answer keeps no pod waiting.',
        }),
      ),
    }),
  });

/** A NetworkRule. What is in its steps is not looked into: the compiler of steps says more of it. */
export const networkRule = networkRuleWith(map(any()));
export type NetworkRuleDocument = Infer<typeof networkRule>;

/** A NetworkRule for editors, with all that is known of steps. */
export const networkRuleForEditors = (operations: OperationTable): ShapeNode => networkRuleWith(stepShape(operations));
