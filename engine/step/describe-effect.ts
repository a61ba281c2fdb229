import type { Effect } from './effect.ts';

/** What an effect does, as a user would type it, line by line. Bodies of requests and contents of files are not shown: they may be secret. */
export function describeEffect(effect: Effect): readonly string[] {
  switch (effect.kind) {
    case 'iproute': {
      const family = effect.family === 6 ? ['-6'] : [];
      return effect.commands.map(({ words }) => within(effect.netns, [effect.program, ...family, ...words]));
    }
    case 'nft':
      return [`${within(effect.netns, ['nft', '-f', '-'])} <<EOF`, ...effect.script.trimEnd().split('\n'), 'EOF'];
    case 'iptables': {
      const program = effect.family === 4 ? 'iptables-restore' : 'ip6tables-restore';
      return [`${program} --noflush --wait <<EOF`, ...effect.script.trimEnd().split('\n'), 'EOF'];
    }
    case 'sysctl-write':
      return [within(effect.netns, ['sysctl', '-w', `${effect.key.replaceAll('/', '.')}=${effect.value}`])];
    case 'write-file':
      return [`write ${quote(effect.path)} (${effect.text.length} characters, mode ${mode(effect.mode)})`];
    case 'make-directory':
      return [`mkdir -p -m ${mode(effect.mode)} ${quote(effect.path)}`];
    case 'remove-path':
      return [`rm ${effect.recursive === true ? '-r ' : ''}${quote(effect.path)}`];
    case 'run':
      return [within(effect.netns, [effect.program, ...effect.arguments])];
    case 'http':
      return [`${effect.method} ${effect.url}`];
    case 'custom':
      return [describeCustom(effect)];
    case 'all':
      return effect.effects.flatMap((each) => describeEffect(each));
    default:
      return [];
  }
}

function within(netns: string | undefined, words: readonly string[]): string {
  const all = netns === undefined ? words : ['nsenter', `--net=${netns}`, ...words];
  return all.map(quote).join(' ');
}

const mode = (bits: number): string => bits.toString(8).padStart(4, '0');

/** As a shell needs it. */
const quote = (word: string): string => (/^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

function describeCustom({ name, request }: Effect & { readonly kind: 'custom' }): string {
  const text = (field: string): string => (typeof request[field] === 'string' ? request[field] : '');
  if (name === 'plugin') return `CNI_COMMAND=${text('command')} ${text('type')}`;
  return [name, text('verb')].filter((word) => word !== '').join(' ');
}
