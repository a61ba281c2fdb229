import { resolvePlainScalar } from './yaml-scalar.ts';

/** Characters that text may not start with when it stands without quotes. */
const INDICATORS = /^[-?:,[\]{}#&*!|>'"%@`=<\s]/;
/** What ends plain text, or can't stand in it. */
const NOT_PLAIN = /: |:$| #|[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]|\s$/u;
const NOT_BLOCK = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]/u;

/**
 * Plain data as block YAML, in the layout of `kubectl get -o yaml`: two spaces, dashes not indented, keys in the order they
 * have. Text is quoted wherever any YAML parser, 1.1 or 1.2, could take it for something else. Ends with a line feed.
 */
export function printYaml(value: unknown): string {
  if (isCollection(value) && !isEmpty(value)) return printBlock(value, '');
  return `${printInline(value, '')}\n`;
}

function isCollection(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function isEmpty(value: object): boolean {
  return Array.isArray(value) ? value.length === 0 : entriesOf(value).length === 0;
}

function entriesOf(value: object): [string, unknown][] {
  return Object.entries(value).filter(([, item]) => item !== undefined);
}

function printBlock(value: object, indent: string): string {
  if (Array.isArray(value)) {
    return value
      .map((item: unknown) => {
        if (!isCollection(item) || isEmpty(item)) return `${indent}- ${printInline(item, `${indent}  `)}\n`;
        // The first line of the part stands behind the dash.
        return `${indent}- ${printBlock(item, `${indent}  `).slice(indent.length + 2)}`;
      })
      .join('');
  }
  return entriesOf(value)
    .map(([key, item]) => {
      const head = `${indent}${printString(key, undefined)}:`;
      if (!isCollection(item) || isEmpty(item)) return `${head} ${printInline(item, `${indent}  `)}\n`;
      return `${head}\n${printBlock(item, Array.isArray(item) ? indent : `${indent}  `)}`;
    })
    .join('');
}

function printInline(value: unknown, indent: string): string {
  switch (typeof value) {
    case 'string':
      return printString(value, indent);
    case 'number':
    case 'bigint':
    case 'boolean':
      return String(value);
    case 'object':
      return value === null ? 'null' : Array.isArray(value) ? '[]' : '{}';
    default:
      return 'null';
  }
}

/** `indent` of the lines of a block scalar; undefined where none may stand (keys). */
function printString(text: string, indent: string | undefined): string {
  if (text.includes('\n') && indent !== undefined && text.trim() !== '' && !NOT_BLOCK.test(text) && !/^\s/.test(text))
    return printLiteral(text, indent);
  const meaning = resolvePlainScalar(text);
  const isText = meaning.kind === 'value' && typeof meaning.value === 'string';
  if (isText && !looksLikeAnotherType(text) && !INDICATORS.test(text) && !NOT_PLAIN.test(text)) return text;
  return JSON.stringify(text).replace(
    /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Dates, base 60 numbers and what YAML 1.1 parsers know beside them. */
function looksLikeAnotherType(text: string): boolean {
  return /^[-+.]?[0-9]/.test(text) && /^[-+0-9._:eExXoObBa-fA-FtTzZ ]+$/.test(text);
}

function printLiteral(text: string, indent: string): string {
  const chomping = text.endsWith('\n') ? (/\n\n$/.test(text) ? '+' : '') : '-';
  const lines = (chomping === '-' ? text : text.slice(0, -1)).split('\n');
  return `|${chomping}\n${lines.map((line) => (line === '' ? '' : `${indent === '' ? '  ' : indent}${line}`)).join('\n')}`;
}
