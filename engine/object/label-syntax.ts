const LABEL_FORMAT = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const LABEL_PATTERN = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const LABEL_RULE = "alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
const KEY_RULE = `must consist of ${LABEL_RULE} (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${LABEL_FORMAT}')`;
const SUBDOMAIN_FORMAT = '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*';

/** What is wrong with a label key (a qualified name), in Kubernetes' words; empty when nothing is. */
export function labelKeyErrors(key: string): readonly string[] {
  const parts = key.split('/');
  if (parts.length > 2) return [`a valid label key ${KEY_RULE} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  const errors: string[] = [];
  const name = parts[parts.length - 1] as string;
  const prefix = parts.length === 2 ? (parts[0] as string) : undefined;
  if (prefix === '') errors.push('prefix part must be non-empty');
  else if (prefix !== undefined) errors.push(...subdomainErrors(prefix).map((error) => `prefix part ${error}`));
  if (name === '') errors.push('name part must be non-empty');
  else if (byteLength(name) > 63) errors.push('name part must be no more than 63 bytes');
  if (!LABEL_PATTERN.test(name)) errors.push(`name part ${KEY_RULE}`);
  return errors;
}

/** What is wrong with a label value, in Kubernetes' words; empty when nothing is. */
export function labelValueErrors(value: string): readonly string[] {
  const errors: string[] = [];
  if (byteLength(value) > 63) errors.push('must be no more than 63 bytes');
  if (value !== '' && !LABEL_PATTERN.test(value)) {
    const format = `(e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(${LABEL_FORMAT})?')`;
    errors.push(`a valid label must be an empty string or consist of ${LABEL_RULE} ${format}`);
  }
  return errors;
}

function subdomainErrors(name: string): readonly string[] {
  const errors: string[] = [];
  if (byteLength(name) > 253) errors.push('must be no more than 253 bytes');
  if (name === '' || !name.split('.').every((label) => /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(label))) {
    const rule =
      "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";
    errors.push(`${rule} (e.g. 'example.com', regex used for validation is '${SUBDOMAIN_FORMAT}')`);
  }
  return errors;
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}
