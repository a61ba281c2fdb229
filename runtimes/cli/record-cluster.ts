import type { BundleProgram } from '../../engine/bundle/bundle.ts';
import { isJsonObject, type JsonObject } from '../../engine/object/json.ts';
import { maskSecret } from '../../engine/object/secret-mask.ts';
import { formatApiVersion } from '../../engine/object/type-table.ts';
import type { RecordingContent } from '../host/recording-folder.ts';
import type { KubernetesClient, ResourceType } from '../kubernetes/client.ts';
import { UsageError } from './command.ts';
import { resourceText } from './resource-argument.ts';

export interface RecordOptions {
  readonly types: readonly ResourceType[];
  /** Only this one; all when absent. Objects without a namespace are recorded all the same. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  /** Keeps the values of Secrets. */
  readonly secrets: boolean;
  readonly managedFields: boolean;
  /** Objects in all. */
  readonly limit: number;
  /** ISO 8601. */
  readonly now: string;
}

/** A recording, and what could not be had for it. */
export interface Recorded extends RecordingContent {
  /** Resources that may not be listed, each with the server's reason. */
  readonly missing: readonly { readonly resource: string; readonly reason: string }[];
}

const DEFINITIONS = 'apiextensions.k8s.io/v1';
/** OpenAPI documents in one recording. */
const MAX_DOCUMENTS = 200;

/**
 * Reads objects of a cluster, the definitions of those that are custom resources, and what the server says of their kinds. Rejects
 * where there are more objects than the limit; a resource that may not be listed is told and left out.
 */
export async function recordCluster(client: KubernetesClient, options: RecordOptions): Promise<Recorded> {
  const { limit } = options;
  const objects: JsonObject[] = [];
  const missing: { resource: string; reason: string }[] = [];
  const version = await client.request({ path: '/version' });
  const discovery = await client.discovery.all();
  const definitions = await client.discovery.resourceOf(DEFINITIONS, 'CustomResourceDefinition');
  const implied = definitions !== null && !options.types.some((type) => sameResource(type, definitions)) ? definitions : undefined;
  for (const type of [...(implied === undefined ? [] : [implied]), ...options.types]) {
    let seen = 0;
    const project = (object: JsonObject): JsonObject => {
      // Counted as they come, so that a cluster of any size is left alone soon.
      if (type !== implied && objects.length + ++seen > limit) throw tooMany(limit, type);
      return recordable(object, options);
    };
    try {
      const { items } = await client.resource(type).list({
        namespace: type.namespaced ? options.namespace : undefined,
        labelSelector: type === implied || isNamespace(type) ? undefined : options.labelSelector,
        project,
      });
      if (type === implied) objects.push(...items.filter((item) => defines(item, options.types)));
      else if (isNamespace(type) && options.namespace !== undefined)
        objects.push(...items.filter((item) => nameOf(item) === options.namespace));
      else objects.push(...items);
    } catch (error) {
      if (error instanceof UsageError || !isRefusal(error)) throw error;
      missing.push({ resource: resourceText(type), reason: error.message });
    }
  }
  const kubernetes = (version.body as { readonly gitVersion?: unknown } | null)?.gitVersion;
  return {
    info: { kubernetes: typeof kubernetes === 'string' ? kubernetes : '', recordedAt: options.now, secretsMasked: !options.secrets },
    objects,
    discovery,
    openApi: await openApiOf(client, new Set(options.types.map(({ group, version }) => formatApiVersion(group, version)))),
    missing,
  };
}

/**
 * What rules read and write, by the resources that are served: instances, children, looked-up objects, what admission rules concern
 * (unless that is everything), and namespaces.
 */
export async function resourcesOfRules(program: BundleProgram, { discovery }: KubernetesClient): Promise<readonly ResourceType[]> {
  const wanted = new Map<string, ResourceType>();
  const add = (type: ResourceType | null): void => {
    if (type !== null) wanted.set(`${type.group}/${type.resource}`, type);
  };
  add(await discovery.resourceOf('v1', 'Namespace'));
  for (const { instance, touches } of program.reconcile.rules) {
    for (const { apiVersion, kind } of [instance, ...touches]) add(await discovery.resourceOf(apiVersion, kind));
  }
  for (const { reads } of program.network.rules) {
    for (const { apiVersion, kind } of reads) add(await discovery.resourceOf(apiVersion, kind));
  }
  const served = await discovery.all();
  for (const { resourceRules } of program.admission.reach ?? []) {
    for (const rule of resourceRules) {
      for (const type of served) if (rule.apiGroups.includes(type.group) && rule.resources.includes(type.resource)) add(type);
    }
  }
  return [...wanted.values()];
}

function tooMany(limit: number, type: ResourceType): UsageError {
  return new UsageError(
    `there are more than ${limit} objects to record; the last that were read are ${resourceText(type)}`,
    'narrow it with --namespace, --selector or --resource, or raise --limit',
  );
}

const sameResource = (a: ResourceType, b: ResourceType): boolean => a.group === b.group && a.resource === b.resource;

function defines(definition: JsonObject, types: readonly ResourceType[]): boolean {
  const spec = isJsonObject(definition['spec']) ? definition['spec'] : {};
  const names = isJsonObject(spec['names']) ? spec['names'] : {};
  return types.some((type) => type.group === spec['group'] && type.resource === names['plural']);
}

function recordable(object: JsonObject, { secrets, managedFields }: RecordOptions): JsonObject {
  const shown = secrets ? object : maskSecret(object);
  const { metadata } = shown;
  if (managedFields || !isJsonObject(metadata) || !Object.hasOwn(metadata, 'managedFields')) return shown;
  const { managedFields: _, ...rest } = metadata;
  return { ...shown, metadata: rest };
}

async function openApiOf(client: KubernetesClient, groupVersions: ReadonlySet<string>): Promise<ReadonlyMap<string, unknown>> {
  const documents = new Map<string, unknown>();
  for (const groupVersion of [...groupVersions].sort().slice(0, MAX_DOCUMENTS)) {
    try {
      const { body } = await client.request({ path: `/openapi/v3/${groupVersion.includes('/') ? 'apis' : 'api'}/${groupVersion}` });
      documents.set(groupVersion, body);
    } catch (error) {
      // A group without a published schema is one whose kinds are not checked; the objects are of use without.
      if (!isRefusal(error)) throw error;
    }
  }
  return documents;
}

const isNamespace = ({ group, resource }: ResourceType): boolean => group === '' && resource === 'namespaces';

function nameOf(object: JsonObject): unknown {
  return isJsonObject(object['metadata']) ? object['metadata']['name'] : undefined;
}

/** The server was reached and said no: not found, not allowed, not supported. */
function isRefusal(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  const status = (error as { readonly status?: unknown }).status;
  return typeof status === 'number' && status >= 400 && status < 500 && status !== 401 && status !== 429;
}
