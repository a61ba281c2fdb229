import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createEnvironment } from '../cel/create-environment.ts';
import { DYN } from '../cel/types.ts';
import { CelError, type CelValue, Duration, double, NONE, Struct, some, Timestamp, TypeValue, Uint } from '../cel/values.ts';
import { type Json, jsonEqual } from './json.ts';
import { compileTemplate, isTemplate, type RenderOptions, type TemplateExpression } from './template.ts';
import { splitTemplateText } from './template-text.ts';

/** Stands in for CEL: an expression is the name of a value. */
const values: Record<string, CelValue> = {
  name: 'web',
  n: 3,
  big: 9007199254740993n,
  half: 0.5,
  two: double(2),
  yes: true,
  nothing: null,
  none: NONE,
  present: some('here'),
  list: ['a', 'b'],
  map: { a: 1 },
  nested: { a: NONE, b: [some(1), NONE], c: some({ d: double(1) }) },
  when: new Timestamp(0, 500_000_000),
  span: new Duration(1_500_000_000n),
  bytes: new Uint8Array([0xfb, 0xff]),
  text: new TextEncoder().encode('hé'),
  uint: new Uint(7n),
  type: new TypeValue('int'),
  nan: Number.NaN,
  object: new Struct('Object.spec', { a: 1 }),
};
const evaluate = (name: string): CelValue => {
  if (!Object.hasOwn(values, name)) throw new CelError(`no such key: ${name}`);
  return values[name] as CelValue;
};
const render = (template: Json, options?: RenderOptions): unknown => {
  const compiled = compileTemplate(template, ({ text }) => text.trim());
  if (!compiled.template) return compiled.issues;
  try {
    return compiled.template.render(evaluate, options);
  } catch (error) {
    if (error instanceof CelError) return `error: ${error.message}`;
    throw error;
  }
};

describe('splitTemplateText', () => {
  it.each<[string, string[]]>([
    ['', ['']],
    ['plain', ['plain']],
    ['${a}', ['<a>']],
    ['x${a}y${b}', ['x', '<a>', 'y', '<b>']],
    ['${ {"k": 1}["k"] }', ['< {"k": 1}["k"] >']],
    ['${ "}" }', ['< "}" >']],
    ["${ '}' + \"'}\" }", ["< '}' + \"'}\" >"]],
    ['${ "a\\"}" }', ['< "a\\"}" >']],
    ['${ r"\\" }x', ['< r"\\" >', 'x']],
    ['${ bR"\\" }x', ['< bR"\\" >', 'x']],
    ['${ var"\\"}" }x', ['< var"\\"}" >', 'x']],
    ['${ """ " } """ }x', ['< """ " } """ >', 'x']],
    ["${ r'''\\'''}x", ["< r'''\\'''>", 'x']],
    ['${ a.`}`.b }x', ['< a.`}`.b >', 'x']],
    ['${ a // } \n + b }x', ['< a // } \n + b >', 'x']],
    ['${ Object{a: Object.b{c: 1}} }', ['< Object{a: Object.b{c: 1}} >']],
    ['$${a}', ['${a}']],
    ['$$${a}', ['$${a}']],
    ['$a $', ['$a $']],
    ['$${${a}$${', ['${', '<a>', '${']],
    ['"${a}"', ['"', '<a>', '"']],
  ])('%j', (text, pieces) => {
    const split = splitTemplateText(text);
    expect(split.pieces.map((piece) => (piece.kind === 'text' ? piece.text : `<${piece.text}>`))).toEqual(pieces);
    for (const piece of split.pieces) if (piece.kind === 'expression') expect(text.slice(piece.start, piece.end)).toBe(piece.text);
  });

  it.each([['x${a'], ['${ "}'], ['${ { }'], ['${ a // }'], ['${ `}']])('says where %j is not closed', (text) => {
    expect(splitTemplateText(text)).toMatchObject({
      pieces: [],
      issues: [{ code: 'template-unclosed', start: text.indexOf('${'), end: text.length }],
    });
  });

  it('law: any text comes back when its ${ are escaped', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('$', '{', '}', 'a', '${', '"')).map((parts) => parts.join('')),
        (text) => {
          const { pieces } = splitTemplateText(text.replaceAll('${', () => '$${'));
          return pieces.length === 1 && pieces[0]?.text === text;
        },
      ),
    );
  });

  it('takes time in proportion to the text', () => {
    const hostile = '${'.repeat(50_000);
    expect(splitTemplateText(hostile).issues).toHaveLength(1);
    expect(splitTemplateText('${a}'.repeat(50_000)).pieces).toHaveLength(50_000);
  });
});

describe('compileTemplate', () => {
  it.each<[string, Json, unknown]>([
    ['a plain value', { a: [1, true, null, 'x'] }, { a: [1, true, null, 'x'] }],
    [
      'the typed value of a whole string',
      { a: '${n}', b: '${ list }', c: '${map}', d: '${nothing}' },
      { a: 3, b: ['a', 'b'], c: { a: 1 }, d: null },
    ],
    ['a whole string as a block scalar ends it', '${n}\n', 3],
    ['text', 'app-${name}-${n}', 'app-web-3'],
    [
      'text of every scalar',
      '${n} ${half} ${two} ${yes} ${uint} ${when} ${span} ${text} ${present}',
      '3 0.5 2 true 7 1970-01-01T00:00:00.5Z 1.5s hé here',
    ],
    ['a space before makes text', ' ${n}', ' 3'],
    ['keys', { 'x-${name}': 1, '$${n}': '${n}' }, { 'x-web': 1, '${n}': 3 }],
    ['left-out fields and elements', { a: '${none}', b: ['x', '${none}', 'y'], c: { d: '${none}' } }, { b: ['x', 'y'], c: {} }],
    ['optionals with a value', '${present}', 'here'],
    ['optionals inside values', '${nested}', { b: [1], c: { d: 1 } }],
    [
      'values beyond JSON',
      ['${when}', '${span}', '${bytes}', '${uint}', '${two}', '${big}', '${object}'],
      ['1970-01-01T00:00:00.5Z', '1.5s', '+/8=', 7, 2, 9007199254740993n, { a: 1 }],
    ],
    ['the escape', ['$${n}', 'a$${', { $: '$' }], ['${n}', 'a${', { $: '$' }]],
    ['hostile keys', JSON.parse('{"__proto__": "${n}"}') as Json, JSON.parse('{"__proto__": 3}')],
  ])('renders %s', (_, template, expected) => {
    const rendered = render(template);
    expect(rendered).toEqual(expected);
    if (typeof template === 'object') expect(Object.getPrototypeOf(rendered)).toBe(Object.getPrototypeOf(template));
  });

  it('renders nothing where the whole is absent', () => {
    expect(render('${none}')).toBeUndefined();
  });

  it.each<[Json, string]>([
    [
      'a ${list}',
      "error: a value of type list can't be put into text: only strings, numbers, bools, times and the like can stand inside text",
    ],
    [
      'a ${nothing}',
      "error: a value of type null_type can't be put into text: only strings, numbers, bools, times and the like can stand inside text",
    ],
    ['a ${none}', "error: a value of type optional_type can't be put into text: give it a value with orValue()"],
    ['${type}', 'error: a value of type type has no JSON form'],
    ['${nan}', 'error: NaN has no JSON form'],
    ['${missing}', 'error: no such key: missing'],
    [{ '${name}': 1, web: 2 }, 'error: two keys of the template are "web"'],
  ])('%j: %s', (template, message) => {
    expect(render(template)).toBe(message);
  });

  it('says where expressions stand, and compiles all of them although one is bad', () => {
    const seen: TemplateExpression[] = [];
    const compiled = compileTemplate({ a: ['x ${bad} ${good}'], 'k-${key}': '${ whole }' }, (expression) => {
      seen.push(expression);
      return expression.text === 'bad' ? undefined : expression.text;
    });
    expect(compiled).toEqual({ template: undefined, issues: [] });
    expect(seen).toEqual([
      { text: 'bad', path: ['a', 0], offset: 4, part: 'value', use: 'text' },
      { text: 'good', path: ['a', 0], offset: 11, part: 'value', use: 'text' },
      { text: 'key', path: ['k-${key}'], offset: 4, part: 'key', use: 'text' },
      { text: ' whole ', path: ['k-${key}'], offset: 2, part: 'value', use: 'value' },
    ]);
  });

  it('collects the mistakes of the template itself', () => {
    expect(render({ a: 'x${', b: ['${ }'], '${': 1 })).toMatchObject([
      { code: 'template-unclosed', path: ['a'], part: 'value', start: 1, end: 3 },
      { code: 'template-empty-expression', path: ['b', 0], start: 0, end: 4 },
      { code: 'template-unclosed', path: ['${'], part: 'key' },
    ]);
  });

  it('shares what has no expression in it', () => {
    const shared = { deep: [1, { a: 'b' }] };
    const compiled = compileTemplate({ shared, n: '${n}' }, ({ text }) => text);
    const rendered = compiled.template?.render(evaluate) as { shared: unknown } | undefined;
    expect(rendered?.shared).toBe(shared);
  });

  it('limits what comes out', () => {
    expect(render({ a: '${name}'.repeat(2) }, { maxSize: 20 })).toEqual({ a: 'webweb' });
    expect(render({ a: '${list}' }, { maxSize: 10 })).toBe('error: the rendered value is larger than the limit');
    expect(render('${name} '.repeat(100), { maxSize: 50 })).toBe('error: the rendered value is larger than the limit');
    expect(render(['x'.repeat(100)], { maxSize: 50 })).toBe('error: the rendered value is larger than the limit');
    let deep: Json = '${n}';
    for (let i = 0; i < 1001; i++) deep = [deep];
    expect(render(deep)).toMatchObject([{ code: 'template-too-deep' }]);
  });

  it('law: data without ${ renders to itself', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const json = value as Json;
        return isTemplate(json) || jsonEqual(render(json) as Json, json);
      }),
    );
  });
});

describe('with CEL itself', () => {
  const environment = createEnvironment({ variables: { object: DYN, params: DYN } });
  const renderWith = (template: Json, activation: Record<string, CelValue>): unknown => {
    const { template: compiled, issues } = compileTemplate(template, ({ text }) => {
      const result = environment.compile(text);
      if (!result.ok) throw new Error(result.issues.map((issue) => issue.message).join('; '));
      return result.program;
    });
    expect(issues).toEqual([]);
    return compiled?.render((program) => program.run(activation, { remaining: 1_000_000 }));
  };

  it('builds a side car', () => {
    const template = {
      metadata: { labels: { team: '${params.team}', 'app-${object.metadata.name}': 'yes' }, annotations: { note: 'price $${amount}' } },
      spec: {
        containers: [
          {
            name: '${object.metadata.name}-proxy',
            image: '${"registry.local/" + params.image}',
            args: '${object.spec.containers.map(c, "--watch=" + c.name)}',
            resources: { limits: { memory: '${quantity("1Gi").add(quantity("512Mi"))}' } },
            env: [
              { name: 'TIMEOUT', value: '${duration("90s")}' },
              { name: 'SINCE', value: '${timestamp("2024-01-02T03:04:05Z")}' },
              '${object.spec.?nodeName.optMap(n, {"name": "NODE", "value": string(n)})}',
            ],
            securityContext: { runAsUser: '${int(params.uid)}', privileged: '${object.spec.?hostPID}' },
          },
        ],
      },
    };
    const object = { metadata: { name: 'web' }, spec: { containers: [{ name: 'a' }, { name: 'b' }] } };
    expect(renderWith(template, { object, params: { team: 'x', image: 'proxy:1', uid: '1000' } })).toEqual({
      metadata: { labels: { team: 'x', 'app-web': 'yes' }, annotations: { note: 'price ${amount}' } },
      spec: {
        containers: [
          {
            name: 'web-proxy',
            image: 'registry.local/proxy:1',
            args: ['--watch=a', '--watch=b'],
            resources: { limits: { memory: '1536Mi' } },
            env: [
              { name: 'TIMEOUT', value: '90s' },
              { name: 'SINCE', value: '2024-01-02T03:04:05Z' },
            ],
            securityContext: { runAsUser: 1000 },
          },
        ],
      },
    });
  });
});
