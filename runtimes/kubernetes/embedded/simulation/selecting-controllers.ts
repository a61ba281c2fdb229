import type { ClusterView } from '../control-loop/cluster-view.ts';
import type { Controller } from '../control-loop/control-loop.ts';
import type { Registry } from '../registry.ts';

/** Controllers of objects that concern pods by selecting their labels. */
export function selectingControllers(_registry: Registry, _view: ClusterView): readonly Controller[] {
  return [];
}
