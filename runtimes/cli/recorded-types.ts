import { resolve } from 'node:path';
import { customResourceTypes, layerTypes, type TypeTable } from '../../engine/object/type-table.ts';
import { readRecording } from '../host/recording.ts';
import { readRecordedDiscovery, readRecordedOpenApi } from '../host/recording-folder.ts';
import type { ResourceType } from '../kubernetes/client.ts';
import { documentedTypes } from '../kubernetes/cluster-types.ts';
import { overBuiltInTypes } from './cluster-types.ts';
import type { CommandContext } from './context.ts';
import { cueBackend } from './load-bundle.ts';

/** The types of the cluster that a recording was made of: what it served, and the definitions among the objects. Throws `FileError`. */
export async function recordedTypes(path: string, context: CommandContext): Promise<TypeTable> {
  const folder = resolve(context.cwd, path);
  const { objects } = await readRecording([path], { cwd: context.cwd, stdin: context.readStdin, cue: cueBackend });
  const definitions = objects.map(({ object }) => object).filter((object) => object['kind'] === 'CustomResourceDefinition');
  const served = documentedTypes(readRecordedOpenApi(folder), readRecordedDiscovery(folder) as readonly ResourceType[]);
  return layerTypes(customResourceTypes(definitions), overBuiltInTypes(served));
}
