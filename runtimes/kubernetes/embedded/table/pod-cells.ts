import { isJsonObject, type Json, type JsonObject, ownValue } from '../../../../engine/object/json.ts';
import { conditionIs, fieldOf } from '../verbs/object-fields.ts';
import { isBeingDeleted } from '../verbs/object-metadata.ts';
import { age } from './age.ts';
import { type Cell, mapsAt, numberOf, textAt } from './cell-values.ts';

interface PodSummary {
  readonly ready: string;
  readonly status: string;
  readonly restarts: number;
  /** RFC 3339, `` where nothing was restarted. */
  readonly lastRestart: string;
}

/** What `kubectl get pods` tells of a pod. Kubernetes: pkg/printers/internalversion/printers.go printPod. */
function summarizePod(pod: JsonObject): PodSummary {
  const phase = fieldOf(pod, 'status', 'phase') ?? '';
  let status = String(fieldOf(pod, 'status', 'reason') || phase);
  if (mapsAt(pod, 'status.conditions').some((each) => each['type'] === 'PodScheduled' && each['reason'] === 'SchedulingGated'))
    status = 'SchedulingGated';
  const restartable = new Set(
    mapsAt(pod, 'spec.initContainers')
      .filter((each) => each['restartPolicy'] === 'Always')
      .map((each) => each['name']),
  );
  const init = new RestartCount();
  const sidecars = new RestartCount();
  let ready = 0;
  const initializing = ((): string | undefined => {
    for (const [i, container] of mapsAt(pod, 'status.initContainerStatuses').entries()) {
      init.add(container);
      const isSidecar = restartable.has(container['name'] as Json);
      if (isSidecar) sidecars.add(container);
      const terminated = fieldOf(container, 'state', 'terminated');
      const waiting = fieldOf(container, 'state', 'waiting', 'reason') ?? '';
      if (isJsonObject(terminated) && numberOf(terminated['exitCode']) === 0) continue;
      if (isSidecar && container['started'] === true) {
        if (container['ready'] === true) ready++;
        continue;
      }
      if (isJsonObject(terminated)) return `Init:${endOf(terminated)}`;
      if (waiting !== '' && waiting !== 'PodInitializing') return `Init:${String(waiting)}`;
      return `Init:${i}/${mapsAt(pod, 'spec.initContainers').length}`;
    }
    return undefined;
  })();
  let restarts = init;
  if (initializing !== undefined) status = initializing;
  if (initializing === undefined || conditionIs(pod, 'Initialized')) {
    restarts = sidecars;
    const main = mainContainers(pod, status, restarts);
    ready += main.ready;
    status = main.status;
  }
  if (isBeingDeleted(pod)) {
    if (fieldOf(pod, 'status', 'reason') === 'NodeLost') status = 'Unknown';
    else if (phase !== 'Succeeded' && phase !== 'Failed') status = 'Terminating';
  }
  const total = mapsAt(pod, 'spec.containers').length + restartable.size;
  return { ready: `${ready}/${total}`, status, restarts: restarts.count, lastRestart: restarts.last };
}

class RestartCount {
  count = 0;
  last = '';

  add(container: JsonObject): void {
    this.count += numberOf(container['restartCount']);
    const finished = fieldOf(container, 'lastState', 'terminated', 'finishedAt');
    if (typeof finished === 'string' && finished > this.last) this.last = finished;
  }
}

function mainContainers(pod: JsonObject, before: string, restarts: RestartCount): { readonly ready: number; readonly status: string } {
  let status = before;
  let ready = 0;
  let failure = '';
  // The first container has the last word.
  for (const container of [...mapsAt(pod, 'status.containerStatuses')].reverse()) {
    restarts.add(container);
    const waiting = fieldOf(container, 'state', 'waiting', 'reason') ?? '';
    const terminated = fieldOf(container, 'state', 'terminated');
    if (waiting !== '') status = String(waiting);
    else if (isJsonObject(terminated)) {
      status = endOf(terminated);
      if (numberOf(terminated['exitCode']) !== 0) failure = status;
    } else if (container['ready'] === true && fieldOf(container, 'state', 'running') !== undefined) ready++;
  }
  if (status === 'Completed') {
    if (ready > 0 && conditionIs(pod, 'Ready')) status = 'Running';
    else if (failure !== '') status = failure;
    else if (ready > 0) status = 'NotReady';
  }
  return { ready, status };
}

function endOf(terminated: JsonObject): string {
  const reason = ownValue(terminated, 'reason') ?? '';
  if (reason !== '') return String(reason);
  const signal = numberOf(terminated['signal']);
  return signal !== 0 ? `Signal:${signal}` : `ExitCode:${numberOf(terminated['exitCode'])}`;
}

export const POD_CELLS: { readonly [column: string]: Cell } = {
  Ready: (pod) => summarizePod(pod).ready,
  Status: (pod) => summarizePod(pod).status,
  Restarts(pod, now) {
    const { restarts, lastRestart } = summarizePod(pod);
    return restarts !== 0 && lastRestart !== '' ? `${restarts} (${age(lastRestart, now)} ago)` : String(restarts);
  },
  IP: (pod) => {
    const [first] = mapsAt(pod, 'status.podIPs');
    return String(first?.['ip'] || fieldOf(pod, 'status', 'podIP') || '<none>');
  },
  Node: textAt('spec.nodeName', '<none>'),
  'Nominated Node': textAt('status.nominatedNodeName', '<none>'),
  'Readiness Gates': (pod) => {
    const gates = mapsAt(pod, 'spec.readinessGates');
    if (gates.length === 0) return '<none>';
    return `${gates.filter((gate) => conditionIs(pod, String(gate['conditionType']))).length}/${gates.length}`;
  },
};
