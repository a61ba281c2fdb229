import { compareQuantities, type Quantity } from '../../../../engine/cel/libraries/quantity/quantity.ts';
import { isJsonObject, type Json, type JsonObject, ownText, ownValue } from '../../../../engine/object/json.ts';
import { type FieldError, fieldDuplicate, fieldInvalid, fieldNotFound, fieldNotSupported, fieldRequired } from '../field-error.ts';
import { quantityOf } from '../resource-amounts/resource-list.ts';
import { dnsLabelErrors } from './names.ts';

function maps(object: JsonObject, field: string): readonly JsonObject[] {
  const list = ownValue(object, field);
  return Array.isArray(list) ? (list as readonly Json[]).filter(isJsonObject) : [];
}

/**
 * What is wrong with the spec of a pod or a template: names, images, ports, mounts. Not all that Kubernetes looks at, but what one
 * gets wrong first. `claims` are volumes that a stateful set adds. Kubernetes: pkg/apis/core/validation/validation.go ValidatePodSpec.
 */
export function podSpecErrors(spec: JsonObject, path: string, claims: readonly string[] = []): readonly FieldError[] {
  const errors: FieldError[] = [];
  const volumes = new Set<string>();
  for (const [i, volume] of maps(spec, 'volumes').entries()) {
    const name = ownText(volume, 'name');
    const place = `${path}.volumes[${i}].name`;
    if (name === '') errors.push(fieldRequired(place));
    else for (const error of dnsLabelErrors(name, false)) errors.push(fieldInvalid(place, name, error));
    if (volumes.has(name)) errors.push(fieldDuplicate(place, name));
    volumes.add(name);
  }
  for (const claim of claims) volumes.add(claim);
  const names = new Set<string>();
  if (maps(spec, 'containers').length === 0) errors.push(fieldRequired(`${path}.containers`));
  for (const list of ['containers', 'initContainers'] as const) {
    for (const [i, container] of maps(spec, list).entries())
      errors.push(...containerErrors(container, `${path}.${list}[${i}]`, names, volumes));
  }
  errors.push(...choice(spec, 'restartPolicy', path, ['Always', 'OnFailure', 'Never']));
  errors.push(...choice(spec, 'dnsPolicy', path, ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None']));
  return errors;
}

function containerErrors(container: JsonObject, path: string, names: Set<string>, volumes: ReadonlySet<string>): readonly FieldError[] {
  const errors: FieldError[] = [];
  const name = ownText(container, 'name');
  if (name === '') errors.push(fieldRequired(`${path}.name`));
  else for (const error of dnsLabelErrors(name, false)) errors.push(fieldInvalid(`${path}.name`, name, error));
  if (name !== '' && names.has(name)) errors.push(fieldDuplicate(`${path}.name`, name));
  names.add(name);
  const image = ownText(container, 'image');
  if (image === '') errors.push(fieldRequired(`${path}.image`));
  else if (image !== image.trim()) errors.push(fieldInvalid(`${path}.image`, image, 'must not have leading or trailing whitespace'));
  for (const [i, port] of maps(container, 'ports').entries()) {
    const number = ownValue(port, 'containerPort') ?? 0;
    const place = `${path}.ports[${i}].containerPort`;
    if (number === 0) errors.push(fieldRequired(place));
    else if (!isPort(number)) errors.push(fieldInvalid(place, number, 'must be between 1 and 65535, inclusive'));
    errors.push(...choice(port, 'protocol', `${path}.ports[${i}]`, ['SCTP', 'TCP', 'UDP']));
  }
  for (const [i, variable] of maps(container, 'env').entries()) {
    if (ownText(variable, 'name') === '') errors.push(fieldRequired(`${path}.env[${i}].name`));
  }
  for (const [i, mount] of maps(container, 'volumeMounts').entries()) {
    const volume = ownText(mount, 'name');
    const place = `${path}.volumeMounts[${i}]`;
    if (volume === '') errors.push(fieldRequired(`${place}.name`));
    else if (!volumes.has(volume)) errors.push(fieldNotFound(`${place}.name`, volume));
    if (ownText(mount, 'mountPath') === '') errors.push(fieldRequired(`${place}.mountPath`));
  }
  errors.push(...requestErrors(container, path));
  errors.push(...choice(container, 'imagePullPolicy', path, ['Always', 'IfNotPresent', 'Never']));
  return errors;
}

/** Nobody may ask for more than they may have. */
function requestErrors(container: JsonObject, path: string): readonly FieldError[] {
  const resources = ownValue(container, 'resources');
  const requests = isJsonObject(resources) ? resources['requests'] : undefined;
  const limits = isJsonObject(resources) ? resources['limits'] : undefined;
  if (!isJsonObject(requests) || !isJsonObject(limits)) return [];
  const amount = (value: Json): Quantity => quantityOf(typeof value === 'number' ? value : String(value));
  return Object.keys(requests)
    .filter((name) => Object.hasOwn(limits, name) && compareQuantities(amount(requests[name] as Json), amount(limits[name] as Json)) > 0)
    .map((name) =>
      fieldInvalid(`${path}.resources.requests`, requests[name], `must be less than or equal to ${name} limit of ${String(limits[name])}`),
    );
}

export function isPort(value: Json): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 65535;
}

/** A text that must be one of a few. */
function choice(object: JsonObject, field: string, path: string, supported: readonly string[]): readonly FieldError[] {
  const value = ownText(object, field);
  return value === '' || supported.includes(value) ? [] : [fieldNotSupported(`${path}.${field}`, value, supported)];
}
