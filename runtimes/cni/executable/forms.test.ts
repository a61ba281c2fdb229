import { linkSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { writeProgram } from '../../host/program-file.fixture.ts';
import { formatAnswer, MAX_INVOCATION_BYTES, parseInvocation, SPOOL_NAME, WIRE_HEADER } from '../wire.ts';
import { callExecutable, EXECUTABLE_VARIANTS, executableTemplate, type FakeServer, fakeServer, writeExecutable } from './forms.fixture.ts';
import { ExecutableError, fillExecutable, isExecutableOfOurs, readExecutable } from './forms.ts';

const linux = process.platform === 'linux';
const root = mkdtempSync(join(tmpdir(), 'fairlead-executable-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const CONFIG = '{"cniVersion": "1.0.0", "name": "net", "type": "bridge"}';
const ADD = {
  CNI_COMMAND: 'ADD',
  CNI_CONTAINERID: 'c1',
  CNI_NETNS: '/run/netns/c1',
  CNI_IFNAME: 'eth0',
  CNI_ARGS: 'K8S_POD_NAME=web;X=ü',
  CNI_PATH: '/opt/cni/bin',
};
const DEL = { ...ADD, CNI_COMMAND: 'DEL' };

for (const variant of EXECUTABLE_VARIANTS) {
  const { name, form } = variant;
  const template = linux ? executableTemplate(variant, root) : undefined;
  const title = template === undefined ? `the executable in ${name} (skipped: this machine can't run it)` : `the executable in ${name}`;
  describe.skipIf(template === undefined)(title, () => {
    let place = '';
    let folder = '';
    let file = '';
    let impatient = '';
    let server: FakeServer | undefined;
    const socketPath = () => join(folder, 'cni.sock');
    const spoolPath = () => join(folder, 'spool');
    const spooled = () => readdirSync(spoolPath());
    const serve = async (answer: (socket: Socket, received: Buffer) => void) => {
      server = await fakeServer(socketPath(), answer);
      return server;
    };
    const answering = (exitCode: number, stdout = '', stderr = '') =>
      serve((socket) => socket.end(formatAnswer({ exitCode, stdout, stderr })));

    beforeAll(() => {
      place = mkdtempSync(join(root, `${form}-`));
      folder = join(place, 'work');
      const options = { socketPath: socketPath(), spoolPath: spoolPath() };
      file = writeExecutable(join(place, 'bin/my-net'), template!, variant, { ...options, deadline: 20_000 });
      impatient = writeExecutable(join(place, 'impatient/my-net'), template!, variant, { ...options, deadline: 500 });
    });
    beforeEach(() => {
      mkdirSync(folder);
      mkdirSync(spoolPath(), { mode: 0o700 });
    });
    afterEach(async () => {
      await server?.close();
      server = undefined;
      rmSync(folder, { recursive: true, force: true });
    });

    it('sends the variables of CNI, its name and the configuration, and prints the answer', async () => {
      const { received } = await answering(0, '{"ips": []}\n', 'a word\n');
      const env = {
        ...ADD,
        TRACEPARENT: '00-1-2-01',
        TRACESTATE: 'a=b',
        BAGGAGE: 'c=d',
        SECRET: 'x',
        XCNI_A: 'x',
        TYPE: 'x',
        TRACEPARENTS: 'x',
      };
      expect(await callExecutable(file, { env, stdin: CONFIG })).toEqual({
        code: 0,
        signal: null,
        stdout: '{"ips": []}\n',
        stderr: 'a word\n',
      });
      const { environment, stdin } = parseInvocation(received[0]!);
      const sent = { ...ADD, TRACEPARENT: '00-1-2-01', TRACESTATE: 'a=b', BAGGAGE: 'c=d', TYPE: 'my-net' };
      expect(Object.fromEntries(environment)).toEqual(sent);
      expect(stdin).toBe(CONFIG);
    });

    it('is named by the link that it was called by', async () => {
      const { received } = await answering(0);
      symlinkSync(file, join(folder, 'other-net'));
      await callExecutable(join(folder, 'other-net'), { env: ADD, stdin: CONFIG });
      expect(parseInvocation(received[0]!).environment.get('TYPE')).toBe('other-net');
    });

    it.each([0, 1, 7, 255])('ends with exit code %i of the answer', async (code) => {
      await answering(code, 'x');
      expect(await callExecutable(file, { env: ADD, stdin: CONFIG })).toMatchObject({ code, stdout: 'x' });
    });

    it('prints a large answer as it came', async () => {
      const stdout = 'ü0123456789'.repeat(200_000);
      await answering(0, stdout);
      const { stdout: printed } = await callExecutable(file, { env: ADD, stdin: CONFIG });
      expect(Buffer.from(printed, 'latin1').toString('utf8') === stdout).toBe(true);
    });

    it('takes an answer that comes in pieces', async () => {
      await serve((socket) => {
        const [first, ...rest] = formatAnswer({ exitCode: 3, stdout: 'out', stderr: 'err' });
        socket.write(Buffer.from([first!]), () => setImmediate(() => socket.end(Buffer.from(rest))));
      });
      expect(await callExecutable(file, { env: ADD, stdin: CONFIG })).toMatchObject({ code: 3, stdout: 'out', stderr: 'err' });
    });

    it('counts a daemon that hangs up while it is written to as none', async () => {
      const hangsUp = createServer((socket) => {
        socket.on('error', () => {});
        socket.once('data', () => socket.destroy());
      });
      await new Promise<void>((done) => void hangsUp.listen(socketPath(), done));
      const { code, stdout } = await callExecutable(file, { env: ADD, stdin: `"${'x'.repeat(3_000_000)}"` });
      await new Promise<void>((done) => void hangsUp.close(() => done()));
      expect({ code, ...JSON.parse(stdout) }).toMatchObject({ code: 11, details: `${socketPath()}: its answer was cut off` });
    });

    it('sends bytes of any kind unchanged', async () => {
      const { received } = await answering(0);
      const bytes = Buffer.alloc(300_000, Buffer.from(Array.from({ length: 256 }, (_, index) => index)));
      await callExecutable(file, { env: ADD, stdin: bytes });
      expect(received[0]!.subarray(-bytes.length).equals(bytes)).toBe(true);
    });

    it.each(['', 'x', '0 5 0\n1234', '0 1 0\n12', '256 0 0\n', '0 99999999999 0\n', '-1 0 0\n', '0 0\n', '\0\u00ff\0', ' 0 0 0\n'])(
      'counts the answer %j as none',
      async (bytes) => {
        await serve((socket) => socket.end(Buffer.from(bytes, 'latin1')));
        const { code, stdout, stderr } = await callExecutable(file, { env: ADD, stdin: CONFIG });
        expect({ code, stderr, error: JSON.parse(stdout) }).toEqual({
          code: 1,
          stderr: '',
          error: { cniVersion: '1.0.0', code: 11, msg: 'the daemon did not answer', details: `${socketPath()}: its answer was cut off` },
        });
      },
    );

    describe('without a daemon', () => {
      it.each([
        ['ADD', 11],
        ['CHECK', 11],
        ['GC', 11],
        ['STATUS', 50],
        ['ATTACH', 11],
      ])('fails %s with code %i, printed as a CNI plugin prints it', async (verb, code) => {
        const ended = await callExecutable(file, { env: { ...ADD, CNI_COMMAND: verb }, stdin: CONFIG });
        const text = `{\n    "cniVersion": "1.0.0",\n    "code": ${code},\n    "msg": "the daemon did not answer",\n    "details": "${socketPath()}: there is no such socket"\n}\n`;
        expect(ended).toEqual({ code: 1, signal: null, stdout: text, stderr: '' });
        expect(spooled()).toEqual([]);
      });

      it('says so where the socket is left over', async () => {
        const left = await fakeServer(socketPath(), () => {});
        linkSync(socketPath(), join(folder, 'kept'));
        await left.close();
        linkSync(join(folder, 'kept'), socketPath());
        const { stdout } = await callExecutable(file, { env: ADD, stdin: CONFIG });
        expect(JSON.parse(stdout).details).toBe(`${socketPath()}: nobody listens there`);
      });

      it.each([
        ['{}', undefined],
        ['{"cniVersion":"0.3.1"}', '0.3.1'],
        ['{"cniVersion"\n :\t"0.4.0"}', '0.4.0'],
        ['{"cniVersion": "1.0.0\\"x"}', undefined],
        ['{"cniVersion": 5}', undefined],
        ['{"cniVersion', undefined],
        ['{"cniVersion":"11111111111111111"}', undefined],
        ['', undefined],
      ])('finds the version in %j', async (stdin, version) => {
        const { stdout } = await callExecutable(file, { env: ADD, stdin });
        expect(JSON.parse(stdout).cniVersion).toBe(version);
      });

      it('keeps a DEL as it would have been sent, and succeeds', async () => {
        expect(await callExecutable(file, { env: DEL, stdin: CONFIG })).toEqual({ code: 0, signal: null, stdout: '', stderr: '' });
        const [one, ...rest] = spooled();
        expect(rest).toEqual([]);
        expect(one).toMatch(SPOOL_NAME);
        expect(statSync(join(spoolPath(), one!)).mode & 0o777).toBe(0o600);
        const { environment, stdin } = parseInvocation(readFileSync(join(spoolPath(), one!)));
        expect(Object.fromEntries(environment)).toEqual({ ...DEL, TYPE: 'my-net' });
        expect(stdin).toBe(CONFIG);
      });

      it('keeps a DEL that was answered in part', async () => {
        await serve((socket) => socket.end('0 5 0\n12'));
        expect(await callExecutable(file, { env: DEL, stdin: CONFIG })).toMatchObject({ code: 0, stdout: '' });
        expect(spooled().length).toBe(1);
      });

      it('makes the spool folder where it is missing', async () => {
        rmSync(spoolPath(), { recursive: true });
        expect(await callExecutable(file, { env: DEL, stdin: CONFIG })).toMatchObject({ code: 0, stdout: '' });
        expect(statSync(spoolPath()).mode & 0o777).toBe(0o700);
        expect(spooled().length).toBe(1);
      });

      it.each(['is a file', 'is below a file'])("fails a DEL that can't be kept with code 11, because the spool %s", async (how) => {
        rmSync(spoolPath(), { recursive: true });
        writeFileSync(spoolPath(), '');
        const options = { socketPath: socketPath(), spoolPath: how === 'is a file' ? spoolPath() : join(spoolPath(), 'deeper') };
        const other = writeExecutable(join(folder, 'no-spool/my-net'), template!, variant, options);
        const { code, stdout } = await callExecutable(other, { env: DEL, stdin: CONFIG });
        expect({ code, error: JSON.parse(stdout) }).toEqual({
          code: 1,
          error: {
            cniVersion: '1.0.0',
            code: 11,
            msg: "the daemon did not answer, and the DEL can't be kept for it",
            details: `${options.spoolPath}: errno 20`,
          },
        });
      });

      it('fails a DEL with code 11 on a disk that is full, and leaves nothing', async () => {
        // Every write to it fails, which is what a full disk does to a file that could be made.
        const full = writeProgram(join(folder, 'full'), `#!/bin/sh\nulimit -f 0; trap '' XFSZ; exec ${file}\n`);
        const { code, stdout } = await callExecutable(full, { env: { ...DEL, PATH: '/bin:/usr/bin' }, stdin: CONFIG });
        expect({ code, error: JSON.parse(stdout).code }).toEqual({ code: 1, error: 11 });
        expect(spooled()).toEqual([]);
      });
    });

    describe('with a daemon that does not answer', () => {
      const silent = () => serve(() => {});

      it('fails an ADD with code 11 when the deadline is over, and keeps a DEL', async () => {
        await silent();
        // At once, as each takes its whole time.
        const [add, del] = await Promise.all([ADD, DEL].map((env) => callExecutable(impatient, { env, stdin: CONFIG })));
        expect(JSON.parse(add!.stdout)).toMatchObject({ code: 11, details: `${socketPath()}: it did not answer in time` });
        expect(del).toMatchObject({ code: 0, stdout: '' });
        expect(spooled().length).toBe(1);
      });

      it.each(['SIGTERM', 'SIGINT', 'SIGKILL'] as const)('is ended by %s, and leaves nothing', async (signal) => {
        let kill = (): void => {};
        await serve(() => kill());
        const ended = await callExecutable(file, {
          env: DEL,
          stdin: CONFIG,
          onStart(process) {
            kill = () => process.kill(signal);
          },
        });
        expect(ended).toEqual({ code: null, signal, stdout: '', stderr: '' });
        expect(spooled()).toEqual([]);
      });
    });

    describe('without asking anybody', () => {
      it('answers VERSION, and does not wait for standard input', async () => {
        const { received } = await answering(1);
        const ended = await callExecutable(file, { env: { CNI_COMMAND: 'VERSION' } });
        expect(ended).toEqual({
          code: 0,
          signal: null,
          stdout: '{"cniVersion":"1.1.0","supportedVersions":["0.1.0","0.2.0","0.3.0","0.3.1","0.4.0","1.0.0","1.1.0"]}\n',
          stderr: '',
        });
        expect(received).toEqual([]);
      });

      it.each([{}, { CNI_COMMAND: '' }])('says what it is with the environment %j', async (env) => {
        const { code, stdout, stderr } = await callExecutable(file, { env });
        expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
        expect(stderr).toContain(socketPath());
        expect(stderr).toContain('CNI protocol versions supported: 0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0\n');
      });
    });

    describe('with a bad standard input', () => {
      it('sends nothing of a configuration that is too large', async () => {
        const { received } = await answering(0);
        const { code, stdout } = await callExecutable(file, { env: ADD, stdin: Buffer.alloc(MAX_INVOCATION_BYTES, 'x') });
        expect({ code, ...JSON.parse(stdout) }).toEqual({
          code: 6,
          msg: 'the invocation is too large',
          details: 'it has at most 4194304 bytes',
        });
        expect(received).toEqual([]);
      });

      it('sends one that is just not too large', async () => {
        const { received } = await answering(0);
        const head = `${WIRE_HEADER}CNI_COMMAND=ADD\0TYPE=my-net\0\0`;
        await callExecutable(file, { env: { CNI_COMMAND: 'ADD' }, stdin: Buffer.alloc(MAX_INVOCATION_BYTES - head.length, 'x') });
        expect(received[0]!.length).toBe(MAX_INVOCATION_BYTES);
      });

      it.each(['', 'closed'])('sends an empty configuration where it is %j', async (stdin) => {
        const { received } = await answering(0);
        await callExecutable(file, { env: { ...ADD, PATH: '/bin:/usr/bin' }, stdin });
        expect(parseInvocation(received[0]!).stdin).toBe('');
      });

      it('fails with code 5 where it does not end', async () => {
        await answering(0);
        const { code, stdout } = await callExecutable(impatient, { env: ADD });
        expect({ code, ...JSON.parse(stdout) }).toEqual({ code: 5, msg: 'error reading from stdin', details: 'it did not end in time' });
      });
    });

    it('fails where nobody reads its standard output', async () => {
      let close = (): void => {};
      await serve((socket) => {
        close();
        setImmediate(() => socket.end(formatAnswer({ exitCode: 0, stdout: 'x'.repeat(1_000_000), stderr: '' })));
      });
      const ended = await callExecutable(file, {
        env: ADD,
        stdin: CONFIG,
        onStart(process) {
          close = process.closeStdout;
        },
      });
      expect(ended).toMatchObject({ code: 1, signal: null });
    });
  });
}

describe('making an executable', () => {
  const template = readExecutable('node')!;
  const good = { socketPath: '/run/x.sock', spoolPath: '/var/lib/x' };

  it('puts the values and the interpreter in', () => {
    const text = fillExecutable(template, { ...good, deadline: 5 }, '/usr/local/bin/node').toString();
    expect(text.startsWith('#!/usr/local/bin/node\n')).toBe(true);
    expect(text).toContain("'fairlead-slot:socket_path=/run/x.sock'");
    expect(text).toContain("'fairlead-slot:spool_path=/var/lib/x'");
    expect(text).toContain("'fairlead-slot:deadline_ms=5'");
  });

  it('can be done again with what came of it', () => {
    const long = fillExecutable(template, { socketPath: `/${'s'.repeat(106)}`, spoolPath: `/${'p'.repeat(254)}` });
    expect(fillExecutable(long, good)).toEqual(fillExecutable(template, good));
  });

  it('knows its own', () => {
    expect(isExecutableOfOurs(fillExecutable(template, good))).toBe(true);
    expect(isExecutableOfOurs(Buffer.from('#!/bin/sh\n'))).toBe(false);
  });

  it.each([
    [{ ...good, socketPath: 'run/x.sock' }, 'must be absolute'],
    [{ ...good, socketPath: "/run/x'.sock" }, 'must be absolute'],
    [{ ...good, socketPath: '/run/x\0y' }, 'must be absolute'],
    [{ ...good, spoolPath: '/var/${x}' }, 'must be absolute'],
    [{ ...good, socketPath: `/${'s'.repeat(107)}` }, 'longer than 107'],
    [{ ...good, deadline: 0 }, 'positive number'],
    [{ ...good, deadline: 1.5 }, 'positive number'],
    [{ ...good, deadline: 1e9 }, 'longer than 9'],
  ])('refuses %j', (options, message) => {
    expect(() => fillExecutable(template, options)).toThrow(ExecutableError);
    expect(() => fillExecutable(template, options)).toThrow(message);
  });

  it.each(['bin/node', '/bin/my node', `/${'x'.repeat(120)}`])('refuses the interpreter %j', (interpreter) => {
    expect(() => fillExecutable(template, good, interpreter)).toThrow(ExecutableError);
  });

  it('refuses what has no place for a value, or two', () => {
    expect(() => fillExecutable(Buffer.from('x'), good)).toThrow('not one place');
    expect(() => fillExecutable(Buffer.concat([template, template]), good)).toThrow('not one place');
  });
});
