import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Framing, iprouteFraming, nftFraming } from './framing.ts';

/** What a child is asked and says, with the marks that it would give. */
interface Dialogue {
  readonly framing: Framing;
  readonly says: readonly { readonly said: string; readonly failed: boolean }[];
  readonly output: string;
}

const ipDialogue = (answers: readonly { readonly said: string; readonly failed: boolean }[]): Dialogue => ({
  framing: iprouteFraming('ip'),
  says: answers,
  output: answers
    .map(
      ({ said, failed }, index) =>
        `${said}${failed ? `Command failed -:${2 * index + 1}\n` : ''}Object "fairlead-end" is unknown, try "ip help".\nCommand failed -:${2 * index + 2}\n`,
    )
    .join(''),
});

const nftDialogue = (answers: readonly { readonly said: string; readonly failed: boolean }[]): Dialogue => ({
  framing: nftFraming,
  says: answers,
  output: answers
    .map(({ said }, index) => `${said}Error: syntax error, unexpected newline, expecting string\nfairlead-end-${index}\n              ^\n`)
    .join(''),
});

/** Reads a dialogue whose output comes in pieces. */
function read({ framing, output }: Dialogue, pieces: readonly number[]): { text: string; failed: boolean | undefined }[] {
  const found: { text: string; failed: boolean | undefined }[] = [];
  let buffer = '';
  let searched = 0;
  let at = 0;
  const feed = (piece: string): void => {
    buffer += piece;
    for (;;) {
      const answer = framing.find(buffer, found.length, searched);
      if (answer === undefined) break;
      found.push({ text: answer.text, failed: answer.failed });
      buffer = buffer.slice(answer.next);
      searched = 0;
    }
    searched = buffer.length;
  };
  for (const piece of pieces) {
    feed(output.slice(at, at + piece));
    at += piece;
  }
  feed(output.slice(at));
  expect(buffer).toBe('');
  return found;
}

const pieces = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 60 });

describe('answers of iproute2', () => {
  const said = fc.oneof(
    fc.constant(''),
    fc.constant('[{"ifname":"lo"}]\n'),
    fc.constant('RTNETLINK answers: File exists\n'),
    fc.constant('[{"ifalias":"Command failed -:2"}]\n'),
    fc.constant('Object "fairlead-end" is unknown, try "ip help".\n'),
  );

  it('are found in output that comes in any pieces, whatever they say', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ said, failed: fc.boolean() }), { minLength: 1, maxLength: 6 }), pieces, (answers, cuts) => {
        const dialogue = ipDialogue(answers);
        expect(read(dialogue, cuts)).toEqual(answers.map(({ said: text, failed }) => ({ text, failed })));
      }),
    );
  });

  it('end with a number that counts the lines of the batch', () => {
    const framing = iprouteFraming('tc');
    expect(framing.frame('qdisc show', 0)).toBe('qdisc show\nfairlead-end\n');
    const other = 'Object "fairlead-end" is unknown, try "tc help".\nCommand failed -:2\n';
    expect(framing.find(other, 1, 0)).toBeUndefined();
    expect(framing.find(other, 0, 0)).toEqual({ text: '', failed: false, next: other.length });
  });
});

describe('answers of nft', () => {
  const answers = fc.oneof(
    fc.constant({ said: '', failed: false }),
    fc.constant({ said: '{"nftables": [{"metainfo": {}}]}\n', failed: false }),
    fc.constant({ said: 'Error: No such file or directory\nlist table inet x\n                ^\n', failed: true }),
    fc.constant({ said: 'Error: Could not process rule: File exists\nadd rule inet a b comment "fairlead-end-0"\n   ^^^\n', failed: true }),
  );

  it('are found in output that comes in any pieces, whatever they say', () => {
    fc.assert(
      fc.property(fc.array(answers, { minLength: 1, maxLength: 6 }), pieces, (said, cuts) => {
        const dialogue = nftDialogue(said);
        expect(read(dialogue, cuts)).toEqual(said.map(({ said: text, failed }) => ({ text, failed })));
      }),
    );
  });
});
