import { goQuote } from '../../../engine/cel/go-quote.ts';
import { isJsonObject, type Json, type JsonObject, ownText } from '../../../engine/object/json.ts';
import type { CniFault, PluginRequest } from '../../../engine/rules/network/program.ts';
import { CniError, FAULT_CODES, fault, readFault } from '../../../engine/rules/network/protocol/fault.ts';
import { formatEnvironment } from '../../../engine/rules/network/protocol/invocation.ts';
import type { CniResult, CniVersion } from '../../../engine/rules/network/protocol/result.ts';
import { convertResult, readResult } from '../../../engine/rules/network/protocol/result-versions.ts';
import { EffectError } from '../../../engine/step/effect.ts';
import { type Clock, pause } from '../../host/clock.ts';
import { classifyErrno } from '../../linux/failure.ts';
import { type ProgramEnd, ProgramError, type RunGroup, runGroup } from '../../linux/program-group.ts';
import { stepDeadline } from '../../linux/step-deadline.ts';
import { WITHIN } from '../wire.ts';
import { findPlugin } from './find-plugin.ts';

export interface DelegationOptions {
  readonly clock: Clock;
  readonly log: (line: string, fields?: Readonly<Record<string, unknown>>) => void;
  /** What every plugin sees beside the variables of CNI. Default: the PATH of this process, and nothing else that it may know. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly find?: typeof findPlugin;
  readonly run?: RunGroup;
}

/**
 * Executes another plugin as libcni does. Answers the result of ADD; undefined of the others. Throws `CniError` with what the plugin said when it
 * failed, and {@link EffectError} where it could not be asked.
 */
export type Delegate = (request: PluginRequest, signal?: AbortSignal) => Promise<CniResult | undefined>;

/** Milliseconds that a plugin has. */
const DEADLINE = 100_000;
const MAX_OUTPUT = 4 * 1024 * 1024;
const MAX_ERRORS = 64 * 1024;
/** An executable that is being written: libcni tries five times more, a second apart. CNI: pkg/invoke/raw_exec.go. */
const BUSY_ATTEMPTS = 6;
const BUSY_PAUSE = 1000;

export function createDelegate(options: DelegationOptions): Delegate {
  const { clock, log, find = findPlugin, run = runGroup } = options;
  const base = options.environment ?? { PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin' };

  async function execute(path: string, request: PluginRequest, signal: AbortSignal): Promise<ProgramEnd> {
    const input = {
      path,
      environment: { ...base, [WITHIN]: '1', ...formatEnvironment(request) },
      stdin: JSON.stringify(configurationOf(request)),
      signal,
      maxOutput: MAX_OUTPUT,
      maxErrors: MAX_ERRORS,
    };
    for (let attempt = 1; ; attempt++) {
      try {
        return await run(input);
      } catch (error) {
        if (!(error instanceof ProgramError) || error.code !== 'ETXTBSY' || attempt === BUSY_ATTEMPTS) throw error;
        await pause(clock, BUSY_PAUSE, signal);
      }
    }
  }

  return async (request, signal) => {
    const { type, command, path } = request;
    const tried = `${command} of plugin ${type}`;
    const found = find(type, path);
    if (!found.ok) throw new EffectError('missing', found.message, tried);
    const limit = stepDeadline(clock, DEADLINE, signal);
    let ended: ProgramEnd;
    try {
      ended = await execute(found.path, request, limit.signal);
    } catch (error) {
      if (!(error instanceof ProgramError)) throw error;
      throw new EffectError(
        error.code === 'TIMEOUT' ? 'timeout' : error.code === 'TOO_LONG' ? 'program' : classifyErrno(error.code),
        error.message,
        tried,
      );
    } finally {
      limit.end();
    }
    if (ended.stderr !== '') log('a plugin wrote to its standard error', { plugin: type, command, text: ended.stderr.slice(0, 4096) });
    if (ended.exitCode !== 0) throw new CniError(faultOfRun(ended), tried);
    return command === 'ADD' ? resultOf(ended.stdout, request, tried) : undefined;
  };
}

/** With the result that it is told of, in the version that it speaks. Of versions before results could be handed on, without. */
function configurationOf({ config, prevResult }: PluginRequest): JsonObject {
  if (prevResult === undefined) return config;
  const version = ownText(config, 'cniVersion') || '0.1.0';
  const converted = convertResult(prevResult as unknown as CniResult, version as CniVersion);
  return converted.ok ? { ...config, prevResult: converted.document } : config;
}

/** What a plugin that failed says. CNI: pkg/invoke/raw_exec.go, pluginErr. */
function faultOfRun({ stdout, stderr, ending }: ProgramEnd): CniFault {
  const said = readFault(stdout);
  if (said !== undefined) return said;
  if (stdout !== '') {
    const message = `netplugin failed but error parsing its diagnostic message ${goQuote(stdout.slice(0, 1024))}`;
    return fault(FAULT_CODES.internal, `${message}: ${ending}`);
  }
  return fault(
    FAULT_CODES.internal,
    stderr === '' ? `netplugin failed with no error message: ${ending}` : `netplugin failed: ${goQuote(stderr.slice(0, 1024))}: ${ending}`,
  );
}

/** A result that names no version is in that of the configuration. CNI: pkg/invoke/exec.go, fixupResultVersion. */
function resultOf(stdout: string, { type, config }: PluginRequest, tried: string): CniResult {
  const refuse = (why: string): EffectError => new EffectError('program', `the result of plugin ${type} can't be read: ${why}`, tried);
  let printed: Json;
  try {
    printed = JSON.parse(stdout) as Json;
  } catch (error) {
    throw refuse((error as Error).message);
  }
  const document: JsonObject = isJsonObject(printed) ? printed : {};
  if (printed !== null && !isJsonObject(printed)) throw refuse('it is not an object');
  const own = ownText(document, 'cniVersion');
  const version = own !== '' ? own : ownText(config, 'cniVersion') || '0.1.0';
  const read = readResult({ ...document, cniVersion: version }, version);
  if (!read.ok) throw refuse(read.message);
  return read.result;
}
