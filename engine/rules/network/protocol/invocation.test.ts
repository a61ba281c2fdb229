import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { printFault } from './fault.ts';
import { aboutText, type InvocationPurpose, MAX_CONFIG_DEPTH, MAX_CONFIG_LENGTH, MAX_CONFIG_VALUES, readInvocation } from './invocation.ts';
import { VERSION_ANSWER } from './version.ts';

const SUPPORTED = '["0.1.0" "0.2.0" "0.3.0" "0.3.1" "0.4.0" "1.0.0" "1.1.0"]';
const ENVIRONMENT = {
  CNI_COMMAND: 'ADD',
  CNI_CONTAINERID: 'some-container-id',
  CNI_NETNS: '/some/netns/path',
  CNI_IFNAME: 'eth0',
  CNI_ARGS: 'IgnoreUnknown=1;K8S_POD_NAME=web-0',
  CNI_PATH: '/opt/cni/bin:/usr/lib/cni',
};
type Environment = Partial<Record<keyof typeof ENVIRONMENT | 'CNI_NETNS_OVERRIDE', string>>;
const CONFIG = '{ "name": "net", "cniVersion": "1.1.0", "type": "my-cni" }';

const read = (changes: Environment = {}, stdin = CONFIG): InvocationPurpose =>
  readInvocation(new Map(Object.entries({ ...ENVIRONMENT, ...changes })), stdin);

/** `code: msg (details)`, or the kind of what was read. */
function brief(invocation: InvocationPurpose): string {
  if (invocation.kind !== 'fault') return invocation.kind;
  const { code, msg, details } = invocation.fault;
  return `${code}: ${msg}${details === undefined ? '' : ` (${details})`}`;
}

const ALL = ['ADD', 'CHECK', 'DEL', 'GC', 'STATUS'] as const;

describe('required variables', () => {
  const required: Record<string, readonly string[]> = {
    CNI_CONTAINERID: ['ADD', 'CHECK', 'DEL'],
    CNI_NETNS: ['ADD', 'CHECK'],
    CNI_IFNAME: ['ADD', 'CHECK', 'DEL'],
    CNI_ARGS: [],
    CNI_PATH: ALL,
  };
  const cases = Object.entries(required).flatMap(([name, commands]) =>
    [...ALL, 'VERSION'].map((command) => ({ name, command, isRequired: commands.includes(command) })),
  );
  it.each(cases)('$name for $command: $isRequired', ({ name, command, isRequired }) => {
    const expected = isRequired ? `4: required env variables [${name}] missing` : command === 'VERSION' ? 'version' : 'request';
    expect(brief(read({ CNI_COMMAND: command, [name]: '' }))).toBe(expected);
  });

  it.each([
    ['ADD', 'CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME,CNI_PATH'],
    ['CHECK', 'CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME,CNI_PATH'],
    ['DEL', 'CNI_CONTAINERID,CNI_IFNAME,CNI_PATH'],
    ['GC', 'CNI_PATH'],
    ['STATUS', 'CNI_PATH'],
  ])('tells all that are missing for %s', (command, names) => {
    expect(brief(readInvocation(new Map([['CNI_COMMAND', command]]), ''))).toBe(`4: required env variables [${names}] missing`);
  });
});

describe('values of variables', () => {
  it.each<[Environment, string]>([
    [{ CNI_CONTAINERID: 'some-%%container-id' }, '4: invalid characters in containerID (some-%%container-id)'],
    [{ CNI_CONTAINERID: '../../etc' }, '4: invalid characters in containerID (../../etc)'],
    [{ CNI_CONTAINERID: '.hidden' }, '4: invalid characters in containerID (.hidden)'],
    [{ CNI_CONTAINERID: 'a\n' }, '4: invalid characters in containerID (a\n)'],
    [{ CNI_CONTAINERID: 'a'.repeat(256) }, '4: containerID is too long (containerID should have at most 255 characters)'],
    [{ CNI_IFNAME: '1234567890123456' }, '4: interface name is too long (interface name should be less than 16 characters)'],
    [{ CNI_IFNAME: 'ethernet-äöü' + '1' }, '4: interface name is too long (interface name should be less than 16 characters)'],
    [{ CNI_IFNAME: '123456789012345' }, 'request'],
    [{ CNI_IFNAME: '.' }, '4: interface name is . or ..'],
    [{ CNI_IFNAME: '..' }, '4: interface name is . or ..'],
    [{ CNI_IFNAME: 'test/test' }, '4: interface name contains / or : or whitespace characters'],
    [{ CNI_IFNAME: 'test:test' }, '4: interface name contains / or : or whitespace characters'],
    [{ CNI_IFNAME: 'test test1' }, '4: interface name contains / or : or whitespace characters'],
    [{ CNI_IFNAME: 'test\u0085' }, '4: interface name contains / or : or whitespace characters'],
    [{ CNI_IFNAME: 'a;b' }, '4: CNI_IFNAME: interface name "a;b" must not contain ";"'],
    [{ CNI_IFNAME: '-a' }, '4: CNI_IFNAME: interface name "-a" must not begin with a dash'],
    [{ CNI_IFNAME: 'a;b', CNI_COMMAND: 'DEL' }, 'request'],
    // A wrong value is told before a missing one, whatever their order.
    [{ CNI_CONTAINERID: '', CNI_IFNAME: 'a/b' }, '4: interface name contains / or : or whitespace characters'],
    [{ CNI_CONTAINERID: '%', CNI_IFNAME: 'a/b' }, '4: invalid characters in containerID (%)'],
    // What a verb does not need is not looked at.
    [{ CNI_COMMAND: 'GC', CNI_CONTAINERID: '%', CNI_IFNAME: 'a/b' }, 'request'],
    [{ CNI_COMMAND: 'VERSION', CNI_CONTAINERID: '%', CNI_IFNAME: 'a/b' }, 'version'],
    [{ CNI_COMMAND: 'FOO' }, '4: unknown CNI_COMMAND: FOO'],
    [{ CNI_COMMAND: 'add' }, '4: unknown CNI_COMMAND: add'],
    [{ CNI_ARGS: 'K8S_POD_NAME' }, '4: ARGS: invalid pair "K8S_POD_NAME"'],
    [{ CNI_ARGS: 'A=B=C' }, '4: ARGS: invalid pair "A=B=C"'],
    [{ CNI_ARGS: 'A=B;' }, '4: ARGS: invalid pair ""'],
    [{ CNI_ARGS: 'A=B;', CNI_COMMAND: 'CHECK' }, '4: ARGS: invalid pair ""'],
    // Nothing is kept from being removed by what only matters when it is made.
    [{ CNI_ARGS: 'A=B;', CNI_COMMAND: 'DEL' }, 'request'],
  ])('%j', (changes, expected) => {
    expect(brief(read(changes))).toBe(expected);
  });
});

describe('the configuration', () => {
  const decode = 'error unmarshall network config:';
  const struct = 'Go value of type struct { Name string "json:\\"name\\"" }';
  it.each<[string, string]>([
    ['', `6: ${decode} unexpected end of JSON input`],
    ['{', `6: ${decode} unexpected end of JSON input`],
    ['{"name":"a"} x', `6: ${decode} invalid character 'x' after top-level value`],
    ['{"name":"a",}', `6: ${decode} invalid character '}' looking for beginning of object key string`],
    ['[]', `6: ${decode} json: cannot unmarshal array into ${struct}`],
    ['1', `6: ${decode} json: cannot unmarshal number into ${struct}`],
    ['"x"', `6: ${decode} json: cannot unmarshal string into ${struct}`],
    ['true', `6: ${decode} json: cannot unmarshal bool into ${struct}`],
    ['null', '7: missing network name'],
    ['{}', '7: missing network name'],
    ['{"name":null}', '7: missing network name'],
    ['{"name":""}', '7: missing network name'],
    ['{"name":1}', `6: ${decode} json: cannot unmarshal number into Go struct field .name of type string`],
    ['{"name":true}', `6: ${decode} json: cannot unmarshal bool into Go struct field .name of type string`],
    ['{"name":{}}', `6: ${decode} json: cannot unmarshal object into Go struct field .name of type string`],
    ['{"name":[]}', `6: ${decode} json: cannot unmarshal array into Go struct field .name of type string`],
    ['{"name":"te%%st"}', '7: invalid characters found in network name (te%%st)'],
    ['{"name":"../net"}', '7: invalid characters found in network name (../net)'],
    ['{"name":"a\\n"}', '7: invalid characters found in network name (a\n)'],
    [`{"name":"${'n'.repeat(256)}"}`, '7: network name is too long (a network name should have at most 255 characters)'],
    ['{"NAME":"net"}', 'request'],
    [
      '{"name":"net","cniVersion":1}',
      '6: decoding version from network config: json: cannot unmarshal number into Go struct field .cniVersion of type string',
    ],
    ['{"name":"net","cniVersion":""}', 'request'],
    ['{"name":"net"}', 'request'],
    ['{"name":"net","cniVersion":"adsfsadf"}', `1: incompatible CNI versions (config is "adsfsadf", plugin supports ${SUPPORTED})`],
    ['{"name":"net","cniVersion":"0.5.0"}', `1: incompatible CNI versions (config is "0.5.0", plugin supports ${SUPPORTED})`],
    ['{"name":"net","cniVersion":"2.0.0"}', `1: incompatible CNI versions (config is "2.0.0", plugin supports ${SUPPORTED})`],
    [`{"name":"net","x":"${'x'.repeat(MAX_CONFIG_LENGTH)}"}`, `6: ${decode} it has more than ${MAX_CONFIG_LENGTH} characters`],
    [`{"name":"net","x":[${'1,'.repeat(MAX_CONFIG_VALUES)}1]}`, `6: ${decode} it has more than ${MAX_CONFIG_VALUES} values`],
    [`{"name":"net","x":[${'{},'.repeat(MAX_CONFIG_VALUES / 2)}1]}`, `6: ${decode} it has more than ${MAX_CONFIG_VALUES} values`],
    [`{"name":"net","x":[${'1,'.repeat(MAX_CONFIG_VALUES - 10)}1]}`, 'request'],
    [`{"name":"net","x":"${'[,{'.repeat(MAX_CONFIG_VALUES)}\\"${',,'.repeat(MAX_CONFIG_VALUES)}"}`, 'request'],
    [
      `{"name":"net","x":${'['.repeat(MAX_CONFIG_DEPTH)}${']'.repeat(MAX_CONFIG_DEPTH)}}`,
      `6: ${decode} lists and maps are nested deeper than ${MAX_CONFIG_DEPTH} levels`,
    ],
    ['{"name":"net","prevResult":7}', '6: could not parse prevResult: the result is 7, expected an object'],
    ['{"name":"net","prevResult":null}', 'request'],
    [
      '{"name":"net","prevResult":{"cniVersion":"1.0.0"}}',
      '6: could not parse prevResult: result type supports [ 0.1.0 0.2.0] but unmarshalled CNIVersion is "1.0.0"',
    ],
  ])('%.60s', (stdin, expected) => {
    expect(brief(read({}, stdin))).toBe(expected);
  });

  it('is judged before the verb is known', () => {
    expect(brief(read({ CNI_COMMAND: 'FOO' }, '{'))).toBe(`6: ${decode} unexpected end of JSON input`);
    expect(brief(read({ CNI_COMMAND: 'FOO' }, '{"name":"net","cniVersion":"7"}'))).toBe('4: unknown CNI_COMMAND: FOO');
  });

  it('is removed with whatever it says of the past', () => {
    expect(brief(read({ CNI_COMMAND: 'DEL' }, '{"name":"net","prevResult":7}'))).toBe('request');
  });
});

describe('versions of verbs', () => {
  it.each<[string, string, string]>([
    ['CHECK', '0.3.1', '1: config version does not allow CHECK'],
    ['CHECK', '', '1: config version does not allow CHECK'],
    ['CHECK', '0.4.0', 'request'],
    ['CHECK', '1.1.0', 'request'],
    ['CHECK', '1.0.5', `1: incompatible CNI versions (config is "1.0.5", plugin supports ${SUPPORTED})`],
    ['CHECK', '1.2.0', '1: plugin version does not allow CHECK'],
    ['GC', '1.0.0', '1: config version does not allow GC'],
    ['GC', '1.1.0', 'request'],
    ['GC', '9', '1: plugin version does not allow GC'],
    ['STATUS', '1.0.0', '1: config version does not allow STATUS'],
    ['STATUS', '1.1.0', 'request'],
    ['STATUS', '1.1', `1: incompatible CNI versions (config is "1.1", plugin supports ${SUPPORTED})`],
    ['STATUS', '2.0', '1: plugin version does not allow STATUS'],
    ['STATUS', 'x', '6: failed to convert major version part "x": strconv.Atoi: parsing "x": invalid syntax'],
    ['STATUS', '1.', '6: failed to convert minor version part "": strconv.Atoi: parsing "": invalid syntax'],
    ['STATUS', '1.1.0.1', '6: invalid version "1.1.0.1": too many parts'],
    ['STATUS', '+1.+1.0', `1: incompatible CNI versions (config is "+1.+1.0", plugin supports ${SUPPORTED})`],
    [
      'STATUS',
      '99999999999999999999.1.1',
      '6: failed to convert major version part "99999999999999999999": strconv.Atoi: parsing "99999999999999999999": value out of range',
    ],
    ['DEL', '0.1.0', 'request'],
  ])('%s of %s', (command, version, expected) => {
    expect(brief(read({ CNI_COMMAND: command }, JSON.stringify({ name: 'net', cniVersion: version })))).toBe(expected);
  });
});

describe('what is read', () => {
  it('is a request', () => {
    const prevResult = { cniVersion: '0.4.0', ips: [{ version: '4', address: '10.1.0.5/16', interface: 0 }] };
    const stdin = JSON.stringify({ name: 'net', cniVersion: '0.4.0', type: 'my-cni', prevResult });
    expect(read({ CNI_NETNS_OVERRIDE: 'TRue' }, stdin)).toEqual({
      kind: 'request',
      netnsOverride: true,
      request: {
        command: 'ADD',
        containerId: 'some-container-id',
        netns: '/some/netns/path',
        ifName: 'eth0',
        cniVersion: '0.4.0',
        network: 'net',
        args: { IgnoreUnknown: '1', K8S_POD_NAME: 'web-0' },
        path: ['/opt/cni/bin', '/usr/lib/cni'],
        config: JSON.parse(stdin),
        prevResult: { interfaces: [], ips: [{ address: '10.1.0.5/16', interface: 0 }], routes: [], dns: {} },
      },
    });
  });

  it.each([
    ['1', true],
    ['true', true],
    ['yes', false],
    ['', false],
  ])('CNI_NETNS_OVERRIDE %j', (value, expected) => {
    expect(read({ CNI_NETNS_OVERRIDE: value })).toMatchObject({ netnsOverride: expected });
  });

  it('holds no key that comes from nowhere', () => {
    const invocation = read({ CNI_ARGS: '__proto__=x;constructor=y' });
    if (invocation.kind !== 'request') throw new Error('a request was expected');
    expect(Object.keys(invocation.request.args)).toEqual(['__proto__', 'constructor']);
  });

  it('is VERSION without any look at standard input', () => {
    expect(brief(read({ CNI_COMMAND: 'VERSION' }, '{'))).toBe('version');
    expect(VERSION_ANSWER).toBe('{"cniVersion":"1.1.0","supportedVersions":["0.1.0","0.2.0","0.3.0","0.3.1","0.4.0","1.0.0","1.1.0"]}\n');
  });

  it('is a person who calls by hand', () => {
    expect(brief(readInvocation(new Map([['CNI_CONTAINERID', '%']]), ''))).toBe('about');
    expect(aboutText('my-cni', '1.2.3')).toBe(
      'CNI plugin my-cni of Fairlead 1.2.3\nCNI protocol versions supported: 0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0\n',
    );
  });
});

describe('whatever comes', () => {
  const word = fc.oneof(fc.string({ maxLength: 20 }), fc.constantFrom('', 'eth0', 'net', '1.1.0', '0.1.0', '../x', '__proto__'));
  const json = fc.json({ maxDepth: 4 });
  const config = fc
    .record(
      { name: fc.oneof(word, fc.jsonValue()), cniVersion: fc.oneof(word, fc.jsonValue()), prevResult: fc.jsonValue() },
      { requiredKeys: [] },
    )
    .map((value) => JSON.stringify(value));
  const environment = fc.record({
    CNI_COMMAND: fc.oneof(fc.constantFrom('ADD', 'DEL', 'CHECK', 'GC', 'STATUS', 'VERSION', ''), word),
    CNI_CONTAINERID: word,
    CNI_NETNS: word,
    CNI_IFNAME: word,
    CNI_ARGS: word,
    CNI_PATH: word,
  });

  it('is answered: with what it is, or with a code and words', () => {
    fc.assert(
      fc.property(environment, fc.oneof(json, config, fc.string()), (variables, stdin) => {
        const invocation = readInvocation(new Map(Object.entries(variables)), stdin);
        if (invocation.kind === 'fault') {
          expect([1, 4, 6, 7]).toContain(invocation.fault.code);
          expect(invocation.fault.msg).not.toBe('');
          expect(JSON.parse(printFault(invocation.fault))).toEqual(invocation.fault);
        }
        if (invocation.kind !== 'request') return;
        const { network, containerId, command } = invocation.request;
        expect(network).toMatch(/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/);
        if (command !== 'GC' && command !== 'STATUS') expect(containerId).toMatch(/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/);
      }),
      { numRuns: 2000 },
    );
  });
});

it('prints faults as the official plugins do', () => {
  expect(printFault({ code: 7, msg: 'missing network name' })).toBe('{\n    "code": 7,\n    "msg": "missing network name"\n}');
  expect(printFault({ code: 7, msg: 'm', details: '<a> & b' })).toBe(
    '{\n    "code": 7,\n    "msg": "m",\n    "details": "\\u003ca\\u003e \\u0026 b"\n}',
  );
});
