import type { JsonObject } from '../../object/json.ts';
import type { FailureCode, Steps } from '../effect.ts';

/** Commands of nft in the host's namespace, applied all or none. */
export function* nft(commands: readonly string[], tolerate?: readonly FailureCode[]): Steps<void> {
  yield { kind: 'nft', netns: undefined, script: commands.join('\n'), ...(tolerate === undefined ? {} : { tolerate }) };
}

/** `nft list <words>` of the host: its rows, each an object with one key that says what it is; none where there is no such thing. */
export function* listNft(...words: readonly string[]): Steps<readonly JsonObject[]> {
  return (yield { kind: 'nft-list', netns: undefined, words }) as readonly JsonObject[];
}
