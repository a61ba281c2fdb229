/** One atom (an ASCII class, an escaped or plain ASCII character) with its repeat. */
const ATOM = /\[(\^?)((?:[A-Za-z0-9_](?:-[A-Za-z0-9_])?|[.:/@ +,]|\\[-.\]\\/])+)-?\]|\\[.\-/+*?()[\]{}|^$]|[A-Za-z0-9_ :/@,=-]/y;
const REPEAT = /([*+?]|\{\d{1,3}(?:,\d{0,3})?\})?/y;

/**
 * An RE2 pattern as a native expression, where that means the same and takes linear time: patterns of the form
 * `^ atom repeat? atom repeat? ... $` over ASCII, where every repeat is followed by an atom that cannot start with what the
 * repeat takes. There is then at most one way to match, so a backtracking engine never has to go back. Undefined for all others.
 */
export function linearExpression(pattern: string): RegExp | undefined {
  if (!pattern.startsWith('^') || !pattern.endsWith('$') || pattern.length > 300 || /[^\x20-\x7e]/.test(pattern)) return undefined;
  let previousRepeated: ReadonlySet<string> | undefined;
  const end = pattern.length - 1;
  for (let at = 1; at < end; ) {
    ATOM.lastIndex = at;
    const atom = ATOM.exec(pattern);
    if (!atom || ATOM.lastIndex > end) return undefined;
    // A negated class also takes characters outside ASCII, of which UTF-16 makes two units: RE2 counts one.
    if (atom[1] === '^') return undefined;
    const taken = charactersOf(atom[0]);
    if (!taken) return undefined;
    if (previousRepeated && [...taken].some((character) => previousRepeated!.has(character))) return undefined;
    REPEAT.lastIndex = ATOM.lastIndex;
    const repeat = REPEAT.exec(pattern)![1];
    at = ATOM.lastIndex + (repeat?.length ?? 0);
    if (at < end && /[*+?{]/.test(pattern[at]!)) return undefined;
    const bounds = repeat && /^\{(\d+)(?:(,)(\d*))?\}$/.exec(repeat);
    // RE2 refuses counts above 1000 and reversed ones; leave those, and what may match nothing, to it.
    if (bounds?.[3] && Number(bounds[3]) < Number(bounds[1])) return undefined;
    if (repeat && canBeEmpty(repeat)) {
      previousRepeated = new Set([...taken, ...(previousRepeated ?? [])]);
    } else {
      previousRepeated = repeat && !(bounds && !bounds[2]) ? taken : undefined;
    }
  }
  try {
    return new RegExp(pattern);
  } catch {
    return undefined;
  }
}

const canBeEmpty = (repeat: string): boolean => repeat === '*' || repeat === '?' || repeat.startsWith('{0');

/** The ASCII characters an atom takes; undefined when it cannot be told. */
function charactersOf(atom: string): ReadonlySet<string> | undefined {
  const result = new Set<string>();
  if (!atom.startsWith('[')) return result.add(atom.startsWith('\\') ? atom[1]! : atom);
  let expression: RegExp;
  try {
    expression = new RegExp(`^${atom}$`);
  } catch {
    return undefined;
  }
  for (let code = 0; code < 128; code++) {
    const character = String.fromCharCode(code);
    if (expression.test(character)) result.add(character);
  }
  return result;
}
