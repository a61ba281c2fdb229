import { existsSync, linkSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ManualClock, manualClock } from '../host/clock.ts';
import { until } from '../host/until.fixture.ts';
import { QUESTION } from './ask-daemon.ts';
import { fakeServer } from './executable/forms.fixture.ts';
import { invoke, NoAnswerError } from './invoke.ts';
import { type InvocationLimits, type InvocationServer, startInvocationServer } from './server.ts';
import { type Answer, formatInvocation, type Invocation, MAX_INVOCATION_BYTES, parseAnswer, WITHIN } from './wire.ts';

const answer = (stdout: string): Answer => ({ exitCode: 0, stdout, stderr: '' });
const invocation = (verb: string, container = 'c1', stdin = '{}'): Invocation => ({
  environment: new Map([
    ['CNI_COMMAND', verb],
    ['CNI_CONTAINERID', container],
  ]),
  stdin,
});

describe('the server of invocations', () => {
  let folder: string;
  let path: string;
  let clock: ManualClock;
  let servers: InvocationServer[];
  let refused: string[];
  /** Invocations that the handler holds, by container, until a test lets them go. */
  let held: Map<string, (answer: Answer) => void>;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'fairlead-cni-'));
    path = join(folder, 'run', 'cni.sock');
    clock = manualClock(1000);
    servers = [];
    refused = [];
    held = new Map();
  });
  afterEach(async () => {
    const closed = servers.map((server) => server.close({ grace: 0 }));
    clock.advance(0);
    await Promise.all(closed);
    rmSync(folder, { recursive: true, force: true });
  });

  const start = async (handle: (invocation: Invocation) => Promise<Answer>, limits: Partial<InvocationLimits> = {}) => {
    const server = await startInvocationServer({ path, handle, limits, clock, onRefused: (reason) => void refused.push(reason) });
    servers.push(server);
    return server;
  };
  const hold = ({ environment }: Invocation) =>
    new Promise<Answer>((resolve) => void held.set(environment.get('CNI_CONTAINERID')!, resolve));
  const ask = (verb: string, container?: string, stdin?: string) => invoke(path, invocation(verb, container, stdin), 60_000, clock);
  const raw = (): Promise<Socket> =>
    new Promise((resolve) => {
      const socket = connect({ path, allowHalfOpen: true }, () => resolve(socket));
      socket.on('error', () => {});
    });
  const rest = (socket: Socket): Promise<Buffer> =>
    new Promise((resolve) => {
      const chunks: Buffer[] = [];
      socket.on('data', (chunk: Buffer) => chunks.push(chunk));
      socket.on('close', () => resolve(Buffer.concat(chunks)));
    });

  it('gives the handler what was sent, and the executable what it answers', async () => {
    await start(async ({ environment, stdin }) => ({ exitCode: 7, stdout: `${environment.get('CNI_COMMAND')} ${stdin}`, stderr: 'ü' }));
    expect(await ask('ADD', 'c1', '{"a": "ä"}')).toEqual({ exitCode: 7, stdout: 'ADD {"a": "ä"}', stderr: 'ü' });
  });

  it('makes its socket for its owner only', async () => {
    await start(hold);
    expect(statSync(join(folder, 'run')).mode & 0o777).toBe(0o700);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(folder, 'run'))).toEqual(['cni.sock']);
  });

  it('removes its socket when it ends', async () => {
    const server = await start(hold);
    await server.close();
    expect(readdirSync(join(folder, 'run'))).toEqual([]);
    await expect(ask('ADD')).rejects.toThrow('there is no such socket');
  });

  it('refuses to start where another daemon listens', async () => {
    await start(async () => answer('first'));
    await expect(start(hold)).rejects.toThrow('another daemon listens there');
    expect(await ask('ADD')).toEqual(answer('first'));
  });

  it('replaces the socket of a daemon that was killed', async () => {
    mkdirSync(join(folder, 'run'));
    const dead = await fakeServer(path, () => {});
    linkSync(path, `${path}.kept`);
    await dead.close();
    linkSync(`${path}.kept`, path);
    await expect(ask('ADD')).rejects.toThrow('nobody listens there');
    await start(async () => answer('new'));
    expect(await ask('ADD')).toEqual(answer('new'));
  });

  it('leaves a file that is no socket alone', async () => {
    writeFileSync(join(folder, 'run'), '');
    path = join(folder, 'run');
    await expect(start(hold)).rejects.toThrow('is no socket');
    expect(statSync(path).isFile()).toBe(true);
  });

  it('says when the path is too long', async () => {
    path = `/tmp/${'x'.repeat(110)}`;
    await expect(start(hold)).rejects.toThrow('too long for a socket');
  });

  it('answers a bug of the handler with code 999', async () => {
    await start(() => Promise.reject(new Error('oh')));
    const { exitCode, stdout } = await ask('ADD');
    expect({ exitCode, ...JSON.parse(stdout) }).toEqual({ exitCode: 1, code: 999, msg: 'oh' });
  });

  describe('with more to do than it may', () => {
    const limits = { maxRunning: 2, maxQueued: 2, maxWait: 1000 };

    it('lets invocations wait for their turn, in order', async () => {
      const server = await start(hold, limits);
      const answers: Promise<Answer>[] = [];
      for (const container of ['a', 'b', 'c', 'd']) {
        answers.push(ask('ADD', container));
        await until(() => server.running() + server.queued() === answers.length);
      }
      expect([server.running(), server.queued()]).toEqual([2, 2]);
      expect([...held.keys()]).toEqual(['a', 'b']);
      held.get('b')!(answer('b'));
      await until(() => held.has('c'));
      expect(server.queued()).toBe(1);
      for (const container of ['a', 'c', 'd']) {
        await until(() => held.has(container));
        held.get(container)!(answer(container));
      }
      expect((await Promise.all(answers)).map(({ stdout }) => stdout)).toEqual(['a', 'b', 'c', 'd']);
    });

    it('begins at once what is a part of another', async () => {
      const server = await start(hold, limits);
      const outer = ['a', 'b'].map((container) => ask('ADD', container));
      await until(() => server.running() === 2);
      const within = invocation('ADD', 'c');
      const inner = invoke(path, { ...within, environment: new Map([...within.environment, [WITHIN, '1']]) }, 60_000, clock);
      for (const container of ['c', 'a', 'b']) {
        await until(() => held.has(container));
        held.get(container)!(answer(container));
      }
      expect((await Promise.all([inner, ...outer])).map(({ stdout }) => stdout)).toEqual(['c', 'a', 'b']);
    });

    it('tells those beyond the queue to try again', async () => {
      const server = await start(hold, limits);
      for (const container of ['a', 'b', 'c', 'd']) void ask('ADD', container).catch(() => {});
      await until(() => server.queued() === 2);
      const { exitCode, stdout } = await ask('ADD', 'e');
      expect({ exitCode, ...JSON.parse(stdout) }).toMatchObject({ exitCode: 1, code: 11, details: '2 invocations wait' });
      expect(refused).toEqual(['queue']);
    });

    it('tells of itself all the same', async () => {
      const question = new Map([[QUESTION, 'status']]);
      const server = await start((each) => (each.environment.has(QUESTION) ? Promise.resolve(answer('busy')) : hold(each)), limits);
      for (const container of ['a', 'b', 'c', 'd']) void ask('ADD', container).catch(() => {});
      await until(() => server.queued() === 2);
      expect(await invoke(path, { environment: question, stdin: '' }, 60_000, clock)).toEqual(answer('busy'));
    });

    it('answers STATUS all the same', async () => {
      const server = await start(
        (each) => (each.environment.get('CNI_COMMAND') === 'STATUS' ? Promise.resolve(answer('')) : hold(each)),
        limits,
      );
      for (const container of ['a', 'b', 'c', 'd']) void ask('ADD', container).catch(() => {});
      await until(() => server.queued() === 2);
      expect(await ask('STATUS')).toEqual(answer(''));
    });

    it('does not begin an ADD that nobody awaits any more, but a DEL', async () => {
      const server = await start(hold, limits);
      for (const container of ['a', 'b']) {
        void ask('ADD', container).catch(() => {});
        await until(() => held.has(container));
      }
      const late = ask('ADD', 'late');
      await until(() => server.queued() === 1);
      void ask('DEL', 'removed').catch(() => {});
      await until(() => server.queued() === 2);
      clock.advance(1001);
      held.get('a')!(answer(''));
      const { stdout } = await late;
      expect(JSON.parse(stdout).code).toBe(11);
      await until(() => held.has('removed'));
      expect([...held.keys()]).toEqual(['a', 'b', 'removed']);
      expect(refused).toEqual(['wait']);
    });

    it('refuses what would take too much memory', async () => {
      await start(hold, { maxBufferedBytes: 1000 });
      const { stdout } = await ask('ADD', 'a', 'x'.repeat(2000));
      expect(JSON.parse(stdout)).toMatchObject({ code: 11, details: 'too many bytes of invocations wait' });
      void ask('ADD', 'b', 'x'.repeat(600)).catch(() => {});
      await until(() => held.has('b'));
      const { stdout: second } = await ask('ADD', 'c', 'x'.repeat(600));
      expect(JSON.parse(second).code).toBe(11);
      held.get('b')!(answer(''));
      void ask('ADD', 'd', 'x'.repeat(600)).catch(() => {});
      await until(() => held.has('d'));
      expect(refused).toEqual(['memory', 'memory']);
    });
  });

  describe('with a client that does not keep to the rules', () => {
    it.each(['', 'GET / HTTP/1.1\r\n\r\n', 'fairlead-cni/1\nA=1', '\0\0\0'])('refuses %j', async (bytes) => {
      await start(hold);
      const socket = await raw();
      socket.end(bytes);
      const read = parseAnswer(await rest(socket))!;
      expect({ exitCode: read.exitCode, code: JSON.parse(read.stdout).code }).toEqual({ exitCode: 1, code: 5 });
      expect(refused).toEqual(['malformed']);
      expect(held.size).toBe(0);
    });

    it('refuses an invocation that is too large', async () => {
      await start(hold);
      const { stdout } = await ask('ADD', 'a', 'x'.repeat(MAX_INVOCATION_BYTES));
      expect(JSON.parse(stdout).code).toBe(6);
      expect(refused).toEqual(['malformed']);
    });

    it('hangs up on one that never ends what it says', async () => {
      await start(hold);
      const socket = await raw();
      socket.write(formatInvocation(invocation('ADD')).subarray(0, 10));
      const over = rest(socket);
      await until(() => clock.pending() === 1);
      clock.advance(10_000);
      expect((await over).length).toBe(0);
      expect(refused).toEqual(['timeout']);
    });

    it('hangs up on one that never ends what is refused already', async () => {
      await start(hold, { maxBufferedBytes: 10 });
      const socket = await raw();
      const hungUp = new Promise((resolve) => void socket.on('end', resolve).resume());
      socket.write(formatInvocation(invocation('ADD')));
      await until(() => refused.length > 0);
      clock.advance(10_000);
      await hungUp;
      socket.destroy();
      expect(refused).toEqual(['memory']);
    });

    it('ends an invocation whose client went away', async () => {
      let ended = 0;
      await start(async (each) => {
        await hold(each);
        ended++;
        return answer('x');
      });
      const socket = await raw();
      socket.end(formatInvocation(invocation('ADD', 'gone')));
      await until(() => held.has('gone'));
      socket.destroy();
      held.get('gone')!(answer(''));
      await until(() => ended === 1);
      // And it goes on serving.
      const other = ask('ADD', 'other');
      await until(() => held.has('other'));
      held.get('other')!(answer(''));
      expect(await other).toEqual(answer('x'));
    });
  });

  describe('when it is to end', () => {
    it('ends what runs and what waits first', async () => {
      const server = await start(hold, { maxRunning: 1 });
      const first = ask('ADD', 'a');
      const second = ask('ADD', 'b');
      await until(() => server.queued() === 1);
      let closed = false;
      const closing = server.close().then(() => {
        closed = true;
      });
      expect(existsSync(path)).toBe(false);
      held.get('a')!(answer('a'));
      await until(() => held.has('b'));
      expect(closed).toBe(false);
      held.get('b')!(answer('b'));
      expect([await first, await second]).toEqual([answer('a'), answer('b')]);
      await closing;
      expect(closed).toBe(true);
    });

    it('does not wait longer than it is told', async () => {
      const server = await start(hold);
      const never = ask('ADD', 'a');
      await until(() => held.has('a'));
      const closing = server.close({ grace: 500 });
      clock.advance(500);
      await closing;
      await expect(never).rejects.toThrow(NoAnswerError);
    });
  });
});
