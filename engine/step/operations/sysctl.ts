import { boolean, type Infer, map, object, optional, string } from '../../text/shape.ts';
import type { Steps } from '../effect.ts';
import { remember } from '../effects/step.ts';
import { readSysctl, writeSysctl } from '../effects/sysctl.ts';
import { optionalLinkNameProblems } from '../network/link-name.ts';
import { linkName, where } from '../network/shapes.ts';
import { differingSysctls, restoreSysctls, sysctlKey, sysctlProblems } from '../network/sysctl-values.ts';
import type { Operation, StepContext } from '../operation.ts';

const shape = object({
  values: map(string({ maxLength: 256 }), {
    doc: 'Keys below `net`, as `net.ipv4.ip_forward`, and their values. IFNAME stands for `dev`.',
    key: { kind: 'string', maxLength: 256 },
  }),
  dev: optional(linkName('Interface that IFNAME stands for.')),
  in: where('Whose parameters they are.'),
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
    const netns = args.in === 'host' ? undefined : context.netns;
    const old = yield* oldValues(args, context);
    for (const [key, value] of settled(args)) if (old.get(key) !== value) yield* writeSysctl(netns, key, value);
    return {};
  },

  *check(args, { netns }) {
    return yield* differingSysctls(args.in === 'host' ? undefined : netns, settled(args));
  },

  *undo(args, context) {
    if (!isRestored(args) || (args.in === 'container' && context.netnsGone)) return;
    const old = (context.memory as { readonly old?: Readonly<Record<string, string>> } | undefined)?.old ?? {};
    yield* restoreSysctls(args.in === 'host' ? undefined : context.netns, settled(args), old);
  },

  predict: () => ({}),
  describe: (args) =>
    `sysctl ${settled(args)
      .map(([key, value]) => `${key}=${value}`)
      .join(', ')}${args.in === 'host' ? '' : ' in the container'}`,
};

const settled = (args: Arguments): readonly (readonly [string, string])[] =>
  Object.entries(args.values).map(([key, value]) => [sysctlKey(key, args.dev), value]);

const isRestored = (args: Arguments): boolean => args.restore ?? args.in === 'container';

/** Values before this step, kept the first time. */
function* oldValues(args: Arguments, context: StepContext): Steps<ReadonlyMap<string, string | undefined>> {
  const netns = args.in === 'host' ? undefined : context.netns;
  const found = new Map<string, string | undefined>();
  for (const [key] of settled(args)) found.set(key, yield* readSysctl(netns, key));
  if (isRestored(args) && context.memory === undefined) {
    yield* remember({ old: Object.fromEntries([...found].filter((entry): entry is [string, string] => entry[1] !== undefined)) });
  }
  return found;
}
