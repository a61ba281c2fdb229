import { connect } from 'node:net';
import { type Clock, systemClock } from '../host/clock.ts';
import { type Answer, formatInvocation, type Invocation, MAX_ANSWER_BYTES, parseAnswer } from './wire.ts';

/** There is no answer: no daemon, or none that ended what it said. The message says which. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';
}

/** Asks the daemon at a socket, as the executable does. `deadline` in milliseconds. Throws {@link NoAnswerError}. */
export function invoke(path: string, invocation: Invocation, deadline: number, clock: Clock = systemClock): Promise<Answer> {
  const bytes = formatInvocation(invocation);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const socket = connect({ path, allowHalfOpen: true });
    const timer = clock.after(deadline, () => socket.destroy(new NoAnswerError(`${path}: it did not answer in time`)));
    socket.on('connect', () => socket.end(bytes));
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length > MAX_ANSWER_BYTES) socket.destroy(new NoAnswerError(`${path}: its answer is too long`));
    });
    socket.on('error', (error: NodeJS.ErrnoException) =>
      reject(error instanceof NoAnswerError ? error : new NoAnswerError(reason(path, error))),
    );
    socket.on('close', () => {
      timer.cancel();
      const answer = parseAnswer(Buffer.concat(chunks));
      if (answer === undefined) reject(new NoAnswerError(`${path}: its answer was cut off`));
      else resolve(answer);
    });
  });
}

function reason(path: string, { code, message }: NodeJS.ErrnoException): string {
  switch (code) {
    case 'ENOENT':
      return `${path}: there is no such socket`;
    case 'ECONNREFUSED':
      return `${path}: nobody listens there`;
    default:
      return `${path}: ${message}`;
  }
}
