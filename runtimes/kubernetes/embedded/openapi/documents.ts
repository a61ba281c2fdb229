import { createHash } from 'node:crypto';
import type { JsonObject } from '../../../../engine/object/json.ts';
import { formatApiVersion } from '../../../../engine/object/type-table.ts';
import { stringifyJson } from '../../../host/json-body.ts';
import type { ResourceCatalog } from '../catalog.ts';
import { KUBERNETES_VERSION } from '../kinds/built-in.ts';
import type { ResourceDefinition } from '../kinds/definition.ts';
import { builtInSchemas, definitionOfKind, type RefPrefix } from './built-in-schemas.ts';
import { customResourceSchemas } from './custom-resource-schemas.ts';
import { customResourceName, definitionName } from './definition-names.ts';
import { type PathSchemas, resourcePaths, toV2Paths } from './paths.ts';

/** A document as it is answered. */
export interface OpenApiDocument {
  readonly text: string;
  /** Of the text, for ETags and addresses. */
  readonly hash: string;
}

/**
 * The OpenAPI documents of a server, made when asked for and kept until what they describe changes. Kubernetes: apiserver
 * pkg/server/routes/openapi.go, kube-openapi pkg/{builder,builder3,handler3}.
 */
export class OpenApiDocuments {
  readonly #catalog: ResourceCatalog;
  readonly #v3 = new Map<string, { readonly sources: readonly ResourceDefinition[]; readonly document: OpenApiDocument }>();
  #v2: { readonly version: number; readonly document: OpenApiDocument } | undefined;
  #index: { readonly version: number; readonly document: OpenApiDocument } | undefined;

  constructor(catalog: ResourceCatalog) {
    this.#catalog = catalog;
  }

  /** The list of documents by path: `/openapi/v3`. */
  index(): OpenApiDocument {
    const { version } = this.#catalog;
    if (this.#index?.version !== version) {
      const paths: { [path: string]: JsonObject } = {};
      for (const path of this.#groups().keys()) {
        paths[path] = { serverRelativeURL: `/openapi/v3/${path}?hash=${this.groupVersion(path)?.hash}` };
      }
      this.#index = { version, document: documentOf({ paths }) };
    }
    return this.#index.document;
  }

  /** The document of a group in a version, `apis/apps/v1`; undefined where nothing of it is served. */
  groupVersion(path: string): OpenApiDocument | undefined {
    const sources = this.#groups().get(path);
    if (sources === undefined) return undefined;
    const known = this.#v3.get(path);
    if (known !== undefined && known.sources.length === sources.length && known.sources.every((each, i) => each === sources[i])) {
      return known.document;
    }
    const { schemas, paths } = describe(sources, '#/components/schemas/');
    const document = documentOf({
      openapi: '3.0.0',
      info: { title: 'Kubernetes', version: KUBERNETES_VERSION.gitVersion },
      paths,
      components: {
        schemas,
        securitySchemes: {
          BearerToken: { description: 'Bearer Token authentication', in: 'header', name: 'authorization', type: 'apiKey' },
        },
      },
    });
    this.#v3.set(path, { sources, document });
    return document;
  }

  /** Everything in one document: `/openapi/v2`. */
  v2(): OpenApiDocument {
    const { version } = this.#catalog;
    if (this.#v2?.version !== version) {
      const { schemas, paths } = describe([...this.#catalog.all()], '#/definitions/');
      const document = documentOf({
        swagger: '2.0',
        info: { title: 'Kubernetes', version: KUBERNETES_VERSION.gitVersion },
        paths: toV2Paths(paths),
        definitions: schemas,
        securityDefinitions: {
          BearerToken: { description: 'Bearer Token authentication', in: 'header', name: 'authorization', type: 'apiKey' },
        },
        security: [{ BearerToken: [] }],
      });
      this.#v2 = { version, document };
    }
    return this.#v2.document;
  }

  #groups(): ReadonlyMap<string, readonly ResourceDefinition[]> {
    const groups = new Map<string, ResourceDefinition[]>();
    for (const definition of this.#catalog.all()) {
      const { group, version } = definition;
      const path = group === '' ? `api/${version}` : `apis/${group}/${version}`;
      const known = groups.get(path);
      if (known === undefined) groups.set(path, [definition]);
      else known.push(definition);
    }
    return groups;
  }
}

function describe(
  definitions: readonly ResourceDefinition[],
  prefix: RefPrefix,
): { readonly schemas: { readonly [name: string]: JsonObject }; readonly paths: { readonly [path: string]: JsonObject } } {
  const roots = new Set([
    'meta.v1.ObjectMeta',
    'meta.v1.ListMeta',
    'meta.v1.Status',
    'meta.v1.DeleteOptions',
    'meta.v1.Patch',
    'meta.v1.WatchEvent',
  ]);
  const refTo = (name: string): JsonObject => ({ $ref: prefix + definitionName(name) });
  const schemas: PathSchemas = {
    ofKind(group, version, kind) {
      const builtIn = definitionOfKind(formatApiVersion(group, version), kind);
      if (builtIn === undefined) return { $ref: prefix + customResourceName(group, version, kind) };
      roots.add(builtIn);
      return refTo(builtIn);
    },
    status: refTo('meta.v1.Status'),
    patch: refTo('meta.v1.Patch'),
    deleteOptions: refTo('meta.v1.DeleteOptions'),
    watchEvent: refTo('meta.v1.WatchEvent'),
  };
  const paths: { [path: string]: JsonObject } = {};
  const custom: { [name: string]: JsonObject } = {};
  for (const definition of definitions) {
    Object.assign(paths, resourcePaths(definition, schemas));
    if (definition.published !== undefined) Object.assign(custom, customResourceSchemas(definition.published, prefix));
  }
  return { schemas: { ...builtInSchemas(roots, prefix), ...custom }, paths };
}

function documentOf(content: JsonObject): OpenApiDocument {
  const text = stringifyJson(content);
  return { text, hash: createHash('sha512').update(text).digest('hex').toUpperCase() };
}
