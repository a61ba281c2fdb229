/*
 * How the executable hands an invocation to the daemon over a Unix socket, in a form that thirty lines of C can write and read.
 *
 * The executable sends, then shuts its side down for writing:
 *
 *     fairlead-cni/1\n
 *     CNI_COMMAND=ADD\0CNI_CONTAINERID=...\0...\0     the environment variables that begin with CNI_, and TYPE=<name it was called by>
 *     \0                                              an empty one ends them
 *     <standard input, to the end>
 *
 * The daemon answers, then closes:
 *
 *     <exit code> <bytes of standard output> <bytes of standard error>\n
 *     <standard output><standard error>
 *
 * An answer that is shorter than it says counts as none: the daemon went away. What the executable does without an answer:
 * VERSION is answered by itself; ADD, CHECK and GC fail with code 11 (try again later); STATUS with 50; DEL writes what it would
 * have sent to a file of the spool folder (a temporary name, fsync, rename to `<time>-<pid>`), and succeeds. The daemon performs the
 * spool at its start, and before an ADD of the same attachment.
 */

export const WIRE_HEADER = 'fairlead-cni/1\n';

/** Bytes of an invocation, environment and configuration together. */
export const MAX_INVOCATION_BYTES = 4 * 1024 * 1024;
