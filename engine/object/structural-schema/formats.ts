import { validateDns1123Label, validateDns1123Subdomain } from '../../cel/libraries/format/names.ts';
import { isV4, isV4Mapped, parseIpAddress } from '../../cel/libraries/net/ip-address.ts';
import { parseIpPrefix } from '../../cel/libraries/net/ip-prefix.ts';
import { checkRequestUri } from '../../cel/libraries/url/url.ts';
import { parseDuration } from '../../cel/run/duration.ts';

/** Whether a string has a format of OpenAPI. Kubernetes: kube-openapi pkg/validation/strfmt. */
export type FormatTest = (text: string) => boolean;

/**
 * The test of a format, or undefined for one that CustomResourceDefinitions do not support, which counts as none. Dashes in
 * names of formats do not matter. Kubernetes: apiextensions-apiserver pkg/apiserver/validation/formats.go.
 */
export function formatTest(format: string): FormatTest | undefined {
  return TESTS.get(format.replaceAll('-', ''));
}

const pattern =
  (expression: RegExp): FormatTest =>
  (text) =>
    expression.test(text);

const HEX = '[0-9a-f]';
const uuid = (version: string, variant: string): FormatTest =>
  pattern(new RegExp(`^${HEX}{8}-?${HEX}{4}-?${version}${HEX}{3}-?${variant}${HEX}{3}-?${HEX}{12}$`, 'i'));

const TESTS: ReadonlyMap<string, FormatTest> = new Map<string, FormatTest>([
  ['bsonobjectid', pattern(/^[0-9a-fA-F]{24}$/)],
  ['uri', (text) => checkRequestUri(text) === undefined],
  ['email', isEmail],
  ['hostname', isHostname],
  ['ipv4', (text) => isIp(text, (address) => isV4(address) || isV4Mapped(address)) && text.includes('.')],
  ['ipv6', (text) => isIp(text, () => true) && text.includes(':')],
  ['cidr', (text) => parseIpPrefix(text).ok],
  ['mac', isMac],
  ['uuid', uuid(HEX, HEX)],
  ['uuid3', uuid('3', HEX)],
  ['uuid4', uuid('4', '[89ab]')],
  ['uuid5', uuid('5', '[89ab]')],
  ['isbn', (text) => isIsbn10(text) || isIsbn13(text)],
  ['isbn10', isIsbn10],
  ['isbn13', isIsbn13],
  ['creditcard', isCreditCard],
  ['ssn', pattern(/^\d{3}[- ]?\d{2}[- ]?\d{4}$/)],
  ['hexcolor', pattern(/^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$/)],
  ['rgbcolor', isRgbColor],
  ['byte', pattern(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$/)],
  ['password', () => true],
  ['date', isDate],
  ['duration', (text) => parseDuration(text) !== undefined || SCALA_DURATION.test(text)],
  ['datetime', isDateTime],
  ['k8sshortname', (text) => validateDns1123Label(text).length === 0],
  ['k8slongname', (text) => validateDns1123Subdomain(text).length === 0],
]);

function isIp(text: string, test: (address: Parameters<typeof isV4>[0]) => boolean): boolean {
  const parsed = parseIpAddress(text);
  return parsed.ok && parsed.address.zone === '' && test(parsed.address);
}

/** Of Go's mail.ParseAddress: an address, alone or behind a name. */
function isEmail(text: string): boolean {
  const address = /^(?:[^<>]*)<([^<>]+)>\s*$/.exec(text)?.[1] ?? text.trim();
  return /^(?:"(?:[^"\\]|\\.)*"|[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*)@[^\s@<>()[\],;:"]+$/u.test(address);
}

const HOST_CHAR = '[a-zA-Z0-9\\p{S}\\p{L}]';
/** A label alone, or labels before a top-level domain of letters; checked label by label, so that no text takes long. */
const HOST_LABEL = new RegExp(`^${HOST_CHAR}(?:[a-zA-Z0-9\\-\\p{S}\\p{L}]{0,61}${HOST_CHAR})?$`, 'u');
const TOP_LEVEL = /^[a-zA-Z\p{L}]{2,63}$/u;

function isHostname(text: string): boolean {
  if (text.length > 255) return false;
  const labels = text.split('.');
  if (!labels.every((label) => label.length <= 63 && HOST_LABEL.test(label))) return false;
  return labels.length === 1 || TOP_LEVEL.test(labels[labels.length - 1] as string);
}

/** Go: net.ParseMAC. */
function isMac(text: string): boolean {
  for (const bytes of [6, 8, 20]) {
    for (const separator of [':', '-']) if (new RegExp(`^${HEX}{2}(?:${separator}${HEX}{2}){${bytes - 1}}$`, 'i').test(text)) return true;
    if (new RegExp(`^${HEX}{4}(?:\\.${HEX}{4}){${bytes / 2 - 1}}$`, 'i').test(text)) return true;
  }
  return false;
}

function isIsbn10(text: string): boolean {
  const digits = text.replace(/[\s-]/g, '');
  if (!/^(?:[0-9]{9}X|[0-9]{10})$/.test(digits)) return false;
  let sum = 0;
  for (let i = 0; i < 10; i++) sum += (i + 1) * (digits[i] === 'X' ? 10 : Number(digits[i]));
  return sum % 11 === 0;
}

function isIsbn13(text: string): boolean {
  const digits = text.replace(/[\s-]/g, '');
  if (!/^[0-9]{13}$/.test(digits)) return false;
  let sum = 0;
  for (let i = 0; i < 12; i++) sum += (i % 2 === 0 ? 1 : 3) * Number(digits[i]);
  return Number(digits[12]) === (10 - (sum % 10)) % 10;
}

const CARD =
  /^(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|6(?:011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}|3(?:0[0-5]|[68][0-9])[0-9]{11}|(?:2131|1800|35\d{3})\d{11})$/;

function isCreditCard(text: string): boolean {
  const digits = text.replace(/[^0-9]+/g, '');
  if (!CARD.test(digits)) return false;
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits[digits.length - 1 - i]);
    const doubled = i % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

function isRgbColor(text: string): boolean {
  const parts = /^rgb\(\s*([0-9]{1,3})\s*,\s*([0-9]{1,3})\s*,\s*([0-9]{1,3})\s*\)$/.exec(text);
  return parts?.slice(1).every((part) => Number(part) <= 255) ?? false;
}

/** RFC 3339 full-date of a day that exists. */
function isDate(text: string): boolean {
  const parts = /^([0-9]{4})-([0-9]{2})-([0-9]{2})$/.exec(text);
  if (parts === null) return false;
  const [year, month, day] = parts.slice(1).map(Number) as [number, number, number];
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1];
  return days !== undefined && day >= 1 && day <= days;
}

function isDateTime(text: string): boolean {
  const [date = '', time] = text.toLowerCase().split('t');
  if (time === undefined || !isDate(date)) return false;
  const parts = /^([0-9]{2}):([0-9]{2}):([0-9]{2})(?:.[0-9]+)?(?:z|[+-][0-9]{2}:[0-9]{2})$/.exec(time);
  return parts !== null && Number(parts[1]) <= 23 && Number(parts[2]) <= 59 && Number(parts[3]) <= 59;
}

/** As Scala writes it: `22 ns`, `3 weeks`. */
const SCALA_DURATION =
  /[0-9]+\s*(?:nanoseconds?|nanos?|ns|microseconds?|micros?|us|µs|milliseconds?|millis?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d|weeks?|wk|w)/i;
