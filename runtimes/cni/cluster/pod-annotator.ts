import { type Clock, pause, systemClock, waitAtMost } from '../../host/clock.ts';
import { errorMessage } from '../../host/error-message.ts';
import { type Log, silentLog } from '../../host/log.ts';
import { ApiError } from '../../kubernetes/api-error.ts';
import type { KubernetesClient, ResourceClient } from '../../kubernetes/client.ts';
import { type AnnotationDebts, NO_DEBTS, type OwedAnnotations } from './owed-annotations.ts';

/** A pod as the runtime names it. `uid` is `` where nobody said it: then whoever has the name is meant. */
export interface PodIdentity {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** Writes annotations of pods, without which their attachments are whole all the same. */
export interface PodAnnotator {
  /**
   * Annotates the pod of an attachment. Resolves when that is done or can't be done, or after a while, when it is tried on in the background
   * until {@link forget} is called. Never rejects.
   */
  annotate(attachment: string, pod: PodIdentity, annotations: Readonly<Record<string, string>>): Promise<void>;
  /** Gives up on what an attachment still waits for: it is gone. */
  forget(attachment: string): void;
  /** Tries on what an earlier daemon owed to pods that are attached. */
  resume(isAttached: (attachment: string) => boolean): void;
  close(): void;
}

/** Where there is no cluster, there are no pods to annotate. */
export const NO_PODS: PodAnnotator = { annotate: () => Promise.resolve(), forget() {}, resume() {}, close() {} };

export interface PodAnnotatorOptions {
  readonly client: KubernetesClient;
  readonly clock?: Clock;
  readonly log?: Log;
  /** Where it is kept what could not be written yet. Default: nowhere. */
  readonly debts?: AnnotationDebts;
  /** Milliseconds that an attachment waits for its annotations. Default: 2000. */
  readonly patience?: number;
}

const PATIENCE = 2_000;
/** Milliseconds between attempts: each pause is twice the one before. */
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 60_000;
/** Attachments whose annotations are tried on; the oldest is given up for one more. */
const MAX_WAITING = 4096;

/** Annotates pods of a cluster by their subresource `status`, which lets nobody change what a pod runs. */
export function createPodAnnotator({
  client,
  clock = systemClock,
  log = silentLog,
  debts = NO_DEBTS,
  patience = PATIENCE,
}: PodAnnotatorOptions): PodAnnotator {
  /** What ends the attempts for an attachment, in the order in which they began. */
  const waiting = new Map<string, AbortController>();

  async function pods(): Promise<ResourceClient> {
    const type = await client.discovery.resourceOf('v1', 'Pod');
    if (type === null) throw new Error('the API server has no pods');
    return client.resource(type);
  }

  async function write(
    { namespace, name, uid }: PodIdentity,
    annotations: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<void> {
    // The server refuses it for a pod of the same name that is another.
    const metadata = { annotations, ...(uid === '' ? {} : { uid }) };
    await (await pods()).patch({ namespace, name }, 'merge', { metadata }, { subresource: 'status', signal });
  }

  /** Ends when it is written, has no sense any more, or is given up. */
  async function persist({ pod, annotations }: OwedAnnotations, signal: AbortSignal): Promise<void> {
    const about = { namespace: pod.namespace, pod: pod.name };
    for (let wait = FIRST_PAUSE; !signal.aborted; wait = Math.min(wait * 2, LONGEST_PAUSE)) {
      try {
        await write(pod, annotations, signal);
        if (wait > FIRST_PAUSE) log('info', 'annotated a pod at last', about);
        return;
      } catch (error) {
        if (signal.aborted) return;
        const reason = errorMessage(error);
        if (isFinal(error)) {
          log('warn', 'a pod cannot be annotated', { ...about, reason });
          return;
        }
        if (wait === FIRST_PAUSE) log('warn', 'a pod could not be annotated yet', { ...about, reason });
      }
      await pause(clock, wait, signal);
    }
  }

  function end(attachment: string): void {
    waiting.get(attachment)?.abort();
    waiting.delete(attachment);
  }

  function forget(attachment: string): void {
    end(attachment);
    debts.drop(attachment);
  }

  /** Begins to try. Resolves when there is nothing more to be done. */
  async function begin(owed: OwedAnnotations): Promise<void> {
    const { attachment } = owed;
    end(attachment);
    for (const oldest of waiting.keys()) {
      if (waiting.size < MAX_WAITING) break;
      forget(oldest);
    }
    const attempts = new AbortController();
    waiting.set(attachment, attempts);
    await persist(owed, attempts.signal);
    // Else it was given up, or is another daemon's to do.
    if (waiting.get(attachment) === attempts) forget(attachment);
  }

  return {
    async annotate(attachment, pod, annotations) {
      const owed = { attachment, pod, annotations };
      debts.drop(attachment);
      await waitAtMost(clock, patience, begin(owed));
      if (waiting.has(attachment)) debts.keep(owed);
    },
    forget,
    resume(isAttached) {
      for (const owed of debts.all()) {
        if (isAttached(owed.attachment)) void begin(owed);
        else debts.drop(owed.attachment);
      }
    },
    close() {
      for (const attachment of [...waiting.keys()]) end(attachment);
    },
  };
}

/** Whether the same would be refused again: there is no such pod, it is another, or nobody may. Too many requests and timeouts pass. */
function isFinal(error: unknown): boolean {
  return error instanceof ApiError && error.status >= 400 && error.status < 500 && ![401, 408, 429].includes(error.status);
}
