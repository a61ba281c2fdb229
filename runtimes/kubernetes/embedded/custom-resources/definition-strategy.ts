import { isJsonObject, type Json, type JsonObject, ownValue, setOwn } from '../../../../engine/object/json.ts';
import { someSchema } from '../../../../engine/object/structural-schema/check-openapi.ts';
import { formatTest } from '../../../../engine/object/structural-schema/formats.ts';
import { setCondition } from '../control-loop/condition.ts';
import type { Strategy, StrategyContext } from '../kinds/definition.ts';
import { dnsSubdomainErrors } from '../kinds/names.ts';
import { fieldOf, withField } from '../verbs/object-fields.ts';
import { readDefinition } from './definition-document.ts';
import { conditionsOf } from './definition-status.ts';
import { textOf } from './fields.ts';
import { validateDefinition } from './validate-definition.ts';

/** Removed when no object of the resource is left. */
export const CLEANUP_FINALIZER = 'customresourcecleanup.apiextensions.k8s.io';

/**
 * What is special about CustomResourceDefinitions. Kubernetes: apiextensions-apiserver
 * pkg/registry/customresourcedefinition/strategy.go, pkg/apis/apiextensions/v1/defaults.go.
 */
export const customResourceDefinitionStrategy: Strategy = {
  nameErrors: dnsSubdomainErrors,
  generation: 'spec',
  unconditionalUpdate: false,
  initialStatus: 'kept',
  deletionFinalizers: [CLEANUP_FINALIZER],
  defaults: fillDefaults,
  prepareForCreate: (object) =>
    withStorageVersion(withField(object, 'status', { acceptedNames: { kind: '', plural: '' }, conditions: null })),
  validate(object, context) {
    warn(object, context);
    return validateDefinition(object, undefined);
  },
  prepareForUpdate: (object) => withStorageVersion(object),
  validateUpdate(object, old, context) {
    warn(object, context);
    return validateDefinition(object, old);
  },
  // With the status, finalizers may go as well.
  prepareForStatusUpdate: (object, old) => ({ ...object, spec: old['spec'] ?? {} }),
  markDeleted(object) {
    const conditions = setCondition(
      conditionsOf(object),
      {
        type: 'Terminating',
        status: 'True',
        reason: 'InstanceDeletionPending',
        message: 'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon',
      },
      Date.parse(textOf(object, 'metadata', 'deletionTimestamp')),
    );
    const status = ownValue(object, 'status');
    return withField(object, 'status', { ...(isJsonObject(status) ? status : {}), conditions: conditions as unknown as Json });
  },
};

function fillDefaults(object: JsonObject): JsonObject {
  const spec = ownValue(object, 'spec');
  if (!isJsonObject(spec)) return object;
  const filled: { [key: string]: Json } = { ...spec };
  const names = ownValue(spec, 'names');
  if (isJsonObject(names)) {
    const kind = textOf(names, 'kind');
    const singular = textOf(names, 'singular') || kind.toLowerCase();
    const listKind = textOf(names, 'listKind') || (kind === '' ? '' : `${kind}List`);
    setOwn(filled, 'names', { ...names, ...(singular === '' ? {} : { singular }), ...(listKind === '' ? {} : { listKind }) });
  }
  const conversion = ownValue(spec, 'conversion') ?? { strategy: 'None' };
  const service = isJsonObject(conversion) ? fieldOf(conversion, 'webhook', 'clientConfig', 'service') : undefined;
  if (isJsonObject(service) && !Object.hasOwn(service, 'port')) {
    const webhook = (conversion as JsonObject)['webhook'] as JsonObject;
    const clientConfig = { ...(webhook['clientConfig'] as JsonObject), service: { ...service, port: 443 } };
    setOwn(filled, 'conversion', { ...(conversion as JsonObject), webhook: { ...webhook, clientConfig } });
  } else setOwn(filled, 'conversion', conversion);
  return { ...object, spec: filled };
}

/** Notes that objects are stored in the storage version from now on. */
function withStorageVersion(object: JsonObject): JsonObject {
  const { storageVersion } = readDefinition(object);
  const status = ownValue(object, 'status');
  const stored = isJsonObject(status) ? ownValue(status, 'storedVersions') : undefined;
  const versions: readonly Json[] = Array.isArray(stored) ? stored : [];
  if (storageVersion === '' || versions.includes(storageVersion)) return object;
  return withField(object, 'status', { ...(isJsonObject(status) ? status : {}), storedVersions: [...versions, storageVersion] });
}

/** Not Kubernetes' words: there the webhook is called. */
const NOT_CONVERTED =
  'this server does not call conversion webhooks: objects are shown in other versions as they are stored, with another apiVersion';

function warn(object: JsonObject, context: StrategyContext): void {
  const warnings = new Set<string>();
  for (const { schema } of readDefinition(object).versions) {
    if (schema === undefined) continue;
    someSchema(schema, (each) => {
      const format = textOf(each, 'format');
      if (format !== '' && !isKnownFormat(format, textOf(each, 'type'))) warnings.add(`unrecognized format "${format}"`);
      const items = ownValue(each, 'items');
      const type = isJsonObject(items) ? textOf(items, 'type') : '';
      if (each['x-kubernetes-list-type'] === 'set' && (type === 'object' || type === 'array')) {
        warnings.add(
          `x-kubernetes-list-type: set for items of type "${type}" is not supported by server-side apply or CEL validation rules`,
        );
      }
      return false;
    });
  }
  if (textOf(object, 'spec', 'conversion', 'strategy') === 'Webhook' && readDefinition(object).versions.length > 1)
    warnings.add(NOT_CONVERTED);
  for (const warning of warnings) context.warn(warning);
}

function isKnownFormat(format: string, type: string): boolean {
  if (type === '' || type === 'string') return formatTest(format) !== undefined;
  if (type === 'integer') return format === 'int32' || format === 'int64';
  return type === 'number' && (format === 'float' || format === 'double');
}
