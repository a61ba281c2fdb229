/*
 * The one table of ours in nftables, `inet fairlead`. What all attachments stand on is made once, in parts, each with the base chains
 * and maps of one purpose; attachments only add to maps. nftables of others are not touched, and a packet that we let pass still meets
 * their rules.
 */

/** Family and name of our table, as in `add chain inet fairlead ...`. */
export const IN_TABLE = 'inet fairlead';

/** The same, word by word. */
export const TABLE: readonly string[] = IN_TABLE.split(' ');

/** A part of the table that is made once. */
export interface Foundation {
  /**
   * An empty chain that stands for "this part is there, as this version makes it": a command that touches it fails where it is not.
   * Its name has a number that rises whenever {@link commands} change.
   */
  readonly marker: string;
  /** Make the part, or make it anew, without any harm to the elements of its maps. `add` and `flush` only. */
  readonly commands: readonly string[];
}

/** All commands of a foundation; may be run again. */
export const foundationCommands = ({ marker, commands }: Foundation, table = IN_TABLE): readonly string[] => [
  `add table ${table}`,
  ...commands,
  `add chain ${table} ${marker}`,
];

/** A chain that is made with exactly these rules. `hook`: where packets come into it, as `type filter hook forward priority 0`. */
export const chainWith = (chain: string, hook: string, rules: readonly string[], table = IN_TABLE): readonly string[] => [
  `add chain ${table} ${chain}${hook === '' ? '' : ` { ${hook} ; policy accept ; }`}`,
  `flush chain ${table} ${chain}`,
  ...rules.map((rule) => `add rule ${table} ${chain} ${rule}`),
];

/** A map from keys of a type, as `ipv4_addr`, to verdicts. */
export const verdictMap = (name: string, type: string, table = IN_TABLE): string => `add map ${table} ${name} { type ${type} : verdict ; }`;

/** Comment that names an owner; the text of a tag needs no quoting. */
export const ownerComment = (tag: string): string => `comment "${tag}"`;
