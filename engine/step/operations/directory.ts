import { STRING } from '../../cel/types.ts';
import { isJsonObject } from '../../object/json.ts';
import { boolean, defaulted, type Infer, object } from '../../text/shape.ts';
import { EffectError } from '../effect.ts';
import { makeDirectory, removePath, stat } from '../effects/files.ts';
import { remember } from '../effects/step.ts';
import { mode, modeBits, path, pathProblems } from '../file/path.ts';
import type { Operation } from '../operation.ts';

const shape = object({
  path: path('Where it is; its parent must be there.'),
  mode: mode('Permission bits of a directory that is made.', '0755'),
  withContent: defaulted(boolean({ doc: 'Whether what is in it goes with it; else it stays where it is not empty.' }), false),
});
type Arguments = Infer<typeof shape>;

/** A directory. One that was there before is fine, and stays. */
export const DIRECTORY: Operation<Arguments, { readonly path: string }> = {
  name: 'directory',
  group: 'files',
  doc: 'A directory.',
  arguments: shape,
  outputs: { path: STRING },
  lifetime: 'owned',
  validate: (args) => pathProblems(args.path, ['path']),
  requires: () => [],
  lockKeys: (args) => [`path:${args.path}`],

  *ensure(args, { memory }) {
    const present = yield* stat(args.path);
    if (present !== undefined && present.type !== 'directory')
      throw new EffectError('exists', `${args.path} is no directory`, `mkdir ${args.path}`);
    if (present === undefined) {
      if (!isMade(memory)) yield* remember({ made: true });
      yield* makeDirectory(args.path, modeBits(args.mode));
    }
    return { path: args.path };
  },
  *check(args) {
    const present = yield* stat(args.path);
    return present?.type === 'directory' ? [] : [`there is no directory ${args.path}`];
  },
  *undo(args, { memory }) {
    if (!isMade(memory) || (yield* stat(args.path))?.type !== 'directory') return;
    try {
      yield* removePath(args.path, { recursive: args.withContent });
    } catch (error) {
      // Others have put something in.
      if (!(error instanceof EffectError && error.code === 'exists') || args.withContent) throw error;
    }
  },
  predict: (args) => ({ path: args.path }),
  describe: (args) => `directory ${args.path}`,
};

const isMade = (memory: unknown): boolean => isJsonObject(memory) && memory['made'] === true;
