import { statfsSync, statSync } from 'node:fs';
import { stat, statfs } from 'node:fs/promises';
import { EffectError } from '../../engine/step/effect.ts';
import { classifyErrno } from './failure.ts';

/** linux/magic.h: `NSFS_MAGIC`. */
const NSFS = 0x6e736673;
/** Where namespaces are kept: no disk, and nothing that is far away. */
const IN_MEMORY = /^\/(?:proc|run|var\/run)\/(?!.*\/\.\.?(?:\/|$))/;

/**
 * Whether there is a namespace at a path. Throws {@link EffectError} `namespace` for the one that we are in, whose links and addresses are
 * the host's: whoever is asked to change them by this name is misled; `invalid` for what can't be a path; and what keeps the path from being
 * looked at.
 */
export async function findNamespace(path: string): Promise<boolean> {
  if (!/^\/[^\0-\x1f\x7f]*$/.test(path) || path.length > 4096) {
    throw new EffectError('invalid', `${JSON.stringify(path.slice(0, 80))} can't be the path of a network namespace`, 'nsenter');
  }
  try {
    // A thread that is asked to wait for a disk costs more than to look at what is in memory.
    const [system, there] = IN_MEMORY.test(path) ? [statfsSync(path), statSync(path)] : await Promise.all([statfs(path), stat(path)]);
    if (system.type !== NSFS) return false;
    const own = statSync('/proc/self/ns/net');
    if (there.ino !== own.ino || there.dev !== own.dev) return true;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (classifyErrno(code) === 'missing' || code === 'ENOTDIR') return false;
    throw new EffectError(classifyErrno(code), message, `nsenter --net=${path}`);
  }
  throw new EffectError('namespace', `${path} is the network namespace of the host`, `nsenter --net=${path}`);
}
