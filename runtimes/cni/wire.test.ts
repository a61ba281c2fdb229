import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatAnswer, formatInvocation, MAX_INVOCATION_BYTES, parseAnswer, parseInvocation, WIRE_HEADER, WireError } from './wire.ts';

const text = fc.string({ unit: 'binary' }).map((value) => Buffer.from(value, 'utf8').toString('utf8'));
const value = text.map((each) => each.replaceAll('\0', ''));
const name = value.map((each) => each.replaceAll('=', '')).filter((each) => each !== '');

describe('an invocation', () => {
  it('is read as it was sent', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value)), text, (pairs, stdin) => {
        const environment = new Map(pairs);
        expect(parseInvocation(formatInvocation({ environment, stdin }))).toEqual({ environment, stdin });
      }),
    );
  });

  it('has the first value of a name that is given twice', () => {
    expect(parseInvocation(Buffer.from(`${WIRE_HEADER}A=1\0A=2\0\0`)).environment).toEqual(new Map([['A', '1']]));
  });

  it.each([
    ['', 'begins with'],
    ['fairlead-cni/2\nA=1\0\0', 'begins with'],
    [`${WIRE_HEADER}A=1\0`, 'are not ended'],
    [`${WIRE_HEADER}A=1`, 'are not ended'],
    [`${WIRE_HEADER}=1\0\0`, 'has no name'],
    [`${WIRE_HEADER}A\0\0`, 'has no name'],
    [`${WIRE_HEADER}\0${'x'.repeat(MAX_INVOCATION_BYTES)}`, 'at most'],
  ])('is refused where it is none (%#)', (bytes, message) => {
    expect(() => parseInvocation(Buffer.from(bytes))).toThrow(WireError);
    expect(() => parseInvocation(Buffer.from(bytes))).toThrow(message);
  });

  it.each([
    ['A=B', ''],
    ['', ''],
    ['A', 'a\0b'],
  ])('cannot be made with %j=%j', (badName, badValue) => {
    expect(() => formatInvocation({ environment: new Map([[badName, badValue]]), stdin: '' })).toThrow(WireError);
  });
});

describe('an answer', () => {
  it('is read as it was sent', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 255 }), text, text, (exitCode, stdout, stderr) => {
        expect(parseAnswer(formatAnswer({ exitCode, stdout, stderr }))).toEqual({ exitCode, stdout, stderr });
      }),
    );
  });

  it('counts as none when it was cut off anywhere', () => {
    const whole = formatAnswer({ exitCode: 1, stdout: '{"code": 7}', stderr: 'why' });
    for (let length = 0; length < whole.length; length++) expect(parseAnswer(whole.subarray(0, length))).toBeUndefined();
  });

  it.each(['0 0 0\nx', '256 0 0\n', '-1 0 0\n', '0 -1 1\n', '0 0\n', 'x 0 0\n', '0  0 0\n', '\n'])('is not %j', (bytes) => {
    expect(parseAnswer(Buffer.from(bytes))).toBeUndefined();
  });
});
