import type { Json, JsonObject } from '../../object/json.ts';
import { any, type Infer, map, object, oneOf, optional, string } from '../../text/shape.ts';
import { imaginedAdd } from './imagined-request.ts';
import type { CniFault, NetworkRequest } from './program.ts';
import { FAULT_CODES } from './protocol/fault.ts';
import { formatEnvironment, readInvocation } from './protocol/invocation.ts';

const fields = {
  env: optional(map(string(), { doc: 'Environment variables, as CNI_COMMAND. Default: an ADD of eth0 for a container called test.' })),
  config: map(any(), {
    doc: 'Network configuration, as the plugin reads it on its standard input. Default of name: test; of cniVersion: 1.1.0.',
  }),
};

/** How a plugin was called: its environment and what it read. */
export const invocation = object(fields);
export type InvocationDocument = Infer<typeof invocation>;

/** `CNIInvocation`: a recorded call of a plugin, for dry runs. */
export const cniInvocation = object({
  apiVersion: oneOf('fairlead.dev/v1alpha1'),
  kind: oneOf('CNIInvocation'),
  metadata: optional(object({ name: optional(string()) }, { open: true })),
  ...fields,
});
export type CniInvocationDocument = Infer<typeof cniInvocation>;

const DEFAULT_ENVIRONMENT = formatEnvironment(imaginedAdd({}));

/** The request that a recorded call makes, read as the plugin itself reads it. */
export function readRecordedInvocation(
  recorded: InvocationDocument,
  type: string,
): { readonly request: NetworkRequest } | { readonly fault: CniFault } {
  const environment = new Map(Object.entries({ ...DEFAULT_ENVIRONMENT, ...recorded.env }));
  const config = { cniVersion: '1.1.0', name: 'test', type, ...(recorded.config as JsonObject) };
  const read = readInvocation(
    environment,
    JSON.stringify(config, (_key, value: Json) => (typeof value === 'bigint' ? String(value) : value)),
  );
  switch (read.kind) {
    case 'request':
      return { request: read.request };
    case 'fault':
      return { fault: read.fault };
    default:
      return { fault: { code: FAULT_CODES.invalidEnvironment, msg: `CNI_COMMAND ${environment.get('CNI_COMMAND') ?? ''} asks no rule` } };
  }
}
