import type { Steps } from '../effect.ts';

/** Text for `iptables-restore --noflush`, applied all or none for each table. */
export function* iptablesRestore(family: 4 | 6, script: string): Steps<void> {
  yield { kind: 'iptables', family, script };
}

/** Text of `iptables-save`; empty where there is no such table. */
export function* iptablesSave(family: 4 | 6, table: string): Steps<string> {
  return (yield { kind: 'iptables-save', family, table }) as string;
}
