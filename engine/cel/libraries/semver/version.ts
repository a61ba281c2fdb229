import { goQuote } from '../../go-quote.ts';

/** A semantic version 2.0.0. Identifiers of the pre-release are numbers where they consist of digits. */
export interface Version {
  readonly major: bigint;
  readonly minor: bigint;
  readonly patch: bigint;
  readonly preRelease: readonly (bigint | string)[];
  readonly build: readonly string[];
}

export type VersionParseResult = { readonly ok: true; readonly version: Version } | { readonly ok: false; readonly error: string };

class VersionFailure {
  readonly message: string;
  constructor(message: string) {
    this.message = message;
  }
}

const fail = (message: string): never => {
  throw new VersionFailure(message);
};

/** Reads a version strictly (no `v`, no leading zeros, three parts); the error is that of Go's blang/semver, word for word. */
export function parseVersion(text: string): VersionParseResult {
  try {
    return { ok: true, version: parse(text) };
  } catch (failure) {
    if (failure instanceof VersionFailure) return { ok: false, error: failure.message };
    throw failure;
  }
}

/** The same after dropping a leading `v` and leading zeros and filling up missing parts (`v1.02` is `1.2.0`). */
export function parseNormalizedVersion(text: string): VersionParseResult {
  const parts = splitParts(text.replace(/^v/, '')).map((part) => {
    if (part.length < 2) return part;
    const stripped = part.replace(/^0+/, '');
    return /^[0-9]/.test(stripped) ? stripped : `0${stripped}`;
  });
  if (parts.length < 3 && /[+-]/.test(parts[parts.length - 1] as string)) {
    return { ok: false, error: 'short version cannot contain PreRelease/Build meta data' };
  }
  while (parts.length < 3) parts.push('0');
  return parseVersion(parts.join('.'));
}

/** Up to three parts; the third keeps its dots. */
function splitParts(text: string): string[] {
  const parts = text.split('.');
  return parts.length <= 3 ? parts : [parts[0] as string, parts[1] as string, parts.slice(2).join('.')];
}

function parse(text: string): Version {
  if (text === '') fail('Version string empty');
  const parts = splitParts(text);
  if (parts.length !== 3) fail('No Major.Minor.Patch elements found');
  const [majorText, minorText, tail] = parts as [string, string, string];
  const major = number('Major', majorText);
  const minor = number('Minor', minorText);
  const plus = tail.indexOf('+');
  const build = plus < 0 ? [] : tail.slice(plus + 1).split('.');
  const beforeBuild = plus < 0 ? tail : tail.slice(0, plus);
  const dash = beforeBuild.indexOf('-');
  const preRelease = dash < 0 ? [] : beforeBuild.slice(dash + 1).split('.');
  const patch = number('Patch', dash < 0 ? beforeBuild : beforeBuild.slice(0, dash));
  return { major, minor, patch, preRelease: preRelease.map(preReleaseIdentifier), build: build.map(buildIdentifier) };
}

function number(part: 'Major' | 'Minor' | 'Patch', text: string): bigint {
  if (!/^[0-9]*$/.test(text)) fail(`Invalid character(s) found in ${part.toLowerCase()} number ${goQuote(text)}`);
  if (/^0./.test(text)) fail(`${part} number must not contain leading zeroes ${goQuote(text)}`);
  return parseUint(text);
}

/** Go: strconv.ParseUint for digits. */
function parseUint(text: string): bigint {
  if (text === '') return fail(`strconv.ParseUint: parsing "": invalid syntax`);
  // More digits than the largest number has need no reading.
  const value = text.length > 20 ? undefined : BigInt(text);
  return value === undefined || value > 18446744073709551615n
    ? fail(`strconv.ParseUint: parsing ${goQuote(text)}: value out of range`)
    : value;
}

function preReleaseIdentifier(text: string): bigint | string {
  if (text === '') return fail('Prerelease is empty');
  if (/^[0-9]+$/.test(text)) {
    return /^0./.test(text) ? fail(`Numeric PreRelease version must not contain leading zeroes ${goQuote(text)}`) : parseUint(text);
  }
  return /^[0-9A-Za-z-]+$/.test(text) ? text : fail(`Invalid character(s) found in prerelease ${goQuote(text)}`);
}

function buildIdentifier(text: string): string {
  if (text === '') return fail('Build meta data is empty');
  return /^[0-9A-Za-z-]+$/.test(text) ? text : fail(`Invalid character(s) found in build meta data ${goQuote(text)}`);
}

const order = <T extends bigint | string | number>(a: T, b: T): -1 | 0 | 1 => (a < b ? -1 : a > b ? 1 : 0);

/** Precedence of semantic versions; build metadata plays no part. */
export function compareVersions(a: Version, b: Version): -1 | 0 | 1 {
  const core = order(a.major, b.major) || order(a.minor, b.minor) || order(a.patch, b.patch);
  if (core !== 0) return core;
  if (a.preRelease.length === 0 || b.preRelease.length === 0)
    return order(Number(a.preRelease.length === 0), Number(b.preRelease.length === 0));
  const shared = Math.min(a.preRelease.length, b.preRelease.length);
  for (let i = 0; i < shared; i++) {
    const step = compareIdentifiers(a.preRelease[i] as bigint | string, b.preRelease[i] as bigint | string);
    if (step !== 0) return step;
  }
  return order(a.preRelease.length, b.preRelease.length);
}

/** Numbers come before words. */
function compareIdentifiers(a: bigint | string, b: bigint | string): -1 | 0 | 1 {
  if (typeof a !== typeof b) return typeof a === 'bigint' ? -1 : 1;
  return order(a, b);
}

export function formatVersion(version: Version): string {
  const core = `${version.major}.${version.minor}.${version.patch}`;
  const preRelease = version.preRelease.length === 0 ? '' : `-${version.preRelease.join('.')}`;
  return core + preRelease + (version.build.length === 0 ? '' : `+${version.build.join('.')}`);
}
