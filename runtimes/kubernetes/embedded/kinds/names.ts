const SUBDOMAIN_FORMAT = '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*';
const LABEL_FORMAT = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const LABEL_1035_FORMAT = '[a-z]([-a-z0-9]*[a-z0-9])?';
const SUBDOMAIN = new RegExp(`^${SUBDOMAIN_FORMAT}$`);
const LABEL = new RegExp(`^${LABEL_FORMAT}$`);
const LABEL_1035 = new RegExp(`^${LABEL_1035_FORMAT}$`);
const SUBDOMAIN_RULE =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";
const LABEL_RULE =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character";
const LABEL_1035_RULE =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character";

/** Answers what is wrong with a name, in Kubernetes' words; a prefix may end as no name may. */
export type NameErrors = (name: string, prefix: boolean) => readonly string[];

/** Kubernetes: pkg/api/validation/generic.go NameIsDNSSubdomain. */
export const dnsSubdomainErrors: NameErrors = (name, prefix) =>
  errorsOf(
    masked(name, prefix),
    253,
    SUBDOMAIN,
    `${SUBDOMAIN_RULE} (e.g. 'example.com', regex used for validation is '${SUBDOMAIN_FORMAT}')`,
  );

/** Kubernetes: NameIsDNSLabel. */
export const dnsLabelErrors: NameErrors = (name, prefix) => (name.includes('.') ? ['must not contain dots'] : labelErrors(name, prefix));

const labelErrors: NameErrors = (name, prefix) =>
  errorsOf(
    masked(name, prefix),
    63,
    LABEL,
    `${LABEL_RULE} (e.g. 'my-name',  or '123-abc', regex used for validation is '${LABEL_FORMAT}')`,
  );

/** Kubernetes: NameIsDNS1035Label. */
export const dns1035LabelErrors: NameErrors = (name, prefix) =>
  errorsOf(
    masked(name, prefix),
    63,
    LABEL_1035,
    `${LABEL_1035_RULE} (e.g. 'my-name',  or 'abc-123', regex used for validation is '${LABEL_1035_FORMAT}')`,
  );

/** What every name must be, since it is a part of a path. Kubernetes: api/validation/path. */
export const pathSegmentErrors: NameErrors = (name, prefix) => {
  if (!prefix && (name === '.' || name === '..')) return [`may not be '${name}'`];
  return ['/', '%'].filter((illegal) => name.includes(illegal)).map((illegal) => `may not contain '${illegal}'`);
};

function errorsOf(name: string, limit: number, pattern: RegExp, rule: string): readonly string[] {
  const errors: string[] = [];
  if (name.length > limit) errors.push(`must be no more than ${limit} characters`);
  if (!pattern.test(name)) errors.push(rule);
  return errors;
}

/** What follows a prefix is good in itself, so its last dash counts as a letter. */
function masked(name: string, prefix: boolean): string {
  return prefix && name.length > 1 && name.endsWith('-') ? `${name.slice(0, -2)}a` : name;
}
