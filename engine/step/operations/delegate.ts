import { DYN } from '../../cel/types.ts';
import { isJsonObject, type Json, type JsonObject, ownText, ownValue } from '../../object/json.ts';
import { any, boolean, defaulted, type Infer, list, map, object, optional, string } from '../../text/shape.ts';
import { EffectError, type FailureCode, type Steps } from '../effect.ts';
import { custom } from '../effects/outside.ts';
import { remember } from '../effects/step.ts';
import type { ArgumentProblem, Operation, ResultParts, StepContext } from '../operation.ts';

const shape = object({
  type: optional(
    string({
      minLength: 1,
      maxLength: 255,
      pattern: /^[^/\0]+$/,
      patternName: 'the name of an executable',
      doc: 'The plugin: `host-local`. By default the `type` of its configuration.',
    }),
  ),
  config: optional(
    map(any(), { doc: 'Its configuration as it would read it, or a list of `plugins` that are called one after the other.' }),
  ),
  network: optional(
    string({
      minLength: 1,
      maxLength: 253,
      doc: 'Name of the network, where the configuration has none. Without `config`: its name in `folder`.',
    }),
  ),
  folder: optional(
    string({ minLength: 1, maxLength: 4096, doc: 'Folder of network configurations, for a network that is known by its name.' }),
  ),
  capabilities: defaulted(
    map(any(), { doc: 'What is handed over by `runtimeConfig`: to each plugin what its `capabilities` ask for.' }),
    {},
  ),
  ipam: defaulted(boolean({ doc: 'Whether the plugin gives addresses, which go to interfaces of other steps.' }), false),
  containerId: defaulted(string({ maxLength: 255, doc: 'Usually that of the request.' }), ''),
  ifName: defaulted(string({ maxLength: 15, doc: 'Usually that of the request.' }), ''),
  args: defaulted(map(string({ maxLength: 4096 }), { doc: 'CNI_ARGS by key.' }), {}),
  path: defaulted(list(string({ maxLength: 4096 }), { maxItems: 64, doc: 'Folders of CNI_PATH.' }), []),
});
type Arguments = Infer<typeof shape> & JsonObject;
/** As CNI 1.1.0 has a result. */
type Outputs = { readonly interfaces: Json; readonly ips: Json; readonly routes: Json; readonly dns: Json };

/** Other CNI plugins do a part of the work. CNI 1.1.0: SPEC.md, "Section 4: Plugin Delegation". */
export const DELEGATE: Operation<Arguments, Outputs> = {
  name: 'delegate',
  group: 'outside',
  doc: 'Lets other CNI plugins do a part of the work.',
  arguments: shape as Operation<Arguments>['arguments'],
  outputs: { interfaces: DYN, ips: DYN, routes: DYN, dns: DYN },
  lifetime: 'owned',
  validate(args): readonly ArgumentProblem[] {
    if (args.config === undefined)
      return args.network === undefined || args.folder === undefined
        ? [{ path: [], message: 'expected `config`, or `network` and the `folder` in which it is looked for' }]
        : [];
    return readPlugins(args, args.config).every(({ type }) => /^[^/\0]+$/.test(type))
      ? []
      : [{ path: ['config'], message: 'expected `type`, or `plugins` each with a `type`' }];
  },
  requires: () => [],
  // Plugins are used to be called for several containers at once.
  lockKeys: () => [],

  *ensure(args, context) {
    const found = yield* foundConfig(args, context);
    const plugins = readPlugins(args, args.config ?? found);
    let result: Json = {};
    for (const [index, plugin] of plugins.entries()) {
      // Of a list, only those that were called are to be undone.
      if (plugins.length > 1) yield* remember({ begun: index + 1, ...(found === undefined ? {} : { found }) });
      const given: Json = yield* call('ADD', args, context, plugin, index === 0 ? undefined : (result as JsonObject));
      result = isJsonObject(given) ? given : {};
    }
    return outputsOf(result);
  },
  *check(args, context) {
    const config = args.config ?? memoryOf(context).found;
    if (config === undefined) return [`the network ${args.network} was not attached`];
    for (const plugin of readPlugins(args, config)) yield* call('CHECK', args, context, plugin, resultFor(plugin, context));
    return [];
  },
  *undo(args, context) {
    const { found, begun } = memoryOf(context);
    const config = args.config ?? found;
    // It was not even found.
    if (config === undefined) return;
    for (const plugin of readPlugins(args, config).slice(0, begun).toReversed()) {
      try {
        yield* call('DEL', args, context, plugin, resultFor(plugin, context));
      } catch (error) {
        // One that is not there, and never gave a result, has done nothing: what a container can't be attached by must not keep it from going.
        const isNothing = context.outputs === undefined && error instanceof EffectError && NOT_THERE.has(error.code);
        if (!isNothing) throw error;
      }
    }
  },
  // What the plugin made is known to the plugin, and goes with its own garbage collection.
  predict: () => ({}),
  describe: (args) => {
    const types = args.config === undefined ? [] : readPlugins(args, args.config).map(({ type }) => type);
    return types.length === 0 ? `network ${args.network} of ${args.folder}` : `plugin ${types.join(', then ')}`;
  },
  result: ({ ipam }, { interfaces, ips, routes }) => (ipam ? {} : ({ interfaces, ips, routes } as unknown as ResultParts)),
};

/** One plugin, and what it reads. */
interface Plugin {
  readonly type: string;
  readonly config: JsonObject;
}

/** What a step remembers. */
interface Memory {
  /** Configuration of a network that is known by its name. */
  readonly found?: JsonObject;
  /** How many plugins of a list were called. */
  readonly begun?: number;
}

const memoryOf = ({ memory }: StepContext<Outputs>): Memory => (isJsonObject(memory) ? memory : {}) as Memory;

/** The configuration of a network that is known by its name. It is kept, as the file may be another later. */
function* foundConfig(args: Arguments, context: StepContext<Outputs>): Steps<JsonObject | undefined> {
  if (args.config !== undefined) return undefined;
  const known = memoryOf(context).found;
  if (known !== undefined) return known;
  const { network = '', folder = '' } = args;
  const found = yield* custom('networkConfiguration', { network, folder });
  if (!isJsonObject(found))
    throw new EffectError('missing', `there is no network ${JSON.stringify(network)} in ${folder}`, `read ${folder}`);
  yield* remember({ found });
  return found;
}

/** As libcni makes the requests of a list. CNI: libcni/api.go, buildOneConfig and injectRuntimeConfig. */
function readPlugins(args: Arguments, given: Arguments['config']): readonly Plugin[] {
  const config = (given ?? {}) as JsonObject;
  const plugins = ownValue(config, 'plugins');
  if (!Array.isArray(plugins)) return [{ type: args.type ?? ownText(config, 'type'), config: withRequest(args, config, config) }];
  return plugins.map((each: Json) => {
    const plugin = isJsonObject(each) ? each : {};
    return { type: ownText(plugin, 'type'), config: withRequest(args, plugin, config) };
  });
}

function withRequest({ network, capabilities }: Arguments, plugin: JsonObject, of: JsonObject): JsonObject {
  const name = ownText(of, 'name') || network;
  const version = ownText(of, 'cniVersion');
  const declared = ownValue(plugin, 'capabilities');
  const asked = isJsonObject(declared) ? Object.entries(capabilities).filter(([key]) => ownValue(declared, key) === true) : [];
  return {
    ...plugin,
    ...(version === '' ? {} : { cniVersion: version }),
    ...(name === undefined ? {} : { name }),
    ...(asked.length === 0 ? {} : { runtimeConfig: Object.fromEntries(asked) as JsonObject }),
  };
}

/** CHECK and DEL are told what ADD answered, as libcni does from version 0.4.0 on. */
function resultFor({ config }: Plugin, { outputs }: StepContext<Outputs>): JsonObject | undefined {
  return outputs === undefined || /^0\.[123]\./.test(versionOf(config)) ? undefined : outputs;
}

const versionOf = (config: JsonObject): string => ownText(config, 'cniVersion') || '0.1.0';

function outputsOf(result: Json): Outputs {
  const part = (name: string): Json => (isJsonObject(result) ? (result[name] ?? []) : []);
  return { interfaces: part('interfaces'), ips: part('ips'), routes: part('routes'), dns: isJsonObject(part('dns')) ? part('dns') : {} };
}

/** There is no such plugin, or none can have such a name. */
const NOT_THERE: ReadonlySet<FailureCode> = new Set(['missing', 'invalid']);

function call(
  command: 'ADD' | 'CHECK' | 'DEL',
  { containerId, ifName, args, path }: Arguments,
  { netns }: StepContext<Outputs>,
  { type, config }: Plugin,
  prevResult: JsonObject | undefined,
): Steps<Json> {
  return custom('plugin', {
    command,
    type,
    config,
    containerId,
    ifName,
    args,
    path,
    netns: netns ?? '',
    ...(prevResult === undefined ? {} : { prevResult }),
  });
}
