import type { HttpCaller } from '../../runtimes/host/http-caller.ts';

/** A service that makes databases, and knows a request it has seen by its idempotency key, as such services do. */
export interface OutsideWorld {
  readonly call: HttpCaller;
  /** Names of the databases that exist. */
  readonly databases: ReadonlySet<string>;
  /** Effects in their order: `create a`, `delete a`. A request that is repeated under its key has no second one. */
  readonly effects: readonly string[];
}

export function outsideWorld(): OutsideWorld {
  const databases = new Set<string>();
  const effects: string[] = [];
  const answers = new Map<string, { readonly status: number; readonly body: unknown }>();
  const perform = (method: string, url: URL, body: unknown): { readonly status: number; readonly body: unknown } => {
    if (method === 'POST') {
      const { name } = body as { readonly name: string };
      databases.add(name);
      effects.push(`create ${name}`);
      return { status: 201, body: { id: name } };
    }
    const name = url.pathname.split('/').at(-1)!;
    if (method === 'DELETE') {
      if (!databases.delete(name)) return { status: 404, body: {} };
      effects.push(`delete ${name}`);
      return { status: 200, body: {} };
    }
    return { status: 405, body: {} };
  };
  return {
    databases,
    effects,
    async call(request, key = '') {
      const known = answers.get(key);
      if (known !== undefined) return known;
      const answer = perform(request.method, new URL(request.url), request.body);
      answers.set(key, answer);
      return answer;
    },
  };
}
