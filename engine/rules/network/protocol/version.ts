import { goQuote } from '../../../cel/go-quote.ts';
import { CNI_VERSIONS, type CniVersion } from './result.ts';

/** Three numbers. */
export type VersionNumber = readonly [major: number, minor: number, micro: number];

export type ParsedVersion = { readonly ok: true; readonly number: VersionNumber } | { readonly ok: false; readonly message: string };

/** Reads `1.0.0`, `1.0` or `1`; `` is 0.1.0. Messages are those of the official library. CNI: pkg/version/plugin.go, ParseVersion. */
export function parseVersion(text: string): ParsedVersion {
  if (text === '') return { ok: true, number: [0, 1, 0] };
  const parts = text.split('.');
  if (parts.length > 3) return { ok: false, message: `invalid version ${goQuote(text)}: too many parts` };
  const number = [0, 0, 0] as [number, number, number];
  for (const [index, part] of parts.entries()) {
    const problem = /^[+-]?\d+$/.test(part) ? (tooLarge(part) ? 'value out of range' : undefined) : 'invalid syntax';
    if (problem !== undefined) {
      const quoted = goQuote(part);
      return {
        ok: false,
        message: `failed to convert ${PARTS[index]} version part ${quoted}: strconv.Atoi: parsing ${quoted}: ${problem}`,
      };
    }
    number[index] = Number(part);
  }
  return { ok: true, number };
}

const PARTS = ['major', 'minor', 'micro'];

const tooLarge = (digits: string): boolean => {
  const value = BigInt(digits.replace('+', ''));
  return value >= 2n ** 63n || value < -(2n ** 63n);
};

/** Whether one version is the other or later. */
export function isAtLeast(version: VersionNumber, other: VersionNumber): boolean {
  for (let part = 0; part < 3; part++) {
    const difference = (version[part] as number) - (other[part] as number);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

export function isCniVersion(text: string): text is CniVersion {
  return (CNI_VERSIONS as readonly string[]).includes(text);
}

/** What VERSION answers, with the line's end. */
export const VERSION_ANSWER = `${JSON.stringify({ cniVersion: CNI_VERSIONS.at(-1), supportedVersions: CNI_VERSIONS })}\n`;
