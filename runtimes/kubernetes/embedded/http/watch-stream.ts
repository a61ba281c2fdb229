import type { ServerResponse } from 'node:http';
import type { JsonObject } from '../../../../engine/object/json.ts';
import { metadataOf } from '../../../../engine/object/metadata.ts';
import { formatApiVersion } from '../../../../engine/object/type-table.ts';
import type { Timer } from '../../../host/clock.ts';
import { stringifyJson } from '../../../host/json-body.ts';
import type { ServerState } from '../server-state.ts';
import type { Notice, WatchRequest, WatchSink } from '../verbs/watch.ts';
import { watchObjects } from '../verbs/watch.ts';
import { objectText } from './encode.ts';
import { partialMetadata, tableOf, type View } from './transform.ts';

/** Bytes that a client may leave unread before its watch is ended: it would never catch up, and others share the memory. */
const MAX_UNREAD = 32 * 1024 * 1024;
const BOOKMARK_INTERVAL = 60_000;
/** A last bookmark shortly before the end lets the client go on from there. */
const BOOKMARK_BEFORE_END = 2_000;

/** Lines of the newest event of each server, by form: all watchers are told of it before the next one comes. */
const newest = new WeakMap<ServerState, { readonly object: JsonObject; readonly lines: Map<string, string> }>();

export interface StreamOptions {
  readonly response: ServerResponse;
  readonly view: View;
  readonly request: WatchRequest;
  /** Milliseconds until the server ends the stream. */
  readonly timeout: number;
}

/** Answers a watch: one JSON line per event, until the client or the time ends it. Throws where the watch can't begin. */
export function streamWatch(state: ServerState, { response, view, request, timeout }: StreamOptions): void {
  const { clock } = state;
  const begun: string[] = [];
  let stop = (): void => {};
  let ended = false;
  let isFirst = true;
  const timers = new Set<Timer>();

  const end = (): void => {
    if (ended) return;
    ended = true;
    stop();
    for (const timer of timers) timer.cancel();
  };
  let live = false;
  const write = (line: string): void => {
    if (ended) return;
    if (!live) {
      begun.push(line);
      return;
    }
    response.write(line);
    if (response.writableLength > MAX_UNREAD) {
      state.log('warn', 'a watch was ended: its client does not read', { resource: view.definition.resource });
      end();
      response.destroy();
    }
  };
  const sink: WatchSink = {
    notice(notice) {
      write(eventLine(state, view, notice, isFirst));
      isFirst = false;
    },
    bookmark(revision, initialEnd) {
      write(bookmarkLine(view, revision, initialEnd, isFirst));
      isFirst = false;
    },
  };

  const stopNotices = watchObjects(state, view.definition, request, sink);
  const finish = (): void => {
    end();
    response.end();
  };
  // Of a custom resource that goes or becomes another: whoever watches begins again, and learns what has become of it.
  const stopLooking = state.catalog.subscribe(() => {
    const { group, version, resource, strategy } = view.definition;
    if (state.catalog.find(group, version, resource)?.strategy !== strategy) finish();
  });
  stop = (): void => {
    stopNotices();
    stopLooking();
  };
  live = true;
  response.on('close', end);
  response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-cache, private' });
  response.flushHeaders();
  if (begun.length > 0) write(begun.join(''));

  const later = (milliseconds: number, action: () => void): void => {
    const timer = clock.after(milliseconds, () => {
      timers.delete(timer);
      action();
    });
    timers.add(timer);
  };
  later(timeout, finish);
  if (!request.allowBookmarks) return;
  const remind = (): void => {
    sink.bookmark(state.store.revision, false);
    later(BOOKMARK_INTERVAL, remind);
  };
  later(BOOKMARK_INTERVAL, remind);
  if (timeout > BOOKMARK_BEFORE_END) later(timeout - BOOKMARK_BEFORE_END, () => sink.bookmark(state.store.revision, false));
}

function eventLine(state: ServerState, view: View, { type, object }: Notice, isFirst: boolean): string {
  const { representation, includeObject } = view;
  const form = `${type}|${representation.as}|${representation.as === 'table' ? `${includeObject}|${isFirst}|${representation.version}` : ''}`;
  let known = newest.get(state);
  if (known?.object !== object) {
    known = { object, lines: new Map() };
    newest.set(state, known);
  }
  // Ages in tables change with time; everything else is the object.
  const kept = representation.as === 'table' ? undefined : known.lines.get(form);
  if (kept !== undefined) return kept;
  let text: string;
  switch (representation.as) {
    case 'object':
      text = objectText(object);
      break;
    case 'partial':
      text = stringifyJson(partialMetadata(object));
      break;
    case 'table': {
      const metadata = { resourceVersion: metadataOf(object)['resourceVersion'] ?? '' };
      text = stringifyJson(tableOf(view, [object], metadata, isFirst));
      break;
    }
  }
  const line = `{"type":"${type}","object":${text}}\n`;
  if (representation.as !== 'table') known.lines.set(form, line);
  return line;
}

const INITIAL_END: JsonObject = { 'k8s.io/initial-events-end': 'true' };

function bookmarkLine(view: View, revision: number, initialEnd: boolean, isFirst: boolean): string {
  const { definition, representation } = view;
  const metadata = { resourceVersion: String(revision), ...(initialEnd ? { annotations: INITIAL_END } : {}) };
  const apiVersion = formatApiVersion(definition.group, definition.version);
  const bookmark: JsonObject = { kind: definition.kind, apiVersion, metadata };
  const object =
    representation.as === 'partial'
      ? partialMetadata(bookmark)
      : representation.as === 'table'
        ? tableOf(view, [], { resourceVersion: String(revision) }, isFirst)
        : bookmark;
  return `{"type":"BOOKMARK","object":${stringifyJson(object)}}\n`;
}
