import { EffectError } from '../../engine/step/effect.ts';

/** Statements that change something. `include` would read files, and `quit` would end the child. */
const VERBS = new Set(['add', 'create', 'insert', 'replace', 'delete', 'destroy', 'flush', 'rename', 'reset', 'table']);
/** Braces after these hold statements; all others hold values. */
const BLOCK =
  /^(?:(?:add|create)\s+)?(?:table|chain|set|map|flowtable|counter|quota|limit|synproxy|ct\s+(?:helper|timeout|expectation))\s[^={]*$/;
/** Bytes. A rule has some hundred. */
const MAX_SCRIPT = 16 * 1024 * 1024;

/**
 * A script of nft in one line, which the resident child applies all or none. Throws {@link EffectError} `invalid` for what is more than
 * changes of tables: control characters, other statements, comments, a quotation mark that does not end in its line.
 */
export function scriptLine(script: string): string {
  const refuse = (why: string): never => {
    throw new EffectError('invalid', why, 'nft');
  };
  if (script.length > MAX_SCRIPT) refuse(`the script has ${script.length} characters, at most ${MAX_SCRIPT} are sent`);
  if (/[^\t\n\x20-\x7e]/.test(script)) refuse('the script holds characters other than printable ASCII');
  let line = '';
  /** Text since the last end of a statement. */
  let statement = '';
  let isQuoted = false;
  /** For each open brace, whether it holds statements. */
  const braces: boolean[] = [];
  const endStatement = (): void => {
    const text = statement.trim();
    if (text !== '' && braces.length === 0 && !VERBS.has(/^[a-z]*/.exec(text)![0])) {
      refuse(`${JSON.stringify(text.slice(0, 80))} does not begin with a change of a table`);
    }
    if (text !== '') line += ';';
    statement = '';
  };
  for (let i = 0; i < script.length; i++) {
    const character = script[i]!;
    if (isQuoted) {
      if (character === '\n') refuse('a quotation mark does not end in its line');
      if (character === '"') isQuoted = false;
      statement += character;
      line += character;
      continue;
    }
    if (character === '#') refuse('the script holds a comment');
    if (character === '\\') refuse('the script holds a backslash');
    const inStatements = braces.at(-1) ?? true;
    if ((character === '\n' && inStatements) || character === ';') endStatement();
    else if (character === '\n') line += ' ';
    else if (character === '{') {
      const isBlock = inStatements && BLOCK.test(statement.trim() === '' ? '' : `${statement.trim()} `);
      if (braces.length === 0 && !VERBS.has(/^[a-z]*/.exec(statement.trim())![0])) refuse('a brace stands where a statement begins');
      braces.push(isBlock);
      line += character;
      statement = isBlock ? '' : `${statement}{`;
    } else if (character === '}') {
      if (braces.pop() === undefined) refuse('a brace is closed that was not opened');
      if (inStatements) {
        const text = statement.trim();
        if (text !== '') line += ';';
        statement = 'table}';
      } else statement += character;
      line += character;
    } else {
      if (character === '"') isQuoted = true;
      statement += character;
      line += character;
    }
  }
  if (isQuoted) refuse('a quotation mark does not end');
  if (braces.length > 0) refuse('a brace is not closed');
  endStatement();
  return line.replace(/;\s*$/, '').trim();
}

const LIST_WORD = /^[A-Za-z0-9_./@:-]+$/;

/** A `list` command from words. Throws {@link EffectError} `invalid`. */
export function listLine(words: readonly string[]): string {
  if (words.length === 0 || words.length > 12) throw new EffectError('invalid', 'a list has one to twelve words', 'nft list');
  for (const word of words) {
    if (!LIST_WORD.test(word) || word.startsWith('-') || word.length > 256) {
      throw new EffectError('invalid', `${JSON.stringify(word.slice(0, 80))} can't be a word of a list`, 'nft list');
    }
  }
  return `list ${words.join(' ')}`;
}
