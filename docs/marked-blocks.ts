/** A fenced block of a page whose info string has a mark behind the language: `yaml denied`. */
export interface MarkedBlock {
  readonly mark: string;
  readonly text: string;
  /** 1-based line of the fence. */
  readonly line: number;
}

const FENCED = /^```yaml ([a-z]+)\n([\s\S]*?)^```\n(?:(\n```text\n)([\s\S]*?)(^```\n))?/gm;

/** The marked blocks of a page, in order. */
export function markedBlocks(page: string): readonly MarkedBlock[] {
  return [...page.matchAll(FENCED)].map((match) => ({
    mark: match[1] ?? '',
    text: match[2] ?? '',
    line: page.slice(0, match.index).split('\n').length,
  }));
}

/**
 * The page with what the program prints: the `text` block that follows a marked block holds the output for it. A block without
 * an output must not have one behind it. Throws when an output has no place on the page.
 */
export async function withOutputs(page: string, outputOf: (block: MarkedBlock) => Promise<string | undefined>): Promise<string> {
  const outputs = await Promise.all(markedBlocks(page).map(outputOf));
  let index = 0;
  return page.replace(FENCED, (whole: string, mark: string, text: string, before: string | undefined, _old, after: string | undefined) => {
    const output = outputs[index++];
    if (output === undefined) return whole;
    if (before === undefined || after === undefined) throw new Error(`no \`\`\`text block follows this \`yaml ${mark}\` block:\n${text}`);
    return `\`\`\`yaml ${mark}\n${text}\`\`\`\n${before}${output.trimEnd()}\n${after}`;
  });
}
