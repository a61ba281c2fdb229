import { goTypeName, goValue } from '../go-format.ts';
import type { Json, JsonObject } from '../json.ts';

/** How the API server answers a patch that can't be applied: 400 and 422, and 500 for what it did not expect. */
export type PatchFailureCode = 400 | 422 | 500;

/** Thrown inside the merge, and turned into an outcome where it began. Texts: apimachinery pkg/util/mergepatch/errors.go. */
export class PatchFailure {
  constructor(
    readonly code: PatchFailureCode,
    readonly message: string,
  ) {}
}

export const badPrimitiveList = (): PatchFailure => new PatchFailure(400, 'invalid patch format of primitive list');
export const badRetainKeys = (): PatchFailure => new PatchFailure(400, 'invalid patch format of retainKeys');
export const badElementOrder = (): PatchFailure => new PatchFailure(400, 'invalid patch format of setElementOrder list');
export const listOfLists = (): PatchFailure => new PatchFailure(422, 'lists of lists are not supported');

export function noMergeKey(element: JsonObject, key: string): PatchFailure {
  return new PatchFailure(500, `map: ${goValue(element)} does not contain declared merge key: ${key}`);
}

export function wrongType(expected: 'list' | 'map', found: Json): PatchFailure {
  const want = expected === 'list' ? '[]interface {}' : 'map[string]interface {}';
  return new PatchFailure(500, `expected a ${want}, but received a ${found === null ? '%!s(<nil>)' : goTypeName(found)}`);
}

export function unknownDirective(directive: Json, map: JsonObject): PatchFailure {
  const text = typeof directive === 'string' ? directive : `%!s(${goTypeName(directive)}=${goValue(directive)})`;
  return new PatchFailure(500, `unknown patch type: ${text} in map: ${goValue(map)}`);
}
