import type { Socket } from 'node:net';
import { FAULT_CODES, fault } from '../../engine/rules/network/protocol/fault.ts';
import type { Clock, Timer } from '../host/clock.ts';
import type { Log } from '../host/log.ts';
import { faultAnswer } from './fault-answer.ts';
import { type Answer, formatAnswer, type Invocation, MAX_INVOCATION_BYTES, parseInvocation, WireError } from './wire.ts';

/** Room for the bytes of invocations that are being received, wait or are worked on, over all connections. */
export class BufferRoom {
  readonly #size: number;
  #taken = 0;

  constructor(size: number) {
    this.#size = size;
  }

  /** False where it is more than there is room for; it is taken all the same, until it is given back. */
  take(bytes: number): boolean {
    this.#taken += bytes;
    return this.#taken <= this.#size;
  }

  giveBack(bytes: number): void {
    this.#taken -= bytes;
  }
}

export interface ReceptionOptions {
  /** Milliseconds from the connection to the last byte of the invocation, and from the answer's first byte to its last. */
  readonly limits: { readonly readTimeout: number; readonly writeTimeout: number };
  readonly room: BufferRoom;
  readonly clock: Clock;
  readonly log: Log;
  readonly onRefused: (reason: 'memory' | 'malformed' | 'timeout') => void;
  /** Given what was received, and what sends the answer. */
  readonly onInvocation: (invocation: Invocation, answer: (answer: Answer) => void) => void;
}

/** Reads an invocation from a connection to its end. What is none, or too much, is answered here. */
export function receiveInvocation(socket: Socket, options: ReceptionOptions): void {
  new Reception(socket, options);
}

class Reception {
  readonly #socket: Socket;
  readonly #options: ReceptionOptions;
  readonly #chunks: Buffer[] = [];
  #length = 0;
  #timer: Timer;
  #refusal: Answer | undefined;

  constructor(socket: Socket, options: ReceptionOptions) {
    this.#socket = socket;
    this.#options = options;
    const { clock, limits, log, onRefused } = options;
    this.#timer = clock.after(limits.readTimeout, () => {
      if (this.#refusal === undefined) onRefused('timeout');
      log('warn', 'invocation did not arrive in time', { bytes: this.#length });
      socket.destroy();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#timer.cancel();
      this.#forget();
    });
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('end', () => this.#end());
  }

  #take(chunk: Buffer): void {
    // What is refused is read to its end all the same: the executable does not listen before.
    if (this.#refusal !== undefined) return;
    this.#length += chunk.length;
    const hasRoom = this.#options.room.take(chunk.length);
    this.#chunks.push(chunk);
    if (this.#length > MAX_INVOCATION_BYTES)
      this.#refuse('malformed', FAULT_CODES.decodingFailure, `the invocation has more than ${MAX_INVOCATION_BYTES} bytes`);
    else if (!hasRoom)
      this.#refuse('memory', FAULT_CODES.tryAgainLater, 'the daemon has too much to do', 'too many bytes of invocations wait');
  }

  #refuse(reason: 'memory' | 'malformed', code: number, message: string, details?: string): void {
    this.#options.onRefused(reason);
    this.#refusal = faultAnswer(fault(code, message, details));
    this.#forget();
  }

  #end(): void {
    this.#timer.cancel();
    const bytes = Buffer.concat(this.#chunks);
    this.#chunks.length = 0;
    const invocation = this.#refusal === undefined ? this.#parse(bytes) : undefined;
    if (invocation !== undefined) this.#options.onInvocation(invocation, (answer) => this.#answer(answer));
    else this.#answer(this.#refusal!);
  }

  #parse(bytes: Buffer): Invocation | undefined {
    try {
      return parseInvocation(bytes);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#options.log('warn', 'something that is no invocation came over the socket', { reason: error.message });
      this.#refuse('malformed', FAULT_CODES.ioFailure, error.message);
      return undefined;
    }
  }

  #answer(answer: Answer): void {
    this.#forget();
    this.#socket.end(formatAnswer(answer));
    // Whoever does not take it is not waited for.
    this.#timer = this.#options.clock.after(this.#options.limits.writeTimeout, () => this.#socket.destroy());
  }

  #forget(): void {
    this.#options.room.giveBack(this.#length);
    this.#length = 0;
    this.#chunks.length = 0;
  }
}
