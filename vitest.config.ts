import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{engine,runtimes,conformance,rules,docs,demo,schemas,scripts}/**/*.test.ts', '*.test.ts'],
    pool: 'threads',
    isolate: false,
    testTimeout: 20_000,
  },
});
