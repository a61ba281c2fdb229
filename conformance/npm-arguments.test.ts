import { expect, test } from 'vitest';
import { argumentsWithNpm } from './npm-arguments.ts';

const options = { flags: ['json'], values: ['corpus'] };

test.each([
  { given: ['cel', '--json'], environment: {}, expected: ['cel', '--json'] },
  { given: ['cel'], environment: { npm_config_json: 'true' }, expected: ['cel', '--json'] },
  { given: ['cel', 'DIR'], environment: { npm_config_corpus: 'true' }, expected: ['cel', '--corpus', 'DIR'] },
  { given: ['cel'], environment: { npm_config_corpus: 'DIR' }, expected: ['cel', '--corpus', 'DIR'] },
  { given: ['cel', '--corpus=A'], environment: { npm_config_corpus: 'B' }, expected: ['cel', '--corpus=A'] },
  { given: ['cel'], environment: { npm_config_json: '' }, expected: ['cel'] },
])('$given with $environment', ({ given, environment, expected }) => {
  expect(argumentsWithNpm(given, environment, options)).toEqual(expected);
});
