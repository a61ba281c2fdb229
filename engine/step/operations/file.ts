import { STRING } from '../../cel/types.ts';
import { isJsonObject, type Json } from '../../object/json.ts';
import { boolean, defaulted, type Infer, object, string } from '../../text/shape.ts';
import { EffectError } from '../effect.ts';
import { readFile, removePath, stat, writeFile } from '../effects/files.ts';
import { remember } from '../effects/step.ts';
import { mode, modeBits, path, pathProblems } from '../file/path.ts';
import type { Operation } from '../operation.ts';

/** Characters of a file that a step can hold, and of one that it can replace and give back. */
const MAX_CONTENT = 64 * 1024;

const shape = object({
  path: path('Where it is; its directory must be there.'),
  content: string({ maxLength: MAX_CONTENT, doc: 'Its text.' }),
  mode: mode('Permission bits.', '0644'),
  replace: defaulted(boolean({ doc: 'Whether a file that is there before is replaced, and given back when the step is undone.' }), false),
});
type Arguments = Infer<typeof shape>;

/** What `remember` keeps: that the file is ours, and what was there before. */
type Memory = { readonly made: true; readonly before: { readonly text: string; readonly mode: number } | null };

/** A file with a given text. */
export const FILE: Operation<Arguments, { readonly path: string }> = {
  name: 'file',
  group: 'files',
  doc: 'A file with a given text.',
  arguments: shape,
  outputs: { path: STRING },
  lifetime: 'owned',
  validate: (args) => pathProblems(args.path, ['path']),
  requires: () => [],
  lockKeys: (args) => [`path:${args.path}`],

  *ensure(args, { memory }) {
    const present = yield* stat(args.path);
    const fail = (code: 'exists' | 'full', message: string): never => {
      throw new EffectError(code, message, `write ${args.path}`);
    };
    if (present !== undefined && present.type !== 'file') fail('exists', `${args.path} is no file`);
    const text = present === undefined ? undefined : yield* readFile(args.path, MAX_CONTENT * 4);
    if (readMemory(memory) === undefined) {
      if (text === args.content && present?.mode === modeBits(args.mode)) return { path: args.path };
      if (text !== undefined && !args.replace) fail('exists', `${args.path} is there with another text`);
      if (text !== undefined && text.length > MAX_CONTENT) fail('full', `${args.path} is too long to be kept until it is given back`);
      const kept: Memory = { made: true, before: text === undefined || present === undefined ? null : { text, mode: present.mode } };
      yield* remember(kept);
    }
    if (text !== args.content || present?.mode !== modeBits(args.mode)) yield* writeFile(args.path, args.content, modeBits(args.mode));
    return { path: args.path };
  },
  *check(args) {
    const present = yield* stat(args.path);
    if (present?.type !== 'file') return [`there is no file ${args.path}`];
    const text = yield* readFile(args.path, MAX_CONTENT * 4);
    return [
      ...(text === args.content ? [] : [`${args.path} has another text`]),
      ...(present.mode === modeBits(args.mode) ? [] : [`${args.path} has the mode ${present.mode.toString(8)} instead of ${args.mode}`]),
    ];
  },
  *undo(args, { memory }) {
    const kept = readMemory(memory);
    if (kept === undefined) return;
    const present = yield* stat(args.path);
    if (present !== undefined && present.type !== 'file') return;
    if (kept.before !== null) yield* writeFile(args.path, kept.before.text, kept.before.mode);
    // Also where it is not there: a process that was killed may have left a part of it.
    else yield* removePath(args.path);
  },
  predict: (args) => ({ path: args.path }),
  describe: (args) => `file ${args.path} of ${args.content.length} characters`,
};

const readMemory = (memory: Json | undefined): Memory | undefined =>
  isJsonObject(memory) && memory['made'] === true ? (memory as Memory) : undefined;
