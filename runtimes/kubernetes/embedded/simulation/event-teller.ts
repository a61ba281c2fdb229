import { formatTime } from '../../../../engine/object/time.ts';
import type { ClusterView } from '../control-loop/cluster-view.ts';
import type { Controller } from '../control-loop/control-loop.ts';
import { kind, servedKind, typed, untyped } from '../control-loop/kind.ts';
import { reasonOf } from '../control-loop/write.ts';
import type { Registry } from '../registry.ts';
import { type Occurrence, occurrencesOf, TOLD_OF } from './occurrences.ts';

const EVENTS = kind('', 'v1', 'events', 'Event');
/** Events that may wait to be written; more are not told. Kubernetes: client-go tools/events. */
const LONGEST_QUEUE = 1000;

interface Waiting {
  readonly occurrence: Occurrence;
  readonly namespace: string;
}

/** Writes down as Events what `kubectl describe` and `kubectl events` show of workloads and their pods. */
export function eventTeller(registry: Registry, view: ClusterView): Controller {
  const waiting = new Map<string, Waiting>();
  return {
    name: 'events',
    watches: TOLD_OF,
    // What is only told must not hold up what is done.
    workers: 1,
    *initial() {},
    *keys(event) {
      const { namespace = '' } = typed(event.object).metadata;
      for (const [index, occurrence] of occurrencesOf(event).entries()) {
        if (waiting.size >= LONGEST_QUEUE) return;
        // A version is given once, and so is the name that is made of it.
        const suffix = `${Number(event.resourceVersion).toString(16).padStart(12, '0')}${index.toString(16).padStart(4, '0')}`;
        const name = `${occurrence.involved.name}.${suffix}`;
        waiting.set(name, { occurrence, namespace });
        yield name;
      }
    },
    async sync(name) {
      const found = waiting.get(name);
      waiting.delete(name);
      const resource = servedKind(registry, EVENTS);
      if (found === undefined || resource === undefined) return undefined;
      try {
        await registry.create(resource, untyped(eventOf(name, found, view.now())), { fieldManager: found.occurrence.component });
      } catch (error) {
        // The namespace goes, and with it everybody who would read this.
        if (reasonOf(error) !== 'Forbidden' && reasonOf(error) !== 'NotFound' && reasonOf(error) !== 'AlreadyExists') throw error;
      }
      return undefined;
    },
  };
}

function eventOf(name: string, { occurrence, namespace }: Waiting, now: number): object {
  const { involved, type, reason, message, component, host } = occurrence;
  const { apiVersion, kind: involvedKind, name: involvedName, uid, fieldPath } = involved;
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name, namespace },
    involvedObject: {
      apiVersion,
      kind: involvedKind,
      namespace,
      name: involvedName,
      uid,
      ...(fieldPath === undefined ? {} : { fieldPath }),
    },
    type,
    reason,
    message,
    source: { component, ...(host === undefined ? {} : { host }) },
    reportingComponent: component,
    firstTimestamp: formatTime(now),
    lastTimestamp: formatTime(now),
    count: 1,
  };
}
