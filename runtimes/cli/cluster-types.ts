import { typesWith } from '../../engine/bundle/compile.ts';
import type { TypeTableData } from '../../engine/object/compact-schema.ts';
import { layerTypes, parseApiVersion, type TypeTable } from '../../engine/object/type-table.ts';

/** The types of a cluster over the built-in ones, which know more: what the requests of their subresources hold. */
export function overBuiltInTypes(cluster: TypeTableData): TypeTable {
  const builtIn = typesWith([]);
  const resources = Object.entries(cluster.resources).map(([apiVersion, list]) => {
    const { group, version } = parseApiVersion(apiVersion);
    const further = Object.entries(list).filter(([resource]) => builtIn.resource(group, version, resource) === undefined);
    return [apiVersion, Object.fromEntries(further)] as const;
  });
  return layerTypes({ ...cluster, resources: Object.fromEntries(resources) }, builtIn);
}
