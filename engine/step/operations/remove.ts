import { boolean, defaulted, type Infer, object } from '../../text/shape.ts';
import { removePath, stat } from '../effects/files.ts';
import { path, pathProblems } from '../file/path.ts';
import type { Operation } from '../operation.ts';

const shape = object({
  path: path('What is removed: a file, a link, a directory.'),
  withContent: defaulted(boolean({ doc: 'Whether a directory goes with what is in it; else only an empty one.' }), false),
});
type Arguments = Infer<typeof shape>;

/** Removes a file or a directory. It can't be undone: what is gone is gone. */
export const REMOVE: Operation<Arguments> = {
  name: 'remove',
  group: 'files',
  doc: 'Removes a file or a directory; nothing brings it back.',
  arguments: shape,
  outputs: {},
  lifetime: 'owned',
  validate: (args) => pathProblems(args.path, ['path']),
  requires: () => [],
  lockKeys: (args) => [`path:${args.path}`],
  *ensure(args) {
    yield* removePath(args.path, { recursive: args.withContent });
    return {};
  },
  *check(args) {
    return (yield* stat(args.path)) === undefined ? [] : [`${args.path} is there again`];
  },
  *undo() {},
  predict: () => ({}),
  describe: (args) => `remove ${args.path}${args.withContent ? ' with all that is in it' : ''}`,
};
