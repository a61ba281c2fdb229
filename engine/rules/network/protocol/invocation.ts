import { goQuote } from '../../../cel/go-quote.ts';
import { goJsonError } from '../../../object/go-json-error.ts';
import { exceedsDepth, isJsonObject, type Json, type JsonObject } from '../../../object/json.ts';
import { linkNameObjection, MAX_LINK_NAME } from '../../../step/network/link-name.ts';
import type { CniFault, NetworkRequest } from '../program.ts';
import { formatCniArgs, readCniArgs } from './cni-args.ts';
import { FAULT_CODES, fault } from './fault.ts';
import { goField, goKind } from './go-field.ts';
import { CNI_VERSIONS, type CniResult } from './result.ts';
import { readResult } from './result-versions.ts';
import { isAtLeast, isCniVersion, parseVersion } from './version.ts';

/** UTF-16 units of a network configuration; more is refused. */
export const MAX_CONFIG_LENGTH = 4 * 1024 * 1024;
/** Values of a network configuration, about: lists and maps count, too. It is room for the list of some ten thousand attachments in GC. */
export const MAX_CONFIG_VALUES = 50_000;
/** Levels of lists and maps of a network configuration. */
export const MAX_CONFIG_DEPTH = 100;

/** What a plugin was called for. */
export type InvocationPurpose =
  /** CNI_COMMAND is missing: a person called it by hand, and is told on standard error what it is. */
  | { readonly kind: 'about' }
  | { readonly kind: 'version' }
  | { readonly kind: 'request'; readonly request: NetworkRequest; readonly netnsOverride: boolean }
  | { readonly kind: 'fault'; readonly fault: CniFault };

type Command = NetworkRequest['command'];
type Environment = Pick<NetworkRequest, 'command' | 'containerId' | 'netns' | 'ifName' | 'args' | 'path'>;
type Check = CniFault | undefined;

interface Variable {
  readonly name: string;
  readonly requiredFor: readonly Command[];
  readonly validate?: (value: string) => Check;
}

/** In the order in which they are looked at. CNI: pkg/skel/skel.go, getCmdArgsFromEnv. */
const VARIABLES: readonly Variable[] = [
  { name: 'CNI_COMMAND', requiredFor: ['ADD', 'CHECK', 'DEL', 'GC', 'STATUS'] },
  { name: 'CNI_CONTAINERID', requiredFor: ['ADD', 'CHECK', 'DEL'], validate: checkContainerId },
  { name: 'CNI_NETNS', requiredFor: ['ADD', 'CHECK'] },
  { name: 'CNI_IFNAME', requiredFor: ['ADD', 'CHECK', 'DEL'], validate: checkInterfaceName },
  { name: 'CNI_PATH', requiredFor: ['ADD', 'CHECK', 'DEL', 'GC', 'STATUS'] },
];

/** First version in which a verb may be asked for, where that is not the first of all. */
const SINCE: ReadonlyMap<Command, readonly [number, number, number]> = new Map([
  ['CHECK', [0, 4, 0]],
  ['GC', [1, 1, 0]],
  ['STATUS', [1, 1, 0]],
]);

/** The variables by which a plugin is called. CNI: pkg/invoke/args.go, Args. */
export function formatEnvironment({ command, containerId, netns, ifName, args, path }: Environment): Readonly<Record<string, string>> {
  return {
    CNI_COMMAND: command,
    CNI_CONTAINERID: containerId,
    CNI_NETNS: netns,
    CNI_IFNAME: ifName,
    CNI_ARGS: formatCniArgs(args),
    CNI_PATH: path.join(':'),
  };
}

/**
 * Reads an invocation as every plugin must: the same order, codes and words as the skeleton of the official plugins, so that what is wrong
 * first is told first. `stdin` is not looked at for VERSION.
 */
export function readInvocation(environment: ReadonlyMap<string, string>, stdin: string): InvocationPurpose {
  const value = (name: string): string => environment.get(name) ?? '';
  const command = value('CNI_COMMAND');
  if (command === '') return { kind: 'about' };
  const wrong = checkEnvironment(command, value);
  if (wrong !== undefined) return { kind: 'fault', fault: wrong };
  if (command === 'VERSION') return { kind: 'version' };

  const config = readConfig(stdin);
  if (!config.ok) return { kind: 'fault', fault: config.fault };
  if (!isCommand(command)) return { kind: 'fault', fault: fault(FAULT_CODES.invalidEnvironment, `unknown CNI_COMMAND: ${command}`) };
  const version = readVersion(command, config.document);
  if (typeof version !== 'string') return { kind: 'fault', fault: version };

  // From here on it is the plugin itself that judges. What is removed must not depend on what only matters for what is made.
  const isLenient = command !== 'ADD' && command !== 'CHECK';
  const objection = command === 'ADD' ? linkNameObjection(value('CNI_IFNAME')) : undefined;
  if (objection !== undefined) return { kind: 'fault', fault: fault(FAULT_CODES.invalidEnvironment, `CNI_IFNAME: ${objection}`) };
  const args = readCniArgs(value('CNI_ARGS'));
  if (!args.ok && !isLenient) return { kind: 'fault', fault: fault(FAULT_CODES.invalidEnvironment, args.message) };
  const previous = isLenient && command !== 'DEL' ? NONE : readPrevResult(config.document, version);
  if (!previous.ok && !isLenient) return { kind: 'fault', fault: fault(FAULT_CODES.decodingFailure, previous.message) };

  const override = value('CNI_NETNS_OVERRIDE');
  return {
    kind: 'request',
    netnsOverride: override === '1' || override.toUpperCase() === 'TRUE',
    request: {
      command,
      containerId: value('CNI_CONTAINERID'),
      netns: value('CNI_NETNS'),
      ifName: value('CNI_IFNAME'),
      cniVersion: version,
      network: config.name,
      args: args.ok ? args.args : {},
      path: value('CNI_PATH')
        .split(':')
        .filter((folder) => folder !== ''),
      config: config.document,
      ...(previous.ok && previous.result !== undefined ? { prevResult: previous.result } : {}),
    },
  };
}

/** What a plugin says of itself on standard error when it is called without a command. */
export function aboutText(type: string, version: string): string {
  return `CNI plugin ${type} of Fairlead ${version}\nCNI protocol versions supported: ${CNI_VERSIONS.join(', ')}\n`;
}

const isCommand = (command: string): command is Command => VARIABLES[0]!.requiredFor.includes(command as Command);

function checkEnvironment(command: string, value: (name: string) => string): Check {
  const missing: string[] = [];
  for (const { name, requiredFor, validate } of VARIABLES) {
    if (!requiredFor.includes(command as Command)) continue;
    const given = value(name);
    if (given === '') missing.push(name);
    else {
      const wrong = validate?.(given);
      if (wrong !== undefined) return wrong;
    }
  }
  return missing.length === 0 ? undefined : fault(FAULT_CODES.invalidEnvironment, `required env variables [${missing.join()}] missing`);
}

/** CNI: pkg/utils/utils.go, cniReg. */
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;
/** Longest name that a file may have; container ids and networks become names of files. */
const MAX_NAME_LENGTH = 255;

/** Whether this may be a network's name, and with that the name of a folder. */
export const isNetworkName = (name: string): boolean => NAME.test(name) && name.length <= MAX_NAME_LENGTH;

function checkContainerId(id: string): Check {
  if (!NAME.test(id)) return fault(FAULT_CODES.invalidEnvironment, 'invalid characters in containerID', id);
  // Nothing in the specification bounds it; it goes to disk, so something must.
  if (id.length > MAX_NAME_LENGTH)
    return fault(
      FAULT_CODES.invalidEnvironment,
      'containerID is too long',
      `containerID should have at most ${MAX_NAME_LENGTH} characters`,
    );
  return undefined;
}

function checkInterfaceName(name: string): Check {
  if (new TextEncoder().encode(name).length > MAX_LINK_NAME) {
    const details = `interface name should be less than ${MAX_LINK_NAME + 1} characters`;
    return fault(FAULT_CODES.invalidEnvironment, 'interface name is too long', details);
  }
  if (name === '.' || name === '..') return fault(FAULT_CODES.invalidEnvironment, 'interface name is . or ..');
  // Go: unicode.IsSpace, which knows U+0085 and not U+FEFF.
  if (/[/:\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/.test(name))
    return fault(FAULT_CODES.invalidEnvironment, 'interface name contains / or : or whitespace characters');
  return undefined;
}

type Config =
  | { readonly ok: true; readonly document: JsonObject; readonly name: string }
  | { readonly ok: false; readonly fault: CniFault };

/** The type that the skeleton decodes into first, as Go names it. */
const NAME_STRUCT = 'struct { Name string "json:\\"name\\"" }';

function readConfig(stdin: string): Config {
  const refuse = (why: string): Config => ({
    ok: false,
    fault: fault(FAULT_CODES.decodingFailure, `error unmarshall network config: ${why}`),
  });
  if (stdin.length > MAX_CONFIG_LENGTH) return refuse(`it has more than ${MAX_CONFIG_LENGTH} characters`);
  // Before it is parsed: a map of very many fields takes long to make and to look through, and all others wait meanwhile.
  if (hasMoreValues(stdin, MAX_CONFIG_VALUES)) return refuse(`it has more than ${MAX_CONFIG_VALUES} values`);
  let document: Json;
  try {
    document = JSON.parse(stdin) as Json;
  } catch {
    return refuse(goJsonError(new TextEncoder().encode(stdin)) ?? 'it is not JSON');
  }
  if (document === null) return { ok: false, fault: fault(FAULT_CODES.invalidConfig, 'missing network name') };
  if (!isJsonObject(document)) return refuse(`json: cannot unmarshal ${goKind(document)} into Go value of type ${NAME_STRUCT}`);
  if (exceedsDepth(document, MAX_CONFIG_DEPTH)) return refuse(`lists and maps are nested deeper than ${MAX_CONFIG_DEPTH} levels`);
  const name = goField(document, 'name') ?? '';
  if (typeof name !== 'string') return refuse(`json: cannot unmarshal ${goKind(name)} into Go struct field .name of type string`);
  if (name === '') return { ok: false, fault: fault(FAULT_CODES.invalidConfig, 'missing network name') };
  if (!NAME.test(name)) return { ok: false, fault: fault(FAULT_CODES.invalidConfig, 'invalid characters found in network name', name) };
  if (!isNetworkName(name)) {
    const details = `a network name should have at most ${MAX_NAME_LENGTH} characters`;
    return { ok: false, fault: fault(FAULT_CODES.invalidConfig, 'network name is too long', details) };
  }
  return { ok: true, document, name };
}

/** Whether a JSON text has more values than that, by its commas and brackets outside of texts. */
function hasMoreValues(text: string, most: number): boolean {
  if (text.length <= most) return false;
  let values = 1;
  let isText = false;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit === 0x22) isText = !isText;
    else if (isText) {
      if (unit === 0x5c) index++;
    } else if ((unit === 0x2c || unit === 0x5b || unit === 0x7b) && ++values > most) return true;
  }
  return false;
}

/** The version of the configuration, or why it can't be served in it. CNI: pkg/skel/skel.go, pluginMain; pkg/version/reconcile.go. */
function readVersion(command: Command, config: JsonObject): string | CniFault {
  const given = goField(config, 'cniVersion') ?? '';
  if (typeof given !== 'string') {
    const why = `json: cannot unmarshal ${goKind(given)} into Go struct field .cniVersion of type string`;
    return fault(FAULT_CODES.decodingFailure, `decoding version from network config: ${why}`);
  }
  const version = given === '' ? CNI_VERSIONS[0] : given;
  const since = SINCE.get(command);
  if (since !== undefined) {
    const parsed = parseVersion(version);
    if (!parsed.ok) return fault(FAULT_CODES.decodingFailure, parsed.message);
    if (!isAtLeast(parsed.number, since)) return fault(FAULT_CODES.incompatibleVersion, `config version does not allow ${command}`);
    if (!isAtLeast([1, 1, 0], parsed.number)) return fault(FAULT_CODES.incompatibleVersion, `plugin version does not allow ${command}`);
  }
  if (isCniVersion(version)) return version;
  const supported = CNI_VERSIONS.map((known) => goQuote(known)).join(' ');
  return fault(
    FAULT_CODES.incompatibleVersion,
    'incompatible CNI versions',
    `config is ${goQuote(version)}, plugin supports [${supported}]`,
  );
}

type PrevResult = { readonly ok: true; readonly result?: CniResult } | { readonly ok: false; readonly message: string };
const NONE: PrevResult = { ok: true };

function readPrevResult(config: JsonObject, version: string): PrevResult {
  const raw = goField(config, 'prevResult');
  if (raw === undefined) return NONE;
  const read = readResult(raw, version);
  return read.ok ? read : { ok: false, message: `could not parse prevResult: ${read.message}` };
}
