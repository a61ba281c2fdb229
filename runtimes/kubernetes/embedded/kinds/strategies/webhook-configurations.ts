import { isJsonObject, type Json, type JsonObject, ownValue } from '../../../../../engine/object/json.ts';
import { type FieldError, fieldDuplicate, fieldInvalid, fieldNotSupported, fieldRequired } from '../../field-error.ts';
import type { Strategy } from '../definition.ts';
import { dns1035LabelErrors, dnsSubdomainErrors } from '../names.ts';
import { isPort } from '../pod-spec.ts';

const SIDE_EFFECTS = ['None', 'NoneOnDryRun'];
const REVIEW_VERSIONS = ['v1', 'v1beta1'];
const OPERATIONS = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE'];
const SCOPES = ['*', 'Cluster', 'Namespaced'];
const LONGEST_TIMEOUT = 30;
const FORM = 'desired format: https://host[/path]';

const listOf = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? value : []);

/** Configurations of webhooks. Kubernetes: pkg/apis/admissionregistration/validation/validation.go. */
export const webhookConfigurationStrategy: Strategy = {
  nameErrors: dnsSubdomainErrors,
  generation: 'all',
  unconditionalUpdate: false,
  validate: configurationErrors,
  validateUpdate: configurationErrors,
};

function configurationErrors(object: JsonObject): readonly FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<Json>();
  for (const [index, webhook] of listOf(object['webhooks']).entries()) {
    if (!isJsonObject(webhook)) continue;
    const path = `webhooks[${index}]`;
    const name = webhook['name'] ?? '';
    errors.push(...webhookErrors(webhook, path));
    if (name !== '' && names.has(name)) errors.push(fieldDuplicate(`${path}.name`, name));
    names.add(name);
  }
  return errors;
}

function webhookErrors(webhook: JsonObject, path: string): readonly FieldError[] {
  const errors: FieldError[] = [...qualifiedNameErrors(String(webhook['name'] ?? ''), `${path}.name`)];
  for (const [index, rule] of listOf(webhook['rules']).entries()) {
    if (isJsonObject(rule)) errors.push(...ruleErrors(rule, `${path}.rules[${index}]`));
  }
  const choice = (field: string, supported: readonly string[]): void => {
    const value = webhook[field] ?? '';
    if (value !== '' && !supported.includes(String(value))) errors.push(fieldNotSupported(`${path}.${field}`, value, supported));
  };
  choice('failurePolicy', ['Fail', 'Ignore']);
  choice('matchPolicy', ['Equivalent', 'Exact']);
  choice('reinvocationPolicy', ['IfNeeded', 'Never']);
  if ((webhook['sideEffects'] ?? '') === '') {
    errors.push(fieldRequired(`${path}.sideEffects`, `must specify one of ${SIDE_EFFECTS.join(', ')}`));
  } else choice('sideEffects', SIDE_EFFECTS);
  const timeout = webhook['timeoutSeconds'];
  if (typeof timeout === 'number' && (timeout < 1 || timeout > LONGEST_TIMEOUT)) {
    errors.push(fieldInvalid(`${path}.timeoutSeconds`, timeout, `the timeout value must be between 1 and ${LONGEST_TIMEOUT} seconds`));
  }
  errors.push(...webhookClientErrors(webhook['clientConfig'], `${path}.clientConfig`));
  errors.push(...reviewVersionErrors(listOf(webhook['admissionReviewVersions']), `${path}.admissionReviewVersions`));
  return errors;
}

/** Kubernetes: apimachinery pkg/util/validation IsFullyQualifiedName. */
function qualifiedNameErrors(name: string, path: string): readonly FieldError[] {
  if (name === '') return [fieldRequired(path)];
  const errors = dnsSubdomainErrors(name, false);
  if (errors.length > 0) return [fieldInvalid(path, name, errors.join(','))];
  return name.split('.').length < 3 ? [fieldInvalid(path, name, 'should be a domain with at least three segments separated by dots')] : [];
}

function reviewVersionErrors(versions: readonly Json[], path: string): readonly FieldError[] {
  if (versions.length === 0) return [fieldRequired(path, `must specify one of ${REVIEW_VERSIONS.join(', ')}`)];
  const errors: FieldError[] = [];
  for (const [index, version] of versions.entries()) {
    if (versions.indexOf(version) < index) errors.push(fieldInvalid(`${path}[${index}]`, version, 'duplicate version'));
    else for (const error of dns1035LabelErrors(String(version), false)) errors.push(fieldInvalid(`${path}[${index}]`, version, error));
  }
  if (!versions.some((version) => REVIEW_VERSIONS.includes(String(version)))) {
    errors.push(fieldInvalid(path, versions, `must include at least one of ${REVIEW_VERSIONS.join(', ')}`));
  }
  return errors;
}

function ruleErrors(rule: JsonObject, path: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  /** At least one, and nothing beside what means all. */
  const check = (field: string, what: string): readonly Json[] => {
    const values = listOf(rule[field]);
    if (values.length === 0) errors.push(fieldRequired(`${path}.${field}`));
    if (values.length > 1 && values.includes('*')) {
      errors.push(fieldInvalid(`${path}.${field}`, values, `if '*' is present, must not specify other ${what}`));
    }
    return values;
  };
  for (const [index, operation] of check('operations', 'operations').entries()) {
    if (!OPERATIONS.includes(String(operation))) errors.push(fieldNotSupported(`${path}.operations[${index}]`, operation, OPERATIONS));
  }
  check('apiGroups', 'API groups');
  for (const [index, version] of check('apiVersions', 'API versions').entries()) {
    if (version === '') errors.push(fieldRequired(`${path}.apiVersions[${index}]`));
  }
  errors.push(...resourceErrors(listOf(rule['resources']), `${path}.resources`));
  const scope = rule['scope'] ?? '';
  if (scope !== '' && !SCOPES.includes(String(scope))) errors.push(fieldNotSupported(`${path}.scope`, scope, SCOPES));
  return errors;
}

/** `pods`, `pods/*`, and `scale` of everything: nothing may be named beside what covers it. */
function resourceErrors(resources: readonly Json[], path: string): readonly FieldError[] {
  if (resources.length === 0) return [fieldRequired(path)];
  const errors: FieldError[] = [];
  const wholeResources = new Set<string>();
  const everywhere = new Set<string>();
  let plainFollows = false;
  for (const [index, each] of resources.entries()) {
    const text = String(each);
    if (text === '') {
      errors.push(fieldRequired(`${path}[${index}]`));
      continue;
    }
    const slash = text.indexOf('/');
    if (slash < 0) {
      plainFollows = text !== '*';
      continue;
    }
    const resource = text.slice(0, slash);
    const subresource = text.slice(slash + 1);
    const refuse = (present: string): number =>
      errors.push(fieldInvalid(`${path}[${index}]`, text, `if '${present}' is present, must not specify ${text}`));
    if (wholeResources.has(resource)) refuse(`${resource}/*`);
    if (everywhere.has(subresource)) refuse(`*/${subresource}`);
    if (subresource === '*') wholeResources.add(resource);
    if (resource === '*') everywhere.add(subresource);
  }
  if (resources.length > 1 && resources.includes('*/*')) {
    errors.push(fieldInvalid(path, resources, "if '*/*' is present, must not specify other resources"));
  }
  if (resources.includes('*') && plainFollows) {
    errors.push(fieldInvalid(path, resources, "if '*' is present, must not specify other resources without subresources"));
  }
  return errors;
}

/** Where a webhook is: at a URL or behind a service. Kubernetes: apiserver pkg/util/webhook/validation.go. */
export function webhookClientErrors(config: Json | undefined, path: string): readonly FieldError[] {
  const url = isJsonObject(config) ? ownValue(config, 'url') : undefined;
  const service = isJsonObject(config) ? ownValue(config, 'service') : undefined;
  if ((url === undefined) === (service === undefined)) return [fieldRequired(path, 'exactly one of url or service is required')];
  return url === undefined ? serviceErrors(service, `${path}.service`) : urlErrors(String(url), `${path}.url`);
}

function urlErrors(text: string, path: string): readonly FieldError[] {
  // A URL of the web's kind has a host in any case; Go's has what is written.
  const parts = /^(?:([a-zA-Z][a-zA-Z0-9+.-]*):)?(?:\/\/(?:([^/?#@]*)@)?([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s.exec(text);
  const [, scheme = '', user, host = '', , query = '', fragment = ''] = parts ?? [];
  const errors: FieldError[] = [];
  if (scheme.toLowerCase() !== 'https') errors.push(fieldInvalid(path, scheme, `'https' is the only allowed URL scheme; ${FORM}`));
  if (host === '') errors.push(fieldInvalid(path, host, `host must be specified; ${FORM}`));
  if (user !== undefined) errors.push(fieldInvalid(path, user, 'user information is not permitted in the URL'));
  if (fragment !== '') errors.push(fieldInvalid(path, fragment, 'fragments are not permitted in the URL'));
  if (query !== '') errors.push(fieldInvalid(path, query, 'query parameters are not permitted in the URL'));
  return errors;
}

function serviceErrors(service: Json | undefined, path: string): readonly FieldError[] {
  if (!isJsonObject(service)) return [];
  const errors: FieldError[] = [];
  for (const field of ['name', 'namespace']) if ((service[field] ?? '') === '') errors.push(fieldRequired(`${path}.${field}`));
  const port = service['port'] ?? 443;
  if (!isPort(port)) errors.push(fieldInvalid(`${path}.port`, port, 'port is not valid: must be between 1 and 65535, inclusive'));
  const file = service['path'] ?? '';
  if (typeof file !== 'string' || file === '' || file === '/') return errors;
  const refuse = (why: string): number => errors.push(fieldInvalid(`${path}.path`, file, why));
  if (!file.startsWith('/')) refuse("must start with a '/'");
  if (file === '//') refuse('segment[0] may not be empty');
  else {
    for (const [index, segment] of file.slice(1).replace(/\/$/, '').split('/').entries()) {
      if (segment === '') refuse(`segment[${index}] may not be empty`);
      else for (const error of dnsSubdomainErrors(segment, false)) refuse(`segment[${index}]: ${error}`);
    }
  }
  return errors;
}
