import { DYN } from '../../cel/types.ts';
import type { Json } from '../../object/json.ts';
import { boolean, defaulted, type Infer, integer, list, map, object, optional, string } from '../../text/shape.ts';
import { EffectError, type Netns, type Steps } from '../effect.ts';
import { run } from '../effects/outside.ts';
import { remember } from '../effects/step.ts';
import type { ArgumentProblem, Operation } from '../operation.ts';
import { BEGUN, problemsBy, problemsOfEach, wasBegun } from '../outside/check-and-undo.ts';

const commandFields = {
  program: string({
    minLength: 1,
    maxLength: 4096,
    pattern: /^[^\0]+$/,
    patternName: 'the name or the path of a program',
    doc: "A program that the host's configuration allows.",
  }),
  arguments: defaulted(list(string({ maxLength: 128 * 1024 }), { maxItems: 1024, doc: 'Handed over as they are: there is no shell.' }), []),
  stdin: optional(string({ maxLength: 1024 * 1024, doc: 'What it reads on its standard input.' })),
  environment: defaulted(map(string({ maxLength: 128 * 1024 }), { doc: 'Variables beside PATH.' }), {}),
  inContainer: defaulted(boolean({ doc: "Runs in the container's network namespace." }), false),
  exitCodes: defaulted(
    list(integer({ minimum: 0, maximum: 255 }), { minItems: 1, maxItems: 256, doc: 'With which it has succeeded.' }),
    [0],
  ),
};
const command = object(commandFields);
type CommandArguments = Infer<typeof command>;

const shape = object({
  ...commandFields,
  check: optional(object(commandFields, { doc: 'A program that succeeds while all is well.' })),
  undo: optional(object(commandFields, { doc: 'A program that takes back what the first one did; it may be run twice.' })),
});
type Arguments = Infer<typeof shape>;
type Outputs = { readonly output: Json };

/**
 * Runs a program. What it does is its own affair: it must bear to be run again when it was interrupted. It is only undone where it was
 * begun.
 */
export const EXEC: Operation<Arguments, Outputs> = {
  name: 'exec',
  group: 'outside',
  doc: "Runs a program that the host's configuration allows, never a shell.",
  arguments: shape,
  outputs: { output: DYN },
  lifetime: 'owned',

  validate: (args) => problemsOfEach<CommandArguments>(args, environmentProblems),
  requires: (args) =>
    [...new Set([args, args.check, args.undo].flatMap((each) => each?.program ?? []))].map((name) => ({ kind: 'program', name })),
  lockKeys: () => [],

  *ensure(args, { netns }) {
    if (args.undo !== undefined) yield* remember(BEGUN);
    return { output: outputOf(yield* execute(args, netns)) };
  },
  *check(args, { netns }) {
    return args.check === undefined ? [] : yield* problemsBy(execute(args.check, netns));
  },
  *undo(args, context) {
    if (args.undo === undefined || !wasBegun(context)) return;
    if (args.undo.inContainer && context.netnsGone) return;
    yield* execute(args.undo, context.netns);
  },
  predict: () => ({}),
  describe: ({ program, arguments: words }) => ['run', program, ...words.map(shown)].join(' '),
};

/** @throws EffectError `other` where the program does not succeed. */
function* execute(
  { program, arguments: words, stdin, environment, inContainer, exitCodes }: CommandArguments,
  netns: Netns,
): Steps<string> {
  const { exitCode, stdout, stderr } = yield* run({
    program,
    arguments: words,
    environment,
    ...(inContainer ? { netns } : {}),
    ...(stdin === undefined ? {} : { stdin }),
  });
  if (exitCodes.includes(exitCode)) return stdout;
  const said = (stderr.trim() === '' ? stdout : stderr).trim().split('\n').at(-1) ?? '';
  throw new EffectError(
    'other',
    `${program} ended with ${exitCode}${said === '' ? '' : `: ${said.slice(0, 400)}`}`,
    [program, ...words.map(shown)].join(' '),
  );
}

/** JSON where it is some, else the text without its last line end. */
function outputOf(stdout: string): Json {
  try {
    return JSON.parse(stdout) as Json;
  } catch {
    return stdout.replace(/\n$/, '');
  }
}

/** A word as a reader would type it, cut where it is long. */
function shown(word: string): string {
  const short = word.length > 80 ? `${word.slice(0, 79)}…` : word;
  return /^[\w@%+=:,./-]+$/.test(short) ? short : JSON.stringify(short);
}

const environmentProblems = ({ environment }: CommandArguments, path: readonly string[]): readonly ArgumentProblem[] =>
  Object.keys(environment)
    .filter((name) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
    .map((name) => ({ path: [...path, 'environment', name], message: `${JSON.stringify(name)} can't be the name of a variable` }));
