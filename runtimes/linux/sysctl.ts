import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { EffectError } from '../../engine/step/effect.ts';
import { classifyErrno } from './failure.ts';

const KEY = /^[a-z]+(?:\/[A-Za-z0-9_.:@+=~-]+)+$/;
/** Bytes of a value. */
const MAX_VALUE = 4096;

/** Refuses keys that lead elsewhere, and values of more than one line. Throws {@link EffectError} `invalid`. */
export function checkSysctl(key: string, value?: string): void {
  const segments = key.split('/');
  if (!KEY.test(key) || key.length > 256 || segments.includes('..') || segments.includes('.')) {
    throw new EffectError('invalid', `${JSON.stringify(key.slice(0, 80))} is not a key like net/ipv4/ip_forward`, 'sysctl');
  }
  if (value !== undefined && (value.length > MAX_VALUE || !/^[\t\x20-\x7e]*$/.test(value))) {
    throw new EffectError('invalid', 'a value is one line of printable ASCII', `sysctl ${key}`);
  }
}

/** What is answered from memory, and is over before a thread could be asked to wait for it; other keys wait for the lock of all links. */
const IS_QUICK = /^net\/ipv[46]\/conf\/[^/]+\/(?:accept_ra|accept_dad|arp_notify|arp_ignore|arp_announce|ndisc_notify|enhanced_dad)$/;

/** Reads a key of our own namespaces: its text without the line's end; undefined where there is no such key. Throws {@link EffectError}. */
export async function readSysctl(key: string): Promise<string | undefined> {
  checkSysctl(key);
  try {
    return readFileSync(pathOf(key), 'latin1').replace(/\n$/, '');
  } catch (error) {
    const failure = failureOf(error, `cat ${pathOf(key)}`);
    if (failure.code === 'missing') return undefined;
    throw failure;
  }
}

/** Writes a key of our own namespaces. Throws {@link EffectError} `missing` where there is no such key. */
export async function writeSysctl(key: string, value: string): Promise<void> {
  checkSysctl(key, value);
  const tried = `sysctl -w ${key.replaceAll('/', '.')}=${value}`;
  try {
    // Some can't be read; and none is made.
    if (IS_QUICK.test(key)) writeAtOnce(pathOf(key), value);
    else await writeFile(pathOf(key), value, { flag: constants.O_WRONLY });
  } catch (error) {
    throw failureOf(error, tried);
  }
}

function writeAtOnce(path: string, value: string): void {
  const file = openSync(path, constants.O_WRONLY);
  try {
    writeSync(file, value);
  } finally {
    closeSync(file);
  }
}

/** What a shell said about a key in a namespace. A shell does not say why the kernel refused a value. */
export function sysctlFailure(text: string, key: string, tried: string): EffectError {
  if (/nonexistent|No such file/i.test(text)) return new EffectError('missing', `there is no ${key}`, tried);
  if (/Permission denied|not permitted|Read-only/i.test(text)) return new EffectError('denied', `${key} may not be written`, tried);
  return new EffectError('invalid', `the kernel does not take this value for ${key}`, tried);
}

function failureOf(error: unknown, tried: string): EffectError {
  const { code, message } = error as NodeJS.ErrnoException;
  const why = code === 'ENOENT' ? 'there is no such key' : message.replace(/^\w+: /, '').replace(/, (open|write|read).*$/, '');
  return new EffectError(classifyErrno(code), why, tried);
}

const pathOf = (key: string): string => `/proc/sys/${key}`;
