import { goJsonError } from '../../../../engine/object/go-json-error.ts';
import { isJsonObject, type Json } from '../../../../engine/object/json.ts';
import { badRequest, type StatusError } from '../status-error.ts';

/** Bytes of a body that a message shows. */
const SHOWN = 30;
const OPEN_MAP = 0x7b;
/** What apimachinery looks for first in every body, as Go prints it. */
const HEADER = 'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';

/** Of a body that is no object of any kind. Kubernetes: apiserver pkg/endpoints/handlers/rest.go transformDecodeError. */
export function unrecognized(kind: string, why: string, body: Uint8Array): StatusError {
  return badRequest(`the object provided is unrecognized (must be of type ${kind}): ${why} (${summary(body)})`);
}

/** Of a body that is not JSON. */
export function malformed(kind: string, body: Uint8Array): StatusError {
  return unrecognized(kind, withoutHeader(goJsonError(body) ?? 'the body cannot be read without loss'), body);
}

/** Of JSON that is no map. */
export function noObject(kind: string, value: Exclude<Json, null>, body: Uint8Array): StatusError {
  const found = Array.isArray(value) ? 'array' : isJsonObject(value) ? 'object' : typeof value === 'boolean' ? 'bool' : typeof value;
  return unrecognized(kind, withoutHeader(`json: cannot unmarshal ${found} into Go value of type ${HEADER}`), body);
}

const withoutHeader = (why: string): string => `couldn't get version/kind; json parse error: ${why}`;

function summary(body: Uint8Array): string {
  if (body.length === 0) return '<empty>';
  const start = Buffer.from(body.buffer, body.byteOffset, Math.min(SHOWN, body.length));
  return `${start.toString(body[0] === OPEN_MAP ? 'utf8' : 'hex')}${body.length > SHOWN ? ' ...' : ''}`;
}
