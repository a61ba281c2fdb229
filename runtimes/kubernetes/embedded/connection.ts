import { type Connection, fixedCredentials } from '../connection.ts';
import type { EmbeddedServer } from './server.ts';

/**
 * How a client of ours reaches the server over its socket, as the administrator.
 * @param origin whose server it is, for messages: `the recording`.
 */
export function embeddedConnection(server: EmbeddedServer, origin: string): Connection {
  return {
    server: server.url,
    tls: server.ca === undefined ? {} : { ca: server.ca },
    credentials: fixedCredentials({ authorization: `Bearer ${server.adminToken}` }),
    origin,
  };
}
