import type { NewObject } from '../control-loop/write.ts';
import type { PodTemplate } from './kinds.ts';

/** What a pod takes over from the metadata of its template: not a name. Kubernetes: pkg/controller/controller_utils.go GetPodFromTemplate. */
export function templateMetadata({ metadata = {} }: PodTemplate): NewObject['metadata'] {
  const { labels, annotations, finalizers } = metadata;
  return {
    ...(labels === undefined ? {} : { labels }),
    ...(annotations === undefined ? {} : { annotations }),
    ...(finalizers === undefined ? {} : { finalizers }),
  };
}
