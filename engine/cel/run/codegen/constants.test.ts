import { expect, it } from 'vitest';
import { createEnvironment } from '../../create-environment.ts';

const environment = createEnvironment();

/** Constants in places where the checker lets only dyn values through. */
it.each([
  ['size(dyn(1))'],
  ['dyn(1).size()'],
  ['dyn(1).startsWith(dyn("a"))'],
  ['dyn(1.5).contains(dyn("a"))'],
  ['dyn("a").endsWith(dyn(1))'],
  ['dyn(1).foo'],
  ['dyn(true)[0]'],
  ['dyn(null).foo'],
])('%s is compiled, and fails when it runs', (expression) => {
  const compiled = environment.compile(expression);
  if (!compiled.ok) throw new Error(compiled.issues.map(({ message }) => message).join('; '));
  expect(() => compiled.program.run({}, { remaining: 1000 })).toThrow();
  expect(compiled.program.trace({}).outcome.ok).toBe(false);
});
