import { get } from 'node:https';
import type { Json } from '../engine/object/json.ts';

/** Asks an API server for a document, as plain JSON unless `accept` says otherwise. Rejects on any status but 200. */
export type Read = (path: string, accept?: string) => Promise<Json>;

/** Reads from the server at a URL with a bearer token. Its certificate is not verified: it is one that was started for this. */
export function readServer(server: string, token: string): Read {
  return (path, accept = 'application/json') =>
    new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${token}`, accept };
      get(new URL(path, server), { headers, rejectUnauthorized: false, timeout: 30_000 }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const body = Buffer.concat(chunks).toString('utf8');
          if (response.statusCode === 200) resolve(JSON.parse(body) as Json);
          else reject(new Error(`${path}: HTTP ${response.statusCode}: ${body.slice(0, 200)}`));
        });
      }).on('error', reject);
    });
}
