import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { badRequest, requestTooLarge, StatusError } from '../status-error.ts';

/** As etcd and the API server bound an object. */
const MAX_BODY_BYTES = 3 * 1024 * 1024;
/** Milliseconds for a whole body to arrive. */
const BODY_DEADLINE = 30_000;

const unzip = promisify(gunzip);

/** The body of a request, unzipped; throws a 413 for one that is too large and a 408 for one that does not come. */
export async function readBody(
  request: IncomingMessage,
  after: (milliseconds: number, callback: () => void) => { cancel(): void },
): Promise<Buffer> {
  const tooLarge = (): StatusError => requestTooLarge(`limit is ${MAX_BODY_BYTES}`);
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) throw tooLarge();
  const chunks: Buffer[] = [];
  let size = 0;
  await new Promise<void>((resolve, reject) => {
    const timer = after(BODY_DEADLINE, () => reject(new StatusError(408, 'Timeout', 'the body of the request did not arrive in time')));
    const settle = (act: () => void): void => {
      timer.cancel();
      act();
    };
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > MAX_BODY_BYTES) {
        request.removeAllListeners('data');
        request.resume();
        settle(() => reject(tooLarge()));
      } else chunks.push(chunk);
    });
    request.on('end', () => settle(resolve));
    request.on('error', (error) => settle(() => reject(error)));
    request.on('aborted', () => settle(() => reject(badRequest('the request ended before its body'))));
  });
  const body = Buffer.concat(chunks);
  if (request.headers['content-encoding'] !== 'gzip') return body;
  try {
    return await unzip(body, { maxOutputLength: MAX_BODY_BYTES });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge();
    throw badRequest('the body of the request is not valid gzip');
  }
}
