import type { NetworkRequest } from '../../engine/rules/network/program.ts';
import { formatEnvironment } from '../../engine/rules/network/protocol/invocation.ts';
import type { Invocation } from './wire.ts';

/** The call of the executable of this name by which a runtime makes a request. */
export function requestInvocation(type: string, request: NetworkRequest): Invocation {
  return {
    environment: new Map(Object.entries({ ...formatEnvironment(request), TYPE: type })),
    stdin: JSON.stringify(request.config),
  };
}
