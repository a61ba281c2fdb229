import { DYN } from '../../cel/types.ts';
import { isJsonObject, type Json, type JsonObject } from '../../object/json.ts';
import { any, boolean, defaulted, type Infer, list, map, object, string } from '../../text/shape.ts';
import type { Steps } from '../effect.ts';
import { custom } from '../effects/outside.ts';
import type { Operation, ResultParts, StepContext } from '../operation.ts';

const shape = object({
  type: string({
    minLength: 1,
    maxLength: 255,
    pattern: /^[^/\0]+$/,
    patternName: 'the name of an executable',
    doc: 'The plugin: `host-local`.',
  }),
  config: map(any(), { doc: 'Its configuration: a whole one, with `name`, as it would read it.' }),
  ipam: defaulted(boolean({ doc: 'Whether the plugin gives addresses, which go to interfaces of other steps.' }), false),
  containerId: defaulted(string({ maxLength: 255, doc: 'Usually that of the request.' }), ''),
  ifName: defaulted(string({ maxLength: 15, doc: 'Usually that of the request.' }), ''),
  args: defaulted(map(string({ maxLength: 4096 }), { doc: 'CNI_ARGS by key.' }), {}),
  path: defaulted(list(string({ maxLength: 4096 }), { maxItems: 64, doc: 'Folders of CNI_PATH.' }), []),
});
type Arguments = Infer<typeof shape> & JsonObject;
/** As CNI 1.1.0 has a result. */
type Outputs = { readonly interfaces: Json; readonly ips: Json; readonly routes: Json; readonly dns: Json };

/** Another CNI plugin does a part of the work. CNI 1.1.0: SPEC.md, "Section 4: Plugin Delegation". */
export const DELEGATE: Operation<Arguments, Outputs> = {
  name: 'delegate',
  group: 'outside',
  doc: 'Lets another CNI plugin do a part of the work.',
  arguments: shape as Operation<Arguments>['arguments'],
  outputs: { interfaces: DYN, ips: DYN, routes: DYN, dns: DYN },
  lifetime: 'owned',
  requires: () => [],
  // Plugins are used to be called for several containers at once.
  lockKeys: () => [],

  *ensure(args, context) {
    const result = yield* call('ADD', args, context);
    const part = (name: string): Json => (isJsonObject(result) ? (result[name] ?? []) : []);
    return { interfaces: part('interfaces'), ips: part('ips'), routes: part('routes'), dns: isJsonObject(part('dns')) ? part('dns') : {} };
  },
  *check(args, context) {
    yield* call('CHECK', withResult(args, context), context);
    return [];
  },
  *undo(args, context) {
    yield* call('DEL', withResult(args, context), context);
  },
  // What the plugin made is known to the plugin, and goes with its own garbage collection.
  predict: () => ({}),
  describe: ({ type }) => `plugin ${type}`,
  result: ({ ipam }, { interfaces, ips, routes }) => (ipam ? {} : ({ interfaces, ips, routes } as unknown as ResultParts)),
};

/** CHECK and DEL are told what ADD answered, as libcni does from version 0.4.0 on. */
function withResult(args: Arguments, { outputs }: StepContext<Outputs>): Arguments {
  const version = String(args.config['cniVersion'] ?? '0.1.0');
  if (outputs === undefined || /^0\.[123]\./.test(version)) return args;
  return { ...args, config: { ...args.config, prevResult: { cniVersion: version, ...outputs } } };
}

function call(command: 'ADD' | 'CHECK' | 'DEL', args: Arguments, { netns }: StepContext<Outputs>): Steps<Json> {
  const { type, config, containerId, ifName, path } = args;
  return custom('plugin', { command, type, config: config as JsonObject, containerId, ifName, args: args.args, path, netns: netns ?? '' });
}
