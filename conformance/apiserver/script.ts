import { setTimeout as delay } from 'node:timers/promises';
import { isJsonObject, type Json, jsonEqual } from '../../engine/object/json.ts';
import type { Impersonation } from '../../runtimes/kubernetes/connection.ts';
import type { ApiClient, ApiRequest, ApiResponse } from '../cluster/client.ts';
import type { Condition, ContractCase, Step, WatchPlan } from './case.ts';
import { normalise, type Symbols } from './normalise.ts';

/** What one server said to one step, without what differs from run to run. */
export interface Answer {
  readonly call: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly warnings: readonly string[];
  readonly body: Json;
  /** Why it is not comparable: a condition that never held, events that never came. */
  readonly failure?: string;
}

const POLL_MS = 50;
const EVENTS_DEADLINE_MS = 10_000;
/** How long a watch is listened to for events too many. */
const SUPERFLUOUS_MS = 100;
const HEADERS = ['content-type', 'cache-control', 'location', 'retry-after', 'allow', 'etag'];

/**
 * Runs a case on a server whose namespace for it exists, and answers what was said to the steps that are compared. Conditions have
 * `patienceMs` to come true.
 */
export async function runScript(
  client: ApiClient,
  contractCase: ContractCase,
  namespace: string,
  patienceMs: number,
): Promise<readonly Answer[]> {
  const script = new Script(client, namespace, patienceMs);
  for (const step of contractCase.steps) {
    await script.run(step);
    // What follows a preparation that failed says nothing.
    if (script.isBroken) break;
  }
  return script.answers;
}

class Script {
  readonly answers: Answer[] = [];
  isBroken = false;
  readonly #client: ApiClient;
  readonly #patienceMs: number;
  readonly #variables: Map<string, string>;
  readonly #symbols: Symbols = { names: new Map() };

  constructor(client: ApiClient, namespace: string, patienceMs: number) {
    this.#client = client;
    this.#patienceMs = patienceMs;
    this.#variables = new Map([['ns', namespace]]);
  }

  async run(step: Step): Promise<void> {
    if (step.watch !== undefined) return this.#watch(step, step.watch);
    const request = this.#request(step);
    const deadline = Date.now() + this.#patienceMs;
    let response = await this.#client.request(request);
    while (step.until !== undefined && !holds(step.until, response) && Date.now() < deadline) {
      await delay(POLL_MS);
      response = await this.#client.request(request);
    }
    const failure = step.until !== undefined && !holds(step.until, response) ? `never came to ${JSON.stringify(step.until)}` : undefined;
    for (const [name, pointer] of Object.entries(step.keep ?? {})) {
      const value = valueAt(response.body as Json, pointer);
      if (typeof value === 'string') this.#variables.set(name, value);
    }
    this.#record(step, response, failure);
  }

  #record(step: Step, response: ApiResponse, failure: string | undefined): void {
    this.isBroken ||= step.compare === 'nothing' && (failure !== undefined || response.status > 299);
    if (failure === undefined && step.compare === 'nothing') {
      if (response.status > 299) this.#push(step, response, `preparation failed with ${response.status}: ${JSON.stringify(response.body)}`);
      return;
    }
    this.#push(step, response, failure);
  }

  #push(step: Step, response: ApiResponse, failure: string | undefined): void {
    // Some documents are JSON under another type.
    const whole = typeof response.body === 'string' && response.body.startsWith('{') ? parse(response.body) : (response.body as Json);
    const body = step.compare === 'status' ? null : picked(step, whole);
    const headers = step.compare === 'status' ? [] : HEADERS.filter((name) => response.headers[name] !== undefined);
    this.answers.push({
      call: step.call,
      status: response.status,
      headers: Object.fromEntries(headers.map((name) => [name, name === 'etag' ? '<etag>' : response.headers[name]!])),
      warnings: response.warnings,
      body: normalise(body ?? null, this.#symbols),
      ...(failure === undefined ? {} : { failure }),
    });
  }

  async #watch(step: Step, plan: WatchPlan): Promise<void> {
    const stream = await this.#client.stream(this.#request(step));
    const lines = stream.lines[Symbol.asyncIterator]();
    const events: Json[] = [];
    const collect = (async () => {
      while (plan.until === 'closed' || events.length < plan.until) {
        const next = await lines.next();
        if (next.done) return 'closed';
        events.push(parse(next.value));
      }
      return 'counted';
    })();
    collect.catch(() => {});
    for (const each of plan.during ?? []) await this.run(each);
    const stop = new AbortController();
    const late = delay(EVENTS_DEADLINE_MS, 'late' as const, { signal: stop.signal }).catch(() => 'late' as const);
    const ended = await Promise.race([collect, late]);
    stop.abort();
    if (ended === 'counted') {
      const surplus = await Promise.race([lines.next(), delay(SUPERFLUOUS_MS, undefined)]);
      // Bookmarks may come at any time.
      if (surplus !== undefined && !surplus.done && !surplus.value.includes('"BOOKMARK"')) events.push(parse(surplus.value));
    }
    stream.close();
    const seen = events.map((event) => normalise(picked(step, event), this.#symbols));
    if (plan.anyOrder) seen.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
    const missed = ended === 'late' || (ended === 'closed' && plan.until !== 'closed');
    this.answers.push({
      call: step.call,
      status: stream.status,
      headers: stream.contentType === undefined ? {} : { 'content-type': stream.contentType },
      warnings: [],
      body: seen,
      ...(missed ? { failure: `${ended === 'late' ? 'no more' : 'the server ended it'} after ${events.length} events` } : {}),
    });
  }

  #request(step: Step): ApiRequest {
    const [method, path] = this.#fill(step.call).split(/ (.*)/s) as [string, string];
    const body = step.body === undefined ? undefined : this.#fill(typeof step.body === 'string' ? step.body : JSON.stringify(step.body));
    const headers = Object.fromEntries(Object.entries(step.headers ?? {}).map(([name, value]) => [name, this.#fill(value)]));
    return {
      method,
      path,
      headers: { 'User-Agent': 'contract/1.0', ...headers },
      ...(body === undefined ? {} : { text: body }),
      ...(step.contentType === undefined ? {} : { contentType: step.contentType }),
      ...(step.accept === undefined ? {} : { accept: step.accept }),
      ...(step.as === undefined ? {} : { impersonate: JSON.parse(this.#fill(JSON.stringify(step.as))) as Impersonation }),
    };
  }

  #fill(text: string): string {
    return text.replace(/\$\((\w+)\)/g, (whole, name: string) => this.#variables.get(name) ?? whole);
  }
}

/** What the case compares of a body; all of it where it is not what the case expects, an error for example. */
function picked(step: Step, body: Json): Json {
  if (step.pick === undefined) return body;
  try {
    // Undefined members are no JSON.
    return JSON.parse(JSON.stringify(step.pick(body) ?? null)) as Json;
  } catch {
    return body;
  }
}

function parse(line: string): Json {
  try {
    return JSON.parse(line) as Json;
  } catch {
    return line;
  }
}

function holds(condition: Condition, response: ApiResponse): boolean {
  if (condition.status !== undefined && response.status !== condition.status) return false;
  if (condition.at === undefined) return true;
  const value = valueAt(response.body as Json, condition.at);
  if (condition.isAbsent) return value === undefined;
  return condition.is === undefined ? value !== undefined : value !== undefined && jsonEqual(value, condition.is);
}

/** Value of a JSON pointer, as far as a body has one. */
function valueAt(body: Json, pointer: string): Json | undefined {
  let value: Json | undefined = body;
  for (const segment of pointer.split('/').slice(1)) {
    const key = segment.replaceAll('~1', '/').replaceAll('~0', '~');
    if (Array.isArray(value)) value = value[Number(key)];
    else if (value !== undefined && isJsonObject(value)) value = Object.hasOwn(value, key) ? value[key] : undefined;
    else return undefined;
  }
  return value;
}
