import { ConnectionError } from '../../runtimes/kubernetes/api-error.ts';
import type { KubernetesClient, ResourceClient, WatchEvent, WatchOptions, WriteOptions } from '../../runtimes/kubernetes/client.ts';

/** When a client dies. */
export interface Death {
  /** The write after which nothing is reached any more, counted from 1. */
  readonly afterWrite: number;
  /** Whether the answer to that write still arrives. The server has performed it in any case. */
  readonly answered: boolean;
}

/** A client that stands for a process: it dies between two writes, as a process does. */
export interface MortalClient extends KubernetesClient {
  /** Writes that the server performed, whatever it answered. */
  readonly writes: number;
  /** The writes in words, for a person who looks for what went wrong. */
  readonly story: readonly string[];
  readonly dead: boolean;
  /** Resolves when it dies. */
  readonly death: Promise<void>;
}

/** `death` undefined: it lives. */
export function mortalClient(client: KubernetesClient, death: Death | undefined): MortalClient {
  const end = new AbortController();
  const story: string[] = [];
  let die = (): void => {};
  const died = new Promise<void>((resolve) => {
    die = resolve;
  });

  function perish(): never {
    throw new ConnectionError('the process has died', 'ECONNRESET');
  }

  const alive = async <T>(act: () => Promise<T>): Promise<T> => {
    if (end.signal.aborted) perish();
    const result = await act();
    // What arrives after death is seen by nobody.
    if (end.signal.aborted) perish();
    return result;
  };

  async function write<T>(what: string, options: WriteOptions | undefined, act: () => Promise<T>): Promise<T> {
    if (options?.dryRun === true) return alive(act);
    if (end.signal.aborted) perish();
    story.push(what);
    const isLast = death !== undefined && story.length === death.afterWrite;
    // Others that run at the same time end with it: nothing is sent any more from here on.
    if (isLast) {
      end.abort();
      queueMicrotask(die);
    }
    const outcome = await act().then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    );
    if (isLast ? !death.answered : end.signal.aborted) perish();
    if ('error' in outcome) throw outcome.error;
    return outcome.value;
  }

  async function* watch(resource: ResourceClient, options: WatchOptions = {}): AsyncGenerator<WatchEvent> {
    if (end.signal.aborted) perish();
    const signal = options.signal === undefined ? end.signal : AbortSignal.any([options.signal, end.signal]);
    for await (const event of resource.watch({ ...options, signal })) {
      if (end.signal.aborted) perish();
      yield event;
    }
  }

  function mortal(resource: ResourceClient): ResourceClient {
    const { type } = resource;
    const name = (of: { readonly namespace?: string | undefined; readonly name: string }): string =>
      `${type.resource} ${of.namespace ?? ''}/${of.name}`;
    const named = (object: { readonly [key: string]: unknown }): string => name(object['metadata'] as { readonly name: string });
    return {
      type,
      get: (...args) => alive(() => resource.get(...args)),
      list: (...args) => alive(() => resource.list(...args)),
      watch: (options) => watch(resource, options),
      create: (object, options) => write(`create ${named(object)}`, options, () => resource.create(object, options)),
      update: (object, options) => write(`update ${named(object)}`, options, () => resource.update(object, options)),
      patch: (of, patch, body, options) => write(`patch ${name(of)}`, options, () => resource.patch(of, patch, body, options)),
      apply: (object, options) => {
        const what = options.subresource === undefined ? named(object) : `${named(object)} ${options.subresource}`;
        return write(`apply ${what}`, options, () => resource.apply(object, options));
      },
      delete: (of, options) =>
        write(`delete ${name(of)}`, options?.dryRun === true ? { dryRun: true } : undefined, () => resource.delete(of, options)),
      deleteCollection: (options) => write(`delete all ${type.resource}`, undefined, () => resource.deleteCollection(options)),
      post: (of, subresource, body, options) =>
        write(`post ${name(of)}/${subresource}`, options, () => resource.post(of, subresource, body, options)),
    };
  }

  const { discovery } = client;
  return {
    server: client.server,
    discovery: {
      resourceOf: (...args) => alive(() => discovery.resourceOf(...args)),
      all: (...args) => alive(() => discovery.all(...args)),
      known: (...args) => discovery.known(...args),
      invalidate: (...args) => discovery.invalidate(...args),
    },
    // Only questions are asked this way, reviews of access among them.
    request: (asked) => alive(() => client.request(asked)),
    resource: (type) => mortal(client.resource(type)),
    close: () => client.close(),
    get writes() {
      return story.length;
    },
    story,
    get dead() {
      return end.signal.aborted;
    },
    death: died,
  };
}
