import type { JsonObject } from '../../engine/object/json.ts';
import type { Clock } from '../host/clock.ts';
import { ConnectionError } from './api-error.ts';
import type { Credential, Credentials } from './connection.ts';

/** A user of a kubeconfig whose credentials come from a program (`exec`) or an identity provider (`auth-provider`). */
export interface PluginUser {
  readonly name: string;
  /** `exec` of the kubeconfig; its command is absolute or found on PATH. */
  readonly exec?: JsonObject;
  /** `auth-provider` of the kubeconfig. */
  readonly authProvider?: JsonObject;
}

/** Milliseconds that a program or identity provider has; a login in a browser takes a person's time. */
const DEADLINE = 120_000;
/** Milliseconds before their end at which credentials are no longer used. */
const MARGIN = 10_000;

interface Plugin {
  /** Fills in `headers.Authorization`, `cert` and `key`. */
  applyAuthentication(user: never, options: { headers: Record<string, string>; cert?: string; key?: string }): Promise<void>;
}

/**
 * Credentials of an exec plugin or of OIDC, kept until they end, or until the server refuses them where they name no end. What
 * gets them is a part of @kubernetes/client-node, which is loaded when it is first needed.
 */
export function pluginCredentials(user: PluginUser, clock: Clock): Credentials {
  let known: { readonly credential: Promise<Credential>; until: number } | undefined;

  async function ask(): Promise<{ readonly credential: Credential; readonly until: number }> {
    const options: Parameters<Plugin['applyAuthentication']>[1] = { headers: {} };
    const { plugin, expiry } = await load();
    await plugin.applyAuthentication(user as never, options);
    const authorization = options.headers['Authorization'];
    if (authorization === undefined && options.cert === undefined) throw new Error('it answered no credentials');
    const credential = {
      ...(authorization === undefined ? {} : { authorization }),
      ...(options.cert === undefined ? {} : { cert: options.cert }),
      ...(options.key === undefined ? {} : { key: options.key }),
    };
    return { credential, until: expiry() };
  }

  /** The plugin, and when what it answered ends, in milliseconds since 1970. */
  async function load(): Promise<{ readonly plugin: Plugin; readonly expiry: () => number }> {
    if (user.exec !== undefined) {
      const { ExecAuth } = await import('@kubernetes/client-node/dist/exec_auth.js');
      const plugin = new ExecAuth();
      const { tokenCache } = plugin as unknown as {
        readonly tokenCache: Readonly<Record<string, { status?: { expirationTimestamp?: string } }>>;
      };
      return { plugin, expiry: () => timeOf(Date.parse(tokenCache[user.name]?.status?.expirationTimestamp ?? '')) };
    }
    if (user.authProvider?.['name'] !== 'oidc') {
      throw new Error(
        `auth-provider ${JSON.stringify(user.authProvider?.['name'])} is not supported (kubectl no longer does either): use an exec plugin or a token`,
      );
    }
    const { OpenIDConnectAuth } = await import('@kubernetes/client-node/dist/oidc_auth.js');
    const plugin = new OpenIDConnectAuth();
    const internal = plugin as unknown as { readonly currentTokenExpiration: number };
    return { plugin, expiry: () => timeOf(internal.currentTokenExpiration * 1000) };
  }

  return {
    current() {
      if (known !== undefined && clock.now() < known.until) return known.credential;
      const what = user.exec === undefined ? 'the identity provider' : `the program ${JSON.stringify(user.exec['command'])}`;
      const answer = within(clock, ask()).catch((error: Error) => {
        // Programs write their reasons to standard error, and never tokens.
        const reason = error.message.trim().slice(0, 1000);
        throw new ConnectionError(`${what} gave no credentials for user ${user.name}: ${reason}`, '', { cause: error });
      });
      const asked: NonNullable<typeof known> = { credential: answer.then(({ credential }) => credential), until: Number.POSITIVE_INFINITY };
      known = asked;
      answer.then(
        ({ until }) => {
          asked.until = until - MARGIN;
        },
        () => {
          if (known === asked) known = undefined;
        },
      );
      asked.credential.catch(() => {});
      return asked.credential;
    },
    refresh() {
      known = undefined;
      return true;
    },
  };
}

function timeOf(milliseconds: number): number {
  return Number.isNaN(milliseconds) || milliseconds <= 0 ? Number.POSITIVE_INFINITY : milliseconds;
}

function within<T>(clock: Clock, result: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(DEADLINE, () => reject(new Error(`no answer within ${DEADLINE / 1000} s`)));
    result.then(resolve, reject).finally(() => timer.cancel());
  });
}
