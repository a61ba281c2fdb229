import { main } from './main.ts';
import { processContext } from './process-context.ts';

// The exit code is set, not called: what is still being written is written first.
main(process.argv.slice(2), processContext()).then((code) => {
  process.exitCode = code;
});
