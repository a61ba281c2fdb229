import { DYN } from '../../cel/types.ts';
import { isJsonObject, type Json, type JsonObject } from '../../object/json.ts';
import { any, boolean, defaulted, type Infer, list, map, object, optional, string } from '../../text/shape.ts';
import { EffectError, type FailureCode, type Steps } from '../effect.ts';
import { makeDirectory, readFile, removePath, writeFile } from '../effects/files.ts';
import { custom } from '../effects/outside.ts';
import { remember } from '../effects/step.ts';
import { checkDefaultRoutes, gatewayProblems, replaceDefaultRoutes, withDefaultRoutes } from '../network/default-routes.ts';
import { type DelegatedPlugin, declares, delegatedPlugins, versionOf } from '../network/delegated-plugins.ts';
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
      maxLength: 4096,
      doc: 'Name of the network, where the configuration has none. Without `config`: its name in `folder`, or the path of its file.',
    }),
  ),
  folder: optional(
    string({ minLength: 1, maxLength: 4096, doc: 'Folder of network configurations, for a network that is known by its name.' }),
  ),
  capabilities: defaulted(
    map(any(), {
      doc: 'What is handed over by `runtimeConfig`: to each plugin what its `capabilities` ask for. `ips` and `mac` that none asks for go by CNI_ARGS.',
    }),
    {},
  ),
  required: defaulted(
    list(string({ maxLength: 64 }), {
      maxItems: 32,
      doc: 'Capabilities without which nothing is called: at least one plugin has to ask for each.',
    }),
    [],
  ),
  merge: defaulted(map(any(), { doc: 'Merged into the configuration of each plugin: `args: { cni: ... }`.' }), {}),
  defaultRoutes: optional(
    list(string({ maxLength: 64 }), {
      maxItems: 16,
      doc: 'Gateways of the default routes by this interface, in place of those that the plugins made; none: it has no default route.',
    }),
  ),
  deviceInfo: optional(
    object(
      {
        file: string({
          minLength: 1,
          maxLength: 4096,
          doc: 'Where plugins write what they know of the device.',
        }),
        from: optional(string({ minLength: 1, maxLength: 4096, doc: 'A file that it is copied from before, where there is one.' })),
      },
      { doc: 'Facts about the device of the attachment, as plugins and device plugins hand them on by files.' },
    ),
  ),
  ipam: defaulted(boolean({ doc: 'Whether the plugin gives addresses, which go to interfaces of other steps.' }), false),
  containerId: defaulted(string({ maxLength: 255, doc: 'Usually that of the request.' }), ''),
  ifName: defaulted(string({ maxLength: 15, doc: 'Usually that of the request.' }), ''),
  args: defaulted(map(string({ maxLength: 4096 }), { doc: 'CNI_ARGS by key.' }), {}),
  path: defaulted(list(string({ maxLength: 4096 }), { maxItems: 64, doc: 'Folders of CNI_PATH.' }), []),
});
type Given = Infer<typeof shape>;
/** As they stand in journals, too, whose writers may not have known all of them. */
type Arguments = JsonObject &
  Pick<Given, 'type' | 'network' | 'folder' | 'ipam' | 'containerId' | 'ifName' | 'args' | 'path' | 'defaultRoutes' | 'deviceInfo'> &
  Partial<Pick<Given, 'required'>> & { readonly [Map in 'config' | 'capabilities' | 'merge']?: JsonObject };
/** As CNI 1.1.0 has a result; and what is known of a device, where there is one. */
type Outputs = { readonly interfaces: Json; readonly ips: Json; readonly routes: Json; readonly dns: Json; readonly deviceInfo?: Json };

/** Other CNI plugins do a part of the work. CNI 1.1.0: SPEC.md, "Section 4: Plugin Delegation". */
export const DELEGATE: Operation<Arguments, Outputs> = {
  name: 'delegate',
  group: 'outside',
  doc: 'Lets other CNI plugins do a part of the work.',
  arguments: shape as unknown as Operation<Arguments>['arguments'],
  outputs: { interfaces: DYN, ips: DYN, routes: DYN, dns: DYN, deviceInfo: DYN },
  lifetime: 'owned',
  validate(args): readonly ArgumentProblem[] {
    const gateways = gatewayProblems(args.defaultRoutes ?? [], 'defaultRoutes');
    if (args.config === undefined)
      return args.network === undefined || args.folder === undefined
        ? [...gateways, { path: [], message: 'expected `config`, or `network` and the `folder` in which it is looked for' }]
        : gateways;
    return delegatedPlugins(args, args.config).every(({ type }) => /^[^/\0]+$/.test(type))
      ? gateways
      : [...gateways, { path: ['config'], message: 'expected `type`, or `plugins` each with a `type`' }];
  },
  requires: () => [],
  // Plugins are used to be called for several containers at once.
  lockKeys: () => [],

  *ensure(args, context) {
    const found = yield* foundConfig(args, context);
    const chain = chainOf(args, args.config ?? found);
    const keep = (begun: number) => remember({ begun, ...(found === undefined ? {} : { found }) });
    const isRefusable = (args.required ?? []).length > 0;
    // Only those that were called are to be undone.
    const isCounted = chain.plugins.length > 1 || isRefusable;
    if (isRefusable) yield* keep(0);
    refuseUndeclared(args, chain);
    if (args.deviceInfo !== undefined) yield* copyDeviceInfo(args.deviceInfo);
    let result: Json = {};
    for (const [index, plugin] of chain.plugins.entries()) {
      if (isCounted) yield* keep(index + 1);
      const given: Json = yield* call('ADD', chain, context, plugin, index === 0 ? undefined : (result as JsonObject));
      result = isJsonObject(given) ? given : {};
    }
    const deviceInfo = args.deviceInfo === undefined ? undefined : yield* readDeviceInfo(args.deviceInfo.file);
    const outputs = { ...outputsOf(result), ...(deviceInfo === undefined ? {} : { deviceInfo }) };
    if (args.defaultRoutes === undefined) return outputs;
    yield* replaceDefaultRoutes(context.netns, args.ifName, args.defaultRoutes);
    // What is told of it from now on, to CHECK and DEL of the plugins, too.
    return { ...outputs, routes: withDefaultRoutes(outputs.routes, args.defaultRoutes) };
  },
  *check(args, context) {
    const config = args.config ?? memoryOf(context).found;
    if (config === undefined) return [`the network ${args.network} was not attached`];
    const chain = chainOf(args, config);
    const checked = config['disableCheck'] === true ? [] : chain.plugins.filter((plugin) => !isBeforeCheck(plugin));
    for (const plugin of checked) yield* call('CHECK', chain, context, plugin, resultFor(plugin, context));
    return args.defaultRoutes === undefined ? [] : yield* checkDefaultRoutes(context.netns, args.ifName, args.defaultRoutes);
  },
  *undo(args, context) {
    const { found, begun } = memoryOf(context);
    const config = args.config ?? found;
    // It was not even found.
    if (config === undefined) return;
    const chain = chainOf(args, config);
    for (const plugin of chain.plugins.slice(0, begun).toReversed()) {
      try {
        yield* call('DEL', chain, context, plugin, resultFor(plugin, context));
      } catch (error) {
        // One that is not there, and never gave a result, has done nothing: what a container can't be attached by must not keep it from going.
        const isNothing = context.outputs === undefined && error instanceof EffectError && NOT_THERE.has(error.code);
        if (!isNothing) throw error;
      }
    }
    if (args.deviceInfo !== undefined) yield* removePath(args.deviceInfo.file);
  },
  // What the plugin made is known to the plugin, and goes with its own garbage collection.
  predict: () => ({}),
  describe: (args) => {
    const types = args.config === undefined ? [] : delegatedPlugins(args, args.config).map(({ type }) => type);
    return types.length === 0 ? `network ${args.network} of ${args.folder}` : `plugin ${types.join(', then ')}`;
  },
  result: ({ ipam }, { interfaces, ips, routes }) => (ipam ? {} : ({ interfaces, ips, routes } as unknown as ResultParts)),
};

/** Plugins that are called one after the other, and what each is told in the same words. */
interface Chain {
  readonly request: Pick<Arguments, 'containerId' | 'ifName' | 'args' | 'path'>;
  readonly plugins: readonly DelegatedPlugin[];
}

function chainOf(args: Arguments, config: JsonObject | undefined): Chain {
  const plugins = delegatedPlugins(args, config ?? {});
  const { containerId, ifName, path } = args;
  return {
    request: { containerId, ifName, path, args: { ...args.args, ...undeclaredRequests(args.capabilities ?? {}, plugins) } },
    plugins,
  };
}

/** Addresses that nobody would be told of by `runtimeConfig`, in the older words for them. CNI: CONVENTIONS.md, "CNI_ARGS". */
function undeclaredRequests({ ips, mac }: JsonObject, plugins: readonly DelegatedPlugin[]): Readonly<Record<string, string>> {
  const isDeclared = (capability: string): boolean => plugins.some((plugin) => declares(plugin, capability));
  return {
    ...(Array.isArray(ips) && ips.length > 0 && !isDeclared('ips') ? { IP: ips.join(',') } : {}),
    ...(typeof mac === 'string' && mac !== '' && !isDeclared('mac') ? { MAC: mac } : {}),
  };
}

/** Something that a pod asks for and nobody would do must not go by unseen. */
function refuseUndeclared({ required = [], network }: Arguments, { plugins }: Chain): void {
  const missing = required.filter((capability) => !plugins.some((plugin) => declares(plugin, capability)));
  if (missing.length === 0) return;
  const types = plugins.map(({ type }) => type).join(', ');
  const message = `no plugin of network ${network ?? ''} (${types}) has the capability ${missing.join(', ')}`;
  throw new EffectError('unsupported', message, `ADD of ${types}`);
}

/** What a step remembers. */
interface Memory {
  /** Configuration of a network that is known by its name. */
  readonly found?: JsonObject;
  /** How many plugins were called. */
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

/** CHECK, and results that are handed over again, came with 0.4.0. CNI: libcni/api.go, CheckNetworkList. */
const isBeforeCheck = (plugin: DelegatedPlugin): boolean => /^0\.[123]\./.test(versionOf(plugin));

/** CHECK and DEL are told what ADD answered, as libcni does from version 0.4.0 on. */
function resultFor(plugin: DelegatedPlugin, { outputs }: StepContext<Outputs>): JsonObject | undefined {
  if (outputs === undefined || isBeforeCheck(plugin)) return undefined;
  const { deviceInfo: _, ...result } = outputs;
  return result;
}

function outputsOf(result: Json): Outputs {
  const part = (name: string): Json => (isJsonObject(result) ? (result[name] ?? []) : []);
  return { interfaces: part('interfaces'), ips: part('ips'), routes: part('routes'), dns: isJsonObject(part('dns')) ? part('dns') : {} };
}

/** There is no such plugin, or none can have such a name. */
const NOT_THERE: ReadonlySet<FailureCode> = new Set(['missing', 'invalid']);

function call(
  command: 'ADD' | 'CHECK' | 'DEL',
  { request }: Chain,
  { netns }: StepContext<Outputs>,
  { type, config }: DelegatedPlugin,
  prevResult: JsonObject | undefined,
): Steps<Json> {
  const told = { command, type, config, ...request, netns: netns ?? '' };
  return custom('plugin', prevResult === undefined ? told : { ...told, prevResult });
}

type DeviceInfo = NonNullable<Arguments['deviceInfo']>;

/** More is not what the specification of device information has in a file. */
const MAX_DEVICE_INFO = 64 * 1024;

/** Hands on what the device plugin wrote. Device Information Specification, 1.1: files of device plugins and of network plugins. */
function* copyDeviceInfo({ file, from }: DeviceInfo): Steps<void> {
  const text = from === undefined ? undefined : yield* readFile(from, MAX_DEVICE_INFO);
  if (text === undefined) return;
  yield* makeDirectory(file.slice(0, file.lastIndexOf('/')) || '/', 0o755);
  yield* writeFile(file, text, 0o444);
}

/** What stands in the file after the plugins have been called. It is for the eyes of others: what can't be read is as good as nothing. */
function* readDeviceInfo(file: string): Steps<JsonObject | undefined> {
  const text = yield* readFile(file, MAX_DEVICE_INFO);
  try {
    const value = JSON.parse(text ?? 'null') as Json;
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
