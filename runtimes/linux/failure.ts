import type { FailureCode } from '../../engine/step/effect.ts';

/**
 * What a text of a program says, first match wins. The programs run with `LC_ALL=C`, and most of what they say are the words of
 * strerror(3) or of the kernel's extended acknowledgements, so the table is about those and not about programs.
 */
const WORDS: readonly (readonly [RegExp, FailureCode])[] = [
  [/command not found|exec: .*not found|exec of .* failed|failed to execute/i, 'program'],
  [/reassociate to namespace|Invalid "netns" value|Cannot open network namespace|nsenter: cannot open/, 'namespace'],
  [/Unknown device type|Unknown qdisc|qdisc kind is unknown|TC classifier not found|Failed to load TC action/, 'unsupported'],
  [/Operation not supported|Protocol not supported|not supported by|Function not implemented|Address family not supported/i, 'unsupported'],
  [
    /can't initialize|Table does not exist \(do you need to insmod|modprobe|Cannot initialize|unknown option|No chain\/target\/match by that name.*ext/i,
    'unsupported',
  ],
  [/File exists|already exists|already assigned|Exclusivity flag on|Address already in use|already a (member|slave|port)/i, 'exists'],
  [
    /does not exist|No such (file|device|process|address|entry|chain|table)|Cannot find (device|specified|qdisc)|Device not found|Cannot assign requested address|not found|No such/i,
    'missing',
  ],
  [
    /No chain\/target\/match by that name|Bad rule \(does a matching rule exist|doesn't exists?|Cannot delete qdisc with handle of zero/,
    'missing',
  ],
  [/Network is (down|unreachable)|No route to host|Nexthop has invalid gateway|Invalid gateway/i, 'invalid'],
  [/resource busy|Device or resource busy|Resource temporarily unavailable|xtables lock|is busy|Text file busy|try again/i, 'busy'],
  [/Operation not permitted|Permission denied|Read-only file system|you must be root/i, 'denied'],
  [
    /No space left|No buffer space|Cannot allocate memory|Too many open files|Out of memory|table full|Disk quota exceeded|limit reached/i,
    'full',
  ],
  [/Connection timed out|timed out/i, 'timeout'],
  [
    /Invalid|is wrong|is expected|expected rather than|illegal|syntax error|is a garbage|unknown|Numerical result out of range|too long|too large|not a valid|must be|Usage:|Could not process rule|duplicate|argument|out of range/i,
    'invalid',
  ],
];

/** What kind of failure a program's text tells of. */
export function classifyFailure(text: string): FailureCode {
  return WORDS.find(([pattern]) => pattern.test(text))?.[1] ?? 'other';
}

const ERRNO: ReadonlyMap<string, FailureCode> = new Map([
  ['EEXIST', 'exists'],
  ['ENOTEMPTY', 'exists'],
  ['EADDRINUSE', 'exists'],
  ['ENOENT', 'missing'],
  ['ENODEV', 'missing'],
  ['ENXIO', 'missing'],
  ['EADDRNOTAVAIL', 'missing'],
  ['ESRCH', 'missing'],
  ['EBUSY', 'busy'],
  ['EAGAIN', 'busy'],
  ['ETXTBSY', 'busy'],
  ['EACCES', 'denied'],
  ['EPERM', 'denied'],
  ['EROFS', 'denied'],
  ['EOPNOTSUPP', 'unsupported'],
  ['ENOTSUP', 'unsupported'],
  ['ENOSYS', 'unsupported'],
  ['EAFNOSUPPORT', 'unsupported'],
  ['EPROTONOSUPPORT', 'unsupported'],
  ['EINVAL', 'invalid'],
  ['ERANGE', 'invalid'],
  ['ENETDOWN', 'invalid'],
  ['ENETUNREACH', 'invalid'],
  ['EHOSTUNREACH', 'invalid'],
  ['ENAMETOOLONG', 'invalid'],
  ['ENOTDIR', 'invalid'],
  ['EISDIR', 'invalid'],
  ['ELOOP', 'invalid'],
  ['ENOSPC', 'full'],
  ['EDQUOT', 'full'],
  ['ENOMEM', 'full'],
  ['ENOBUFS', 'full'],
  ['EMFILE', 'full'],
  ['ENFILE', 'full'],
  ['ETIMEDOUT', 'timeout'],
]);

/** What kind of failure an errno is: `EEXIST`. */
export function classifyErrno(errno: string | undefined): FailureCode {
  return ERRNO.get(errno ?? '') ?? 'other';
}

const MAX_MESSAGE = 400;

/** What a program said, in one line without its own decoration. */
export function failureMessage(text: string): string {
  const lines = text
    .split('\n')
    .map((line) => line.trim().replace(/^(RTNETLINK answers|Error): /, ''))
    .filter((line) => line !== '' && !/^Command failed \S+:\d+$/.test(line) && !/^\[(\{\})?\]?$/.test(line));
  // A usage of a whole page follows its reason, or is all there is.
  const usage = lines.findIndex((line) => line.startsWith('Usage:'));
  const told = [...new Set(usage > 0 ? lines.slice(0, usage) : lines)].join('; ').replaceAll(/[^\x20-\x7e\u00a0-\uffff]/g, ' ');
  return told.length > MAX_MESSAGE ? `${told.slice(0, MAX_MESSAGE)}…` : told;
}
