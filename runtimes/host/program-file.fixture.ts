/** For tests: programs that they write themselves. */
import { execFileSync } from 'node:child_process';

/**
 * Writes a program that can be run at once, and answers its path. Another one writes it: of a file that this process has open, a child that
 * another thread starts just then has a copy for a moment, and the kernel runs nothing that somebody may write (ETXTBSY).
 */
export function writeProgram(path: string, content: string | Buffer): string {
  execFileSync('/bin/sh', ['-c', 'cat > "$0" && chmod 755 "$0"', path], { input: content });
  return path;
}
