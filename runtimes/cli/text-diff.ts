import { diffHunks } from '../../engine/text/diff.ts';
import { visible } from '../../engine/text/display-width.ts';
import type { Paint } from './context.ts';

/** The difference of two texts as hunks with some lines around them, indented by four. */
export function renderDiff(before: string, after: string, color: Paint): string {
  return diffHunks(before, after)
    .map(({ header, lines }) => {
      const body = lines.map(({ kind, text }) => {
        if (kind === 'same') return `     ${visible(text)}\n`;
        return kind === 'added' ? `    ${color('green', `+${visible(text)}`)}\n` : `    ${color('red', `-${visible(text)}`)}\n`;
      });
      return `    ${color('cyan', header)}\n${body.join('')}`;
    })
    .join('');
}
