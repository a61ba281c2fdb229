/**
 * JavaScript text that is safe to compile. There are only three ways to get one: the constant parts of a {@link js} template
 * (written by us), a {@link Name}, and a value as a JSON literal. Text of a rule or a request can therefore enter generated code
 * as a literal and in no other way.
 */
export class Code {
  readonly #text: string;

  private constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }

  /** A template: constant parts as they are, interpolated strings, numbers and booleans as literals. */
  static template(parts: TemplateStringsArray, ...values: readonly Fragment[]): Code {
    let text = parts[0]!;
    values.forEach((value, i) => {
      text += Code.render(value) + parts[i + 1]!;
    });
    return new Code(text);
  }

  private static render(value: Fragment): string {
    if (value instanceof Code || value instanceof Name) return value.toString();
    if (Array.isArray(value)) return value.map(Code.render).join('');
    return literalText(value as string | number | boolean | null);
  }
}

/** What a template takes. A list is put one after the other. */
export type Fragment = Code | Name | string | number | boolean | null | readonly Fragment[];

/** An identifier that we made. Anything else is a bug, and refused. */
export class Name {
  readonly #text: string;

  constructor(text: string) {
    if (!/^[a-z$][A-Za-z0-9$]*$/.test(text)) throw new TypeError(`not a name for generated code: ${JSON.stringify(text)}`);
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

/** Tag of code templates. */
export const js = Code.template;

/** Puts a separator between fragments. */
export function separated(fragments: readonly Fragment[], separator: Code): Code {
  return js`${fragments.flatMap((fragment, i) => (i === 0 ? [fragment] : [separator, fragment]))}`;
}

/** `object.name` for names that are plain identifiers, `object["name"]` for the rest. */
export function property(object: Fragment, name: string): Code {
  // `__proto__` after a dot would be the accessor in places where an own property is meant; the brackets read the same one, so
  // callers keep such names away from here. See inherited.ts.
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? js`${object}.${new PropertyName(name)}` : js`${object}[${name}]`;
}

function literalText(value: string | number | boolean | null): string {
  if (typeof value !== 'number') return escapeLineEnds(JSON.stringify(value));
  if (Number.isFinite(value)) return Object.is(value, -0) ? '-0' : value < 0 ? `(${value})` : String(value);
  throw new TypeError('a number without literal is no part of generated code');
}

/** U+2028 and U+2029 are line ends in older JavaScript even inside strings. */
function escapeLineEnds(text: string): string {
  return text.replace(/[\u2028\u2029]/g, (character) => `\\u${character.charCodeAt(0).toString(16)}`);
}

/** A property name after a dot; its only maker has checked it. */
class PropertyName extends Name {
  readonly #property: string;
  constructor(property: string) {
    super('property');
    this.#property = property;
  }
  override toString(): string {
    return this.#property;
  }
}

/** Makes names that no other has. */
export function nameSource(): (prefix: string) => Name {
  let count = 0;
  return (prefix) => new Name(`${prefix}${count++}`);
}
