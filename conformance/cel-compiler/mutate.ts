const TOKEN = /'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[A-Za-z_]\w*|\d+\.?\d*|&&|\|\||[<>=!]=|\s+|./gsu;

const POOL = [
  ...['(', ')', '[', ']', '{', '}', '.', ',', '?', ':', '+', '-', '!', '&&', '||', '==', 'in', '.?', '[?'],
  ...['1', '1.5', '"a"', 'x', 'size', 'null', 'true', 'has', 'for', '@', '`', '=', '|', "'"],
];

/**
 * Expressions as they are while somebody is still typing: a token or two missing, doubled, replaced or out of place. The same
 * ones on every run.
 */
export function* mutations(expressions: readonly string[], count: number): Generator<string> {
  let state = 1;
  const random = (limit: number): number => {
    // A linear congruential generator: nothing here needs better numbers, only the same ones.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  for (let made = 0; made < count; made++) {
    const tokens = expressions[random(expressions.length)]!.match(TOKEN) ?? ['x'];
    for (let times = random(4) === 0 ? 2 : 1; times > 0; times--) {
      const at = random(tokens.length);
      const other = POOL[random(POOL.length)]!;
      switch (random(4)) {
        case 0:
          tokens.splice(at, 1);
          break;
        case 1:
          tokens.splice(at, 0, other);
          break;
        case 2:
          tokens[at] = other;
          break;
        default: {
          const swap = random(tokens.length);
          [tokens[at], tokens[swap]] = [tokens[swap]!, tokens[at]!];
        }
      }
      if (tokens.length === 0) tokens.push('x');
    }
    yield tokens.join('');
  }
}
