#!/usr/bin/env node
// The executable of a CNI plugin for Node, where neither fairlead-cni.c nor fairlead-cni.pl can run: hands its invocation to the daemon
// and prints the answer. What it promises stands in ../wire.ts.
'use strict';
const fs = require('node:fs');
const net = require('node:net');

// `fairlead cni install` writes its values into these, in a copy of this program.
const [socketPath, spoolPath, deadlineMs] = [
  'fairlead-slot:socket_path=/run/fairlead/cni.sock',
  'fairlead-slot:spool_path=/var/lib/fairlead/cni/spool',
  'fairlead-slot:deadline_ms=115000',
].map((slot) => slot.slice(slot.indexOf('=') + 1));

const STATUS_DEADLINE = 10_000;
const MAX_INVOCATION = 4 * 1024 * 1024;
const MAX_ANSWER = 16 * 1024 * 1024;
const VERSIONS = ['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'];

const verb = process.env.CNI_COMMAND ?? '';
const stdin = [];
let invocation = Buffer.alloc(0);

if (verb === '') {
  writeAll(
    2,
    Buffer.from(
      `Fairlead: a CNI plugin made of rules. It hands invocations to the daemon at ${socketPath}.\nCNI protocol versions supported: ${VERSIONS.join(', ')}\n`,
    ),
  );
} else if (verb === 'VERSION') {
  print(`${JSON.stringify({ cniVersion: '1.1.0', supportedVersions: VERSIONS })}\n`, 0);
} else {
  const most = verb === 'STATUS' ? Math.min(STATUS_DEADLINE, Number(deadlineMs)) : Number(deadlineMs);
  let late = () => fail(5, 'error reading from stdin', 'it did not end in time');
  setTimeout(() => late(), most).unref();
  readStdin(() => {
    late = () => unanswered('it did not answer in time');
    ask();
  });
}

function readStdin(then) {
  let head = 'fairlead-cni/1\n';
  for (const [name, value] of Object.entries(process.env)) {
    if (/^(?:CNI_.*|TRACEPARENT|TRACESTATE|BAGGAGE)$/s.test(name)) head += `${name}=${value}\0`;
  }
  head += `TYPE=${process.argv[1].replace(/.*\//s, '')}\0\0`;
  let length = Buffer.byteLength(head);
  const failed = (error) => fail(5, 'error reading from stdin', `errno ${-(error.errno ?? 0)}`);
  try {
    process.stdin
      .on('error', failed)
      .on('data', (bytes) => {
        stdin.push(bytes);
        length += bytes.length;
        if (length > MAX_INVOCATION) fail(6, 'the invocation is too large', `it has at most ${MAX_INVOCATION} bytes`);
      })
      .on('end', () => {
        invocation = Buffer.concat([Buffer.from(head), ...stdin]);
        then();
      });
  } catch (error) {
    failed(error);
  }
}

function ask() {
  if (Buffer.byteLength(socketPath) > 107) unanswered('the path is too long for a socket');
  const received = [];
  let length = 0;
  let connected = false;
  const end = () => (connected ? finish(Buffer.concat(received)) : undefined);
  const socket = net.connect({ path: socketPath, allowHalfOpen: true });
  // Where it hangs up while it is written to, it may have answered before: `end` or `close` follow.
  socket.on('error', ({ code, errno }) => {
    if (connected) return;
    unanswered(code === 'ENOENT' ? 'there is no such socket' : code === 'ECONNREFUSED' ? 'nobody listens there' : `errno ${-errno}`);
  });
  socket.on('connect', () => {
    connected = true;
    socket.end(invocation);
  });
  socket.on('data', (bytes) => {
    received.push(bytes);
    length += bytes.length;
    if (length > MAX_ANSWER) end();
  });
  socket.on('end', end).on('close', end);
}

function finish(answer) {
  const head = answer.subarray(0, 32).toString('latin1');
  const [line, code, out, err] = /^(\d{1,3}) (\d{1,9}) (\d{1,9})\n/.exec(head) ?? [];
  const middle = line === undefined ? 0 : line.length + Number(out);
  if (line === undefined || Number(code) > 255 || answer.length !== middle + Number(err)) unanswered('its answer was cut off');
  writeAll(2, answer.subarray(middle));
  print(answer.subarray(line.length, middle), Number(code));
}

/** Nobody does it, so this does what is right without a daemon. */
function unanswered(reason) {
  if (verb !== 'DEL') fail(verb === 'STATUS' ? 50 : 11, 'the daemon did not answer', `${socketPath}: ${reason}`);
  try {
    spool();
  } catch (error) {
    fail(11, "the daemon did not answer, and the DEL can't be kept for it", `${spoolPath}: errno ${-error.errno}`);
  }
  process.exit(0);
}

/** Keeps what would have been sent for a later daemon. Throws where it can't. */
function spool() {
  try {
    fs.mkdirSync(spoolPath, { mode: 0o700 });
  } catch {
    // It is there, or opening it says why it is not.
  }
  const name = `${String(Date.now()).padStart(13, '0')}000000-${process.pid}`;
  const temporary = `${spoolPath}/.${name}`;
  const folder = fs.openSync(spoolPath, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
  const file = fs.openSync(temporary, 'wx', 0o600);
  try {
    fs.writeFileSync(file, invocation);
    fs.fsyncSync(file);
    fs.closeSync(file);
    fs.renameSync(temporary, `${spoolPath}/${name}`);
    fs.fsyncSync(folder);
  } catch (error) {
    fs.rmSync(temporary, { force: true });
    throw error;
  }
}

function writeAll(file, bytes) {
  for (let written = 0; written < bytes.length; ) {
    try {
      written += fs.writeSync(file, bytes, written);
    } catch (error) {
      if (error.code === 'EAGAIN') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
      else if (error.code !== 'EINTR') return false;
    }
  }
  return true;
}

function print(text, code) {
  process.exit(writeAll(1, Buffer.from(text)) ? code : 1);
}

function fail(code, msg, details) {
  const [, cniVersion] = /"cniVersion"[ \t\n\r:]*"([0-9.]{1,16})"/.exec(Buffer.concat(stdin).toString('latin1')) ?? [];
  print(`${JSON.stringify({ cniVersion, code, msg, details }, undefined, 4)}\n`, 1);
}
