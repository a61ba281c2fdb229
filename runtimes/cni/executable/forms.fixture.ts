/** For tests: installed executables, calls of them, and servers that answer as a test wants. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { writeProgram } from '../../host/program-file.fixture.ts';
import { EXECUTABLE_FORMS, type ExecutableForm, type ExecutableOptions, fillExecutable, readExecutable } from './forms.ts';

const compiler = new URL('../../../scripts/compile-cni-executable.mjs', import.meta.url).pathname;

/** A way in which the executable comes to run on this machine. */
export interface ExecutableVariant {
  readonly name: string;
  readonly form: ExecutableForm;
  /** Of another processor, by Node's name, and the program that runs what is for it. */
  readonly emulated?: { readonly architecture: string; readonly emulator: string };
}

/** All forms, and the compiled one as it is on the other processor that it is for. */
export const EXECUTABLE_VARIANTS: readonly ExecutableVariant[] = [
  ...EXECUTABLE_FORMS.map((form) => ({ name: form, form })),
  ...(process.arch === 'arm64'
    ? []
    : [{ name: 'c for ARM64', form: 'c' as const, emulated: { architecture: 'arm64', emulator: 'qemu-aarch64' } }]),
];

/** The form as it comes with the package; `c` is compiled anew. Undefined where this machine can't have it. */
export function executableTemplate({ form, emulated }: ExecutableVariant, folder: string): Buffer | undefined {
  if (form !== 'c') return interpreterOf(form) === undefined ? undefined : readExecutable(form);
  if (emulated !== undefined && pathOf(emulated.emulator) === undefined) return undefined;
  const file = join(folder, 'fairlead-cni');
  try {
    execFileSync(process.execPath, [compiler, file, ...(emulated === undefined ? [] : [emulated.architecture])], { stdio: 'ignore' });
    return readFileSync(file);
  } catch {
    return undefined;
  }
}

/** The program that runs a form here; undefined for a form that needs none, or where it is missing. */
function interpreterOf(form: ExecutableForm): string | undefined {
  if (form === 'node') return process.execPath;
  return form === 'c' ? undefined : pathOf(form);
}

function pathOf(program: string): string | undefined {
  try {
    return execFileSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8' }).trim();
  } catch {
    return undefined;
  }
}

/** Writes an executable as an installation would, and answers its path. */
export function writeExecutable(file: string, template: Buffer, { form, emulated }: ExecutableVariant, options: ExecutableOptions): string {
  mkdirSync(dirname(file), { recursive: true });
  const own = emulated === undefined ? file : `${file}.${emulated.architecture}`;
  writeProgram(own, fillExecutable(template, options, interpreterOf(form)));
  if (emulated === undefined) return file;
  // As the kernel does where it is told which program runs those of another processor.
  return writeProgram(file, `#!/bin/sh\nexec ${pathOf(emulated.emulator)} -0 "$0" ${own} "$@"\n`);
}

export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CallOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Undefined: standard input stays open and empty. */
  readonly stdin?: string | Buffer | 'closed' | undefined;
  /** Called with the process's number when it runs. */
  readonly onStart?: (process: { kill(signal: NodeJS.Signals): void; closeStdout(): void }) => void;
}

/** Runs an executable as a runtime does. */
export function callExecutable(file: string, { env = {}, stdin, onStart }: CallOptions): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const closed = stdin === 'closed';
    // Only a shell can begin a program with a descriptor closed.
    const child = closed ? spawn('sh', ['-c', 'exec "$0" <&-', file], { env, stdio: 'pipe' }) : spawn(file, [], { env, stdio: 'pipe' });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString('latin1');
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString('latin1');
    });
    // What it does not read is no failure of the test.
    child.stdin.on('error', () => {});
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
    if (!closed && stdin !== undefined) child.stdin.end(stdin);
    onStart?.({ kill: (name) => void child.kill(name), closeStdout: () => child.stdout.destroy() });
  });
}

export interface FakeServer {
  /** All that was received over each connection that has ended, in order. */
  readonly received: Buffer[];
  close(): Promise<void>;
}

/** Listens at a path. `answer` is called when a client has sent everything. */
export function fakeServer(path: string, answer: (socket: Socket, received: Buffer) => void): Promise<FakeServer> {
  const received: Buffer[] = [];
  const sockets = new Set<Socket>();
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', () => {});
    socket.on('end', () => {
      received.push(Buffer.concat(chunks));
      answer(socket, received.at(-1)!);
    });
    socket.on('close', () => sockets.delete(socket));
  });
  return new Promise((resolve, reject) => {
    server.on('error', reject);
    server.listen(path, () =>
      resolve({
        received,
        close() {
          for (const socket of sockets) socket.destroy();
          return new Promise((done) => void server.close(() => done()));
        },
      }),
    );
  });
}
