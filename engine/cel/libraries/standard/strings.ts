import type { FunctionDeclaration, Overload } from '../../function.ts';
import { size } from '../../run/access.ts';
import { actualSize, regexCost, traversal } from '../../run/actual-size.ts';
import { noSuchOperator, noSuchOverload } from '../../run/errors.ts';
import { compileRe2, patternError } from '../../run/re2.ts';
import { BOOL, BYTES, type CelType, INT, listOf, mapOf, param, STRING } from '../../types.ts';
import type { CelValue } from '../../values.ts';
import { global, member } from './overloads.ts';

/** A function of two strings; other types err with cel-go's text. */
function ofTexts(test: (text: string, other: string) => boolean): Overload['call'] {
  return (text, other) => {
    if (typeof text !== 'string' || typeof other !== 'string') throw noSuchOverload();
    return test(text, other);
  };
}

const affixCost = ([, affix]: readonly CelValue[]): number => traversal(actualSize(affix!));
const containsCost = ([text, part]: readonly CelValue[]): number => traversal(actualSize(text!)) * traversal(actualSize(part!));
const matchesCost = ([text, pattern]: readonly CelValue[]): number => regexCost(actualSize(text!), actualSize(pattern!));

function matches(text: CelValue, pattern: CelValue): boolean {
  if (typeof text !== 'string') throw noSuchOperator('matches', text);
  if (typeof pattern !== 'string') throw noSuchOverload();
  return compileRe2(pattern).test(text);
}

/** A literal pattern is compiled with the program, so that a malformed one is known before it runs. */
function checkPattern([, pattern]: readonly (CelValue | undefined)[]): string | undefined {
  return typeof pattern === 'string' ? patternError(pattern) : undefined;
}

const sized: readonly (readonly [string, CelType])[] = [
  ['bytes', BYTES],
  ['list', listOf(param('A'))],
  ['map', mapOf(param('A'), param('B'))],
  ['string', STRING],
];

/** `size contains startsWith endsWith matches`. cel-go: common/stdlib/standard.go. */
export const STRINGS: readonly FunctionDeclaration[] = [
  {
    name: 'size',
    overloads: sized.flatMap(([name, type]) => [global(`size_${name}`, [type], INT, size), member(`${name}_size`, [type], INT, size)]),
  },
  {
    name: 'contains',
    overloads: [
      member(
        'contains_string',
        [STRING, STRING],
        BOOL,
        ofTexts((text, part) => text.includes(part)),
        containsCost,
      ),
    ],
  },
  {
    name: 'startsWith',
    overloads: [
      member(
        'starts_with_string',
        [STRING, STRING],
        BOOL,
        ofTexts((text, start) => text.startsWith(start)),
        affixCost,
      ),
    ],
  },
  {
    name: 'endsWith',
    overloads: [
      member(
        'ends_with_string',
        [STRING, STRING],
        BOOL,
        ofTexts((text, end) => text.endsWith(end)),
        affixCost,
      ),
    ],
  },
  {
    name: 'matches',
    overloads: [
      { ...global('matches', [STRING, STRING], BOOL, matches, matchesCost), checkLiterals: checkPattern },
      { ...member('matches_string', [STRING, STRING], BOOL, matches, matchesCost), checkLiterals: checkPattern },
    ],
  },
];
