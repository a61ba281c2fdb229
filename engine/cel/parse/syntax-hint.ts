import type { CelIssue } from '../issue.ts';

const WORDS: Readonly<Record<string, string>> = { and: '&&', or: '||' };
const QUOTE = /^[rRbB]*['"]/;

/** What to write instead, for mistakes that people bring along from other languages. */
function hintForSyntax(text: string, { at }: CelIssue): string | undefined {
  const rest = text.slice(at, at + 80);
  if (/^=(?!=)/.test(rest)) return 'compare with ==';
  const word = /^[a-z]+/.exec(rest)?.[0];
  if (word !== undefined && Object.hasOwn(WORDS, word)) return `write ${WORDS[word]}`;
  if (/(?:^|[\s(&|!])not\s+$/.test(text.slice(Math.max(0, at - 80), at))) return 'write ! for not';
  if (QUOTE.test(rest) && rest.includes('\\')) return `a backslash begins an escape: write it twice, or a raw string, r'...'`;
  return undefined;
}

/** Adds hints to syntax errors, each hint once: one slip often leads to several errors. */
export function withHints(text: string, issues: readonly CelIssue[]): CelIssue[] {
  const given = new Set<string>();
  return issues.map((issue) => {
    const hint = issue.hint === undefined && issue.code === 'syntax' ? hintForSyntax(text, issue) : undefined;
    if (hint === undefined || given.has(hint)) return issue;
    given.add(hint);
    return { ...issue, hint };
  });
}
