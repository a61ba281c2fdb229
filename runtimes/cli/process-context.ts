import { fstatSync, writeSync } from 'node:fs';
import type { CommandContext, Output } from './context.ts';

/** The process as commands see it. Standard streams are opened only when used: on Node they cost milliseconds. */
export function processContext(): CommandContext {
  return {
    cwd: process.cwd(),
    env: process.env,
    out: fileOutput(1),
    err: fileOutput(2),
    readStdin,
    get stopped() {
      return stopSignal();
    },
  };
}

function fileOutput(file: 1 | 2): Output {
  return {
    get isTerminal() {
      try {
        return fstatSync(file).isCharacterDevice();
      } catch {
        return false;
      }
    },
    write(text) {
      writeAll(file, Buffer.from(text, 'utf8'));
    },
  };
}

/** Writes at once, waiting for a slow reader where the pipe is full. A reader that went away ends the process quietly. */
function writeAll(file: number, bytes: Buffer): void {
  for (let offset = 0; offset < bytes.length; ) {
    try {
      offset += writeSync(file, bytes, offset);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === 'EPIPE') process.exit(0);
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

const MAX_STDIN_BYTES = 64 * 1024 * 1024;

async function readStdin(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of process.stdin) {
    const bytes = chunk as Buffer;
    length += bytes.length;
    if (length > MAX_STDIN_BYTES) throw new Error(`standard input has more than ${MAX_STDIN_BYTES} bytes`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

function stopSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(signal));
  });
}
