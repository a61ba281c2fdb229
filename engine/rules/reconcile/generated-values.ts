import { formatIpAddress, parseIpAddress } from '../../cel/libraries/net/ip-address.ts';
import { type CelValue, Timestamp } from '../../cel/values.ts';
import { isJsonObject, type Json, ownValue } from '../../object/json.ts';
import { certificateNames, certificateValidity } from '../../object/x509.ts';
import { DEFAULT_CERTIFICATE_DURATION, readDuration } from './durations.ts';
import type { RandomEntry, X509Entry } from './entry.ts';
import { Unresolved } from './evaluation.ts';
import { checkName } from './object-names.ts';
import type { GeneratedValue, GenerateRequest } from './program.ts';

type SecretName = GenerateRequest['secret'];

export function randomRequest({ valueKey, length, alphabet }: RandomEntry, id: string, secret: SecretName): GenerateRequest {
  return { id, secret, value: { kind: 'random', key: valueKey, length, alphabet } };
}

/** The request of a certificate, of what the template of its subject was rendered to. Throws {@link Unresolved} where that does not do. */
export function x509Request(
  entry: X509Entry,
  id: string,
  secret: SecretName,
  rendered: Json | undefined,
  instanceNamespace: string | undefined,
): GenerateRequest {
  const { path } = entry.subject;
  const subject = isJsonObject(rendered) ? rendered : {};
  const commonName = ownValue(subject, 'commonName');
  if (typeof commonName !== 'string' || commonName === '')
    throw new Unresolved('failed', 'commonName must be text', [...path, 'commonName']);
  const names = (field: string): readonly string[] => {
    const value = ownValue(subject, field) ?? [];
    if (Array.isArray(value) && value.every((each: Json) => typeof each === 'string')) return value as readonly string[];
    throw new Unresolved('failed', `${field} must be a list of texts`, [...path, field]);
  };
  const milliseconds = (field: string): number | undefined => {
    const value = ownValue(subject, field);
    if (value === undefined || value === null) return undefined;
    const found = typeof value === 'string' ? readDuration(value) : undefined;
    if (found === undefined || found === 0) throw new Unresolved('failed', `${field} must be a duration, as 2160h`, [...path, field]);
    return found;
  };
  const duration = milliseconds('duration') ?? DEFAULT_CERTIFICATE_DURATION;
  const renewBefore = milliseconds('renewBefore') ?? Math.floor(duration / 3);
  if (renewBefore >= duration) throw new Unresolved('failed', 'renewBefore must be shorter than duration', [...path, 'renewBefore']);
  const { isCA, algorithm, rotateKey, usages } = entry;
  const value = {
    commonName,
    dnsNames: names('dnsNames'),
    ipAddresses: names('ipAddresses'),
    isCA,
    algorithm,
    duration,
    renewBefore,
    rotateKey,
    usages,
  };
  const issuer = issuerOf(ownValue(subject, 'issuer'), [...path, 'issuer'], instanceNamespace);
  return { id, secret, value: { kind: 'x509', ...value, ...(issuer === undefined ? {} : { issuer }) } };
}

function issuerOf(value: Json | undefined, path: X509Entry['path'], instanceNamespace: string | undefined): SecretName | undefined {
  if (value === undefined || value === null) return undefined;
  const [name, given] = isJsonObject(value) ? [ownValue(value, 'name'), ownValue(value, 'namespace')] : [];
  const namespace = typeof given === 'string' && given !== '' ? given : instanceNamespace;
  if (typeof name !== 'string' || name === '' || namespace === undefined) {
    throw new Unresolved('failed', 'the issuer needs a name and a namespace', path);
  }
  checkName(name, 'the name of a Secret', path);
  checkName(namespace, 'a namespace', path);
  return { namespace, name };
}

/** What expressions see of values that were made; undefined where some are missing. */
export function generatedValues(request: GenerateRequest, made: Readonly<Record<string, string>>): CelValue | undefined {
  const read = (key: string): string | undefined => (Object.hasOwn(made, key) ? made[key] : undefined);
  const secretName = request.secret.name;
  if (request.value.kind === 'random') {
    const value = read(request.value.key);
    return value === undefined ? undefined : { value, [request.value.key]: value, secretName };
  }
  const [crt, key, ca] = [read('tls.crt'), read('tls.key'), read('ca.crt')];
  const validity = crt === undefined ? undefined : certificateValidity(crt);
  if (crt === undefined || key === undefined || validity === undefined) return undefined;
  return { crt, key, ca: ca ?? crt, notAfter: new Timestamp(validity.notAfter / 1000, 0), secretName };
}

/** When a certificate is to be renewed, in milliseconds since 1970: at once where it is for other names. Undefined for what does not end. */
export function renewalOf(request: GenerateRequest, made: Readonly<Record<string, string>>): number | undefined {
  if (request.value.kind !== 'x509') return undefined;
  const certificate = made['tls.crt'] ?? '';
  if (!isForNames(request.value, certificate)) return 0;
  const validity = certificateValidity(certificate);
  return validity === undefined ? undefined : validity.notAfter - request.value.renewBefore;
}

function isForNames(
  { commonName, dnsNames, ipAddresses }: Extract<GeneratedValue, { readonly kind: 'x509' }>,
  certificate: string,
): boolean {
  const found = certificateNames(certificate);
  if (found === undefined) return true;
  const same = (a: readonly string[], b: readonly string[]): boolean =>
    JSON.stringify([...new Set(a)].sort()) === JSON.stringify([...new Set(b)].sort());
  return (
    found.commonName === commonName &&
    same(found.dnsNames, dnsNames) &&
    same(found.ipAddresses.map(canonicalAddress), ipAddresses.map(canonicalAddress))
  );
}

/** One text for each address. What is none is refused when a certificate is made for it. */
function canonicalAddress(text: string): string {
  const parsed = parseIpAddress(text);
  return parsed.ok ? formatIpAddress(parsed.address) : text;
}
