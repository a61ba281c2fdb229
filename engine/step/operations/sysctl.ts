import { boolean, type Infer, object, optional } from '../../text/shape.ts';
import { remember } from '../effects/step.ts';
import { writeSysctl } from '../effects/sysctl.ts';
import { optionalLinkNameProblems } from '../network/link-name.ts';
import { describePlace, isGone, netnsOf, place } from '../network/place.ts';
import { linkName, sysctls } from '../network/shapes.ts';
import { differingSysctls, readSysctls, restoreSysctls, settleSysctls, sysctlProblems } from '../network/sysctl-values.ts';
import type { Operation } from '../operation.ts';

const shape = object({
  values: sysctls('Keys below `net`, as `net.ipv4.ip_forward`, and their values. IFNAME stands for `dev`.'),
  dev: optional(linkName('Interface that IFNAME stands for.')),
  in: place('Whose parameters they are.'),
  restore: optional(
    boolean({
      doc: 'Whether the old values come back when the step is undone. By default those of a container do; those of the host stay, as others may count on them.',
    }),
  ),
});
type Arguments = Infer<typeof shape>;

/** Parameters of the kernel. What was there before is kept, and written again where that is wanted. */
export const SYSCTL: Operation<Arguments> = {
  name: 'sysctl',
  group: 'network',
  doc: 'Parameters of the kernel for a network namespace.',
  arguments: shape,
  outputs: {},
  lifetime: 'owned',
  validate: (args) => [...optionalLinkNameProblems(args, 'dev'), ...sysctlProblems(args.values, ['values'])],
  requires: () => [],
  lockKeys: (args) => (args.in === 'host' ? ['sysctl'] : []),

  *ensure(args, context) {
    const netns = netnsOf(args, context);
    const old = yield* readSysctls(netns, settled(args));
    if (isRestored(args) && context.memory === undefined) yield* remember({ old: Object.fromEntries(old) });
    for (const [key, value] of settled(args)) if (old.get(key) !== value) yield* writeSysctl(netns, key, value);
    return {};
  },

  check: (args, context) => differingSysctls(netnsOf(args, context), settled(args)),

  *undo(args, context) {
    if (!isRestored(args) || isGone(args, context)) return;
    const old = (context.memory as { readonly old?: Readonly<Record<string, string>> } | undefined)?.old ?? {};
    yield* restoreSysctls(netnsOf(args, context), settled(args), old);
  },

  predict: () => ({}),
  describe: (args) =>
    `sysctl ${settled(args)
      .map(([key, value]) => `${key}=${value}`)
      .join(', ')}${describePlace(args)}`,
};

const settled = (args: Arguments) => settleSysctls(args.values, args.dev);

const isRestored = (args: Arguments): boolean => args.restore ?? args.in === 'container';
