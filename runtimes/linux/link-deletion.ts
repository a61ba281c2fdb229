import { randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { Clock } from '../host/clock.ts';
import { orAborted, type Resident, type ResidentAnswer } from './resident.ts';

export interface LinkDeletionOptions {
  /** Children that delete and do nothing else. */
  readonly residents: readonly Resident[];
  readonly clock: Clock;
  /** Milliseconds for one command. */
  readonly deadline: number;
  /** Called when a link went out of view: what was known of its name is not true any more. */
  gone(name: string): void;
  /** Whether the kernel shows a link; default {@link isInView}. */
  isInView?(name: string): boolean;
  /** A number that no group of links has; default: any of a thousand million. */
  newGroup?(): number;
}

/** Milliseconds between two looks. */
const LOOK = 1;
/** Links that are deleted by one command. */
const MAX_GROUP = 256;

/**
 * Whether a link of the host's namespace is in view. The folder is that of the namespace of who asks, unlike `/sys/class/net`, and goes
 * when the addresses and routes of the link have gone. A link without IPv4 (an MTU below 68) has none, and counts as out of view: its
 * deletion is awaited to its end.
 */
export function isInView(name: string): boolean {
  return existsSync(`/proc/sys/net/ipv4/conf/${name}`);
}

interface Waiting {
  readonly name: string;
  readonly resolve: (answer: Promise<ResidentAnswer> | ResidentAnswer) => void;
}

/**
 * Deletes links by name.
 *
 * Measured, with a veth that is up and has an address and a route: `link del` returns after 16 to 23 ms, but after 1.2 ms the link is out of
 * view, its addresses and routes are gone, and a link of the same name can be made; the rest is the kernel waiting until no processor
 * looks at the old one any more (`netdev_run_todo`, outside of the lock that other changes need). So a deletion is answered when the link
 * is out of view, and its end is awaited in the background, by one of a few children that nobody else waits for.
 *
 * When all of them wait, links gather, and the next child that is free puts them into a group and deletes that: the kernel waits once for
 * all (sixteen links: 23 ms, one by one 276 ms).
 */
export class LinkDeletion {
  readonly #options: LinkDeletionOptions;
  /** Whether the child of this place deletes. */
  readonly #isBusy: boolean[];
  readonly #waiting: Waiting[] = [];

  constructor(options: LinkDeletionOptions) {
    this.#options = options;
    this.#isBusy = options.residents.map(() => false);
  }

  /** Resolves when the link is out of view, or with the failure of its deletion. Rejects as {@link Resident.ask}. */
  async delete(name: string, signal: AbortSignal | undefined): Promise<ResidentAnswer> {
    const { clock, gone, isInView: look = isInView } = this.#options;
    const wasInView = look(name);
    let isDone = false;
    const done = new Promise<ResidentAnswer>((resolve) => {
      this.#waiting.push({ name, resolve });
      this.#startIfFree();
    }).finally(() => {
      isDone = true;
    });
    // When it returns after it was answered, nobody listens.
    done.catch(() => {});
    const outOfView = new Promise<ResidentAnswer>((resolve) => {
      const again = (): void => {
        if (isDone || signal?.aborted) return;
        if (look(name)) clock.after(LOOK, again);
        else resolve({ kind: 'answered', text: '', failed: false, firstUse: clock.elapsed() });
      };
      if (wasInView) clock.after(LOOK, again);
    });
    try {
      const answer = Promise.race([done, outOfView]);
      return await (signal === undefined ? answer : orAborted(answer, signal, `ip link del dev ${name}`));
    } finally {
      gone(name);
    }
  }

  #startIfFree(): void {
    const free = this.#isBusy.indexOf(false);
    if (free === -1 || this.#waiting.length === 0) return;
    const links = this.#waiting.splice(0, MAX_GROUP);
    this.#isBusy[free] = true;
    void (links.length === 1 ? this.#one(free, links[0]!) : this.#group(free, links)).finally(() => {
      this.#isBusy[free] = false;
      this.#startIfFree();
    });
  }

  async #one(child: number, { name, resolve }: Waiting): Promise<void> {
    const answer = this.#ask(child, `link del dev ${name}`);
    resolve(answer);
    await answer.catch(() => {});
  }

  async #group(child: number, links: readonly Waiting[]): Promise<void> {
    const group = this.#options.newGroup?.() ?? randomInt(2 ** 30, 2 ** 31);
    const members: Waiting[] = [];
    await Promise.all(
      links.map(async (link) => {
        const moved = this.#ask(child, `link set dev ${link.name} group ${group}`);
        // What can't be found for this can't be found for its deletion either.
        if (await isDone(moved)) members.push(link);
        else link.resolve(moved);
      }),
    );
    if (members.length === 0) return;
    const deleted = this.#ask(child, `link del group ${group}`);
    if (await isDone(deleted)) {
      for (const { resolve } of members) resolve(deleted);
      return;
    }
    // One that can't be deleted, such as a device of hardware, keeps all others: each for itself then.
    for (const link of members) {
      await this.#ask(child, `link set dev ${link.name} group default`).catch(() => {});
      await this.#one(child, link);
    }
  }

  #ask(child: number, line: string): Promise<ResidentAnswer> {
    return this.#options.residents[child]!.ask(line, { deadline: this.#options.deadline });
  }
}

async function isDone(asked: Promise<ResidentAnswer>): Promise<boolean> {
  try {
    const answer = await asked;
    return answer.kind === 'answered' && answer.failed !== true;
  } catch {
    return false;
  }
}
