import { isJsonObject, type Json, type JsonObject, ownValue } from '../../../../../engine/object/json.ts';
import { metadataText } from '../../../../../engine/object/metadata.ts';
import { type FieldError, fieldDuplicate, fieldInvalid, fieldNotSupported, fieldRequired } from '../../field-error.ts';
import { StatusError } from '../../status-error.ts';
import { withField } from '../../verbs/object-fields.ts';
import type { Strategy, StrategyContext } from '../definition.ts';
import { dnsLabelErrors } from '../names.ts';
import { isPort } from '../pod-spec.ts';
import { FIRST_NODE_PORT, LAST_NODE_PORT, SERVICE_NETWORK } from './service-allocations.ts';

const PORT_RANGE = `${FIRST_NODE_PORT}-${LAST_NODE_PORT}`;

function specOf(object: JsonObject): JsonObject {
  const spec = ownValue(object, 'spec');
  return isJsonObject(spec) ? spec : {};
}

function portsOf(spec: JsonObject): readonly JsonObject[] {
  const ports = ownValue(spec, 'ports');
  return Array.isArray(ports) ? (ports as readonly Json[]).filter(isJsonObject) : [];
}

function wantsAddress(spec: JsonObject): boolean {
  return spec['type'] !== 'ExternalName';
}

function wantsPorts(spec: JsonObject): boolean {
  return spec['type'] === 'NodePort' || (spec['type'] === 'LoadBalancer' && spec['allocateLoadBalancerNodePorts'] !== false);
}

function exhausted(what: 'serviceIP' | 'nodePort'): never {
  throw new StatusError(500, 'InternalError', `Internal error occurred: failed to allocate a ${what}: range is full`);
}

/** The service with addresses and ports, those it has or asks for or free ones. */
function allocated(object: JsonObject, context: StrategyContext): JsonObject {
  let spec = specOf(object);
  if (!wantsAddress(spec)) return object;
  const given = spec['clusterIP'] ?? (Array.isArray(spec['clusterIPs']) ? (spec['clusterIPs'] as readonly Json[])[0] : undefined) ?? '';
  const address = given === '' ? (context.services.freeAddress() ?? exhausted('serviceIP')) : given;
  spec = {
    ...spec,
    clusterIP: address,
    clusterIPs: [address],
    ipFamilies: spec['ipFamilies'] ?? ['IPv4'],
    ipFamilyPolicy: spec['ipFamilyPolicy'] ?? 'SingleStack',
  };
  if (wantsPorts(spec)) {
    const asked = new Set(portsOf(spec).map((port) => port['nodePort']));
    const free = (): number => {
      const port = context.services.freeNodePort(asked) ?? exhausted('nodePort');
      asked.add(port);
      return port;
    };
    spec = { ...spec, ports: portsOf(spec).map((port) => (port['nodePort'] ? port : { ...port, nodePort: free() })) };
  }
  return { ...object, spec };
}

function serviceErrors(object: JsonObject, context: StrategyContext): readonly FieldError[] {
  const errors: FieldError[] = [];
  const spec = specOf(object);
  const type = spec['type'];
  if (!['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'].includes(String(type))) {
    errors.push(fieldNotSupported('spec.type', type ?? '', ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']));
  }
  const ports = portsOf(spec);
  const isHeadless = spec['clusterIP'] === 'None';
  if (ports.length === 0 && type !== 'ExternalName' && !isHeadless) errors.push(fieldRequired('spec.ports'));
  if (type === 'ExternalName' && (spec['externalName'] ?? '') === '') errors.push(fieldRequired('spec.externalName'));
  const names = new Set<Json>();
  const numbers = new Set<string>();
  const uid = metadataText(object, 'uid');
  for (const [i, port] of ports.entries()) {
    const path = `spec.ports[${i}]`;
    const name = port['name'] ?? '';
    if (name === '' && ports.length > 1) errors.push(fieldRequired(`${path}.name`));
    if (name !== '' && names.has(name)) errors.push(fieldDuplicate(`${path}.name`, name));
    names.add(name);
    const number = port['port'] ?? 0;
    if (!isPort(number)) errors.push(fieldInvalid(`${path}.port`, number, 'must be between 1 and 65535, inclusive'));
    const key = `${String(port['protocol'])}/${String(number)}`;
    if (numbers.has(key)) errors.push(fieldDuplicate(path, { protocol: port['protocol'] ?? '', port: number }));
    numbers.add(key);
    const target = port['targetPort'];
    if (typeof target === 'number' && !isPort(target))
      errors.push(fieldInvalid(`${path}.targetPort`, target, 'must be between 1 and 65535, inclusive'));
    const nodePort = port['nodePort'];
    if (typeof nodePort !== 'number' || nodePort === 0) continue;
    if (nodePort < FIRST_NODE_PORT || nodePort > LAST_NODE_PORT) {
      errors.push(
        fieldInvalid(`${path}.nodePort`, nodePort, `provided port is not in the valid range. The range of valid ports is ${PORT_RANGE}`),
      );
    } else if (context.services.hasNodePort(nodePort, uid))
      errors.push(fieldInvalid(`${path}.nodePort`, nodePort, 'provided port is already allocated'));
  }
  const address = spec['clusterIP'];
  if (typeof address === 'string' && address !== '' && address !== 'None') {
    if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(address) && !address.includes(':')) {
      errors.push(fieldInvalid('spec.clusterIPs[0]', address, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'));
    } else if (!address.startsWith(`${SERVICE_NETWORK}.`)) {
      errors.push(
        fieldInvalid(
          'spec.clusterIPs',
          [address],
          `failed to allocate IP ${address}: the provided network does not match the current range`,
        ),
      );
    } else if (context.services.hasAddress(address, uid)) {
      errors.push(fieldInvalid('spec.clusterIPs', [address], `failed to allocate IP ${address}: provided IP is already allocated`));
    }
  }
  return errors;
}

/** Kubernetes: pkg/registry/core/service/strategy.go, storage/alloc.go. */
export const serviceStrategy: Strategy = {
  nameErrors: dnsLabelErrors,
  initialStatus: { loadBalancer: {} },
  returnsDeleted: true,
  prepareForCreate: allocated,
  validate: serviceErrors,
  prepareForUpdate(object, old, context) {
    const spec = specOf(object);
    const before = specOf(old);
    if (spec['type'] === 'ExternalName' && before['type'] !== 'ExternalName') {
      return {
        ...object,
        spec: ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy'].reduce((left, field) => withField(left, field, undefined), spec),
      };
    }
    // Who leaves out what was allocated wants to keep it.
    const kept =
      (spec['clusterIP'] ?? '') === '' && wantsAddress(spec)
        ? { ...spec, ...pick(before, ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy']) }
        : spec;
    const oldPorts = portsOf(before);
    const ports = portsOf(kept).map((port) => {
      const same = oldPorts.find((other) => other['port'] === port['port'] && other['protocol'] === port['protocol']);
      if (!wantsPorts(kept))
        return wantsPorts(before) && same?.['nodePort'] === port['nodePort'] ? withField(port, 'nodePort', undefined) : port;
      return port['nodePort'] || same?.['nodePort'] === undefined ? port : { ...port, nodePort: same['nodePort'] };
    });
    return allocated({ ...object, spec: ports.length === 0 ? kept : { ...kept, ports } }, context);
  },
  validateUpdate(object, old, context) {
    const errors = [...serviceErrors(object, context)];
    const spec = specOf(object);
    const before = specOf(old);
    const was = before['clusterIP'] ?? '';
    if (wantsAddress(before) && wantsAddress(spec) && was !== '' && spec['clusterIP'] !== was) {
      errors.push(fieldInvalid('spec.clusterIPs[0]', spec['clusterIPs'] ?? [spec['clusterIP'] ?? ''], 'may not change once set'));
    }
    return errors;
  },
};

function pick(object: JsonObject, fields: readonly string[]): JsonObject {
  return Object.fromEntries(fields.filter((field) => Object.hasOwn(object, field)).map((field) => [field, object[field] as Json]));
}
