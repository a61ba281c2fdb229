import type { IncomingMessage } from 'node:http';

/** The body of an answer. Rejects where it is larger than it may be, or ends before its end; the connection is the caller's to close. */
export function readAnswer(answer: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    answer.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxBytes) reject(new Error(`the answer is larger than ${maxBytes} bytes`));
      else chunks.push(chunk);
    });
    answer.on('error', reject);
    answer.on('end', () => {
      if (answer.complete) resolve(Buffer.concat(chunks, size));
      else reject(new Error('the answer was cut off'));
    });
  });
}
