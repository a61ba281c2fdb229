import { expect, it } from 'vitest';
import { answeredAttachments, journalRecords } from './journal-records.ts';

const line = (entry: object): string => `0279ba57 73 0 ${JSON.stringify(entry)}`;
const record = (id: string): string => line({ kind: 'record', record: { id, rule: 'r', state: 'performing' } });

it('reads what a journal still holds', () => {
  const lines = [
    line({ kind: 'open' }),
    record('a'),
    record('b'),
    line({ kind: 'state', id: 'b', state: 'performed' }),
    line({ kind: 'forgotten', id: 'a' }),
  ];
  expect(journalRecords(`${lines.join('\n')}\n`)).toEqual(['r b performed']);
});

it('reads whose attachments were answered', () => {
  expect(answeredAttachments('+a\n+b\n-a\n+c\n')).toEqual(['b', 'c']);
});
