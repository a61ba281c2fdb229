/** Checks of names, with the texts of Kubernetes. Undefined: the name is fine. Kubernetes: apimachinery pkg/util/validation. */
export type NameCheck = (name: string) => string | undefined;

const SUBDOMAIN_FORMAT = '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*';
const QUALIFIED_FORMAT = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const LABEL_1035_FORMAT = '[a-z]([-a-z0-9]*[a-z0-9])?';

export const isDnsSubdomain: NameCheck = (name) => {
  if (name.length > 253) return 'must be no more than 253 characters';
  if (isSubdomain(name)) return undefined;
  return (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an " +
    `alphanumeric character (e.g. 'example.com', regex used for validation is '${SUBDOMAIN_FORMAT}')`
  );
};

export const isDnsLabel1035: NameCheck = (name) => {
  if (name.length > 63) return 'must be no more than 63 characters';
  if (/^[a-z](?:[-a-z0-9]*[a-z0-9])?$/.test(name)) return undefined;
  return (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an " +
    `alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '${LABEL_1035_FORMAT}')`
  );
};

/** `prefix/name` or `name`. */
export const isQualifiedName: NameCheck = (name) => {
  const parts = name.split('/');
  if (parts.length > 2) {
    return `${QUALIFIED_ERROR} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`;
  }
  const [prefix, own] = parts.length === 2 ? [parts[0], parts[1]!] : [undefined, parts[0]!];
  if (prefix !== undefined) {
    if (prefix === '') return 'prefix part must be non-empty';
    const wrong = isDnsSubdomain(prefix);
    if (wrong !== undefined) return `prefix part ${wrong}`;
  }
  if (own === '') return 'name part must be non-empty';
  if (own.length > 63) return 'name part must be no more than 63 characters';
  return /^[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?$/.test(own) ? undefined : `name part ${QUALIFIED_ERROR}`;
};

const QUALIFIED_ERROR =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character " +
  `(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${QUALIFIED_FORMAT}')`;

/** Names that may stand in a URL path. */
export const isPathSegmentName: NameCheck = (name) => {
  if (name === '.' || name === '..') return `may not be '${name}'`;
  if (name.includes('/')) return "may not contain '/'";
  return name.includes('%') ? "may not contain '%'" : undefined;
};

function isSubdomain(name: string): boolean {
  return name !== '' && name.split('.').every((label) => /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/.test(label));
}
