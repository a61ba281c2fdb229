import type { JsonObject } from '../../object/json.ts';
import type { FailureCode, Netns, Steps } from '../effect.ts';

/** Commands of nft, one a line, applied all or none. */
export function* nft(netns: Netns, script: string, ...tolerate: readonly FailureCode[]): Steps<void> {
  yield { kind: 'nft', netns, script, ...(tolerate.length > 0 && { tolerate }) };
}

/** Rows of `nft list`, with handles; none where what is listed does not exist. Each row has one key: `table`, `chain`, `rule`, `set`... */
export function* nftList(netns: Netns, ...words: readonly string[]): Steps<readonly JsonObject[]> {
  return (yield { kind: 'nft-list', netns, words }) as readonly JsonObject[];
}

/** Text for `iptables-restore --noflush`, applied all or none for each table. */
export function* iptablesRestore(family: 4 | 6, script: string): Steps<void> {
  yield { kind: 'iptables', family, script };
}

/** Text of `iptables-save`; empty where there is no such table. */
export function* iptablesSave(family: 4 | 6, table: string): Steps<string> {
  return (yield { kind: 'iptables-save', family, table }) as string;
}
