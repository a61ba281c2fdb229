import { EffectError } from '../../../engine/step/effect.ts';
import type { Clock } from '../../host/clock.ts';
import type { RelayEnds } from '../child.ts';
import type { Condition } from '../perform-together.ts';
import { Questions } from '../questions.ts';
import type { Request } from './message.ts';

/** What the relay answered. */
export interface RelayAnswer {
  /** 0 where all was done. */
  readonly errno: number;
  readonly rest: Buffer;
}

export interface RelayOptions {
  readonly ends: RelayEnds;
  readonly clock: Clock;
  /** Milliseconds for one frame, counted from when those before it are answered. */
  readonly deadline: number;
}

/** Frames that wait for their answers. */
const MAX_WAITING = 4096;
/** Bytes of one answer: a dump of a hundred thousand routes has some 20 MB. */
const MAX_ANSWER = 64 * 1024 * 1024;

const WHAT = { open: 1, close: 2, talk: 3, write: 4, show: 5 } as const;
const PATCH = { register: 0, place: 1 } as const;
const NONE = 255;
const CONDITION: Readonly<Record<Condition, number>> = { sets: 64, heeds: 128 };
/** `errno` of what heeds a condition that is not met: ECANCELED. */
export const UNMET = 125;

interface Question {
  readonly deadline: number;
  readonly resolve: (answer: RelayAnswer) => void;
  readonly reject: (error: EffectError) => void;
  /** Its end was closed when it was written. */
  isUndelivered: boolean;
}

/** The relay ended before it answered. */
export class RelayEnded extends EffectError {
  /** Whether it may have done what was asked, wholly or in part; else another one may be asked the same. */
  readonly wasBegun: boolean;
  constructor(wasBegun: boolean) {
    super('program', 'the relay to the kernel ended: what was asked may be done or not', 'netlink');
    this.wasBegun = wasBegun;
  }
}

/**
 * One life of the program that talks to the kernel ({@link relayProgram}). It answers in order. When it ends, all that wait fail as
 * {@link RelayEnded}, of which it has begun the first at most; when it does not answer in time it is killed, and the first fails as `timeout`.
 */
export class Relay {
  readonly #options: RelayOptions;
  readonly #questions: Questions<Question>;
  #chunks: Buffer[] = [];
  #received = 0;
  #isOpen = true;
  /** It has said that it is there; before, it has read nothing. */
  #isThere = false;
  #isGathering = false;
  readonly #ended: Promise<void>;

  constructor(options: RelayOptions) {
    this.#options = options;
    const { input, output } = options.ends;
    this.#questions = new Questions(options.clock, () => this.#onLate());
    input.on('error', () => {});
    output.on('data', (chunk: Buffer) => this.#read(chunk));
    this.#ended = new Promise((resolve) => {
      output.on('close', () => {
        this.#end();
        resolve();
      });
    });
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Opens a place in the namespace at a path. */
  open(place: number, path: string): Promise<RelayAnswer> {
    return this.#ask(WHAT.open, place, [Buffer.from(path)]);
  }

  close(place: number): void {
    if (this.#isOpen) this.#ask(WHAT.close, place, []).catch(() => {});
  }

  /** Sends messages until one fails; the answers to those that were sent. */
  async talk(
    place: number,
    requests: readonly Request[],
    condition?: Condition,
  ): Promise<{ readonly errno: number; readonly answers: readonly Buffer[] }> {
    const { errno, rest } = await this.#ask(WHAT.talk, place, requests.map(framed), condition);
    const answers: Buffer[] = [];
    for (let at = 0; at + 4 <= rest.length; ) {
      const length = rest.readUInt32LE(at);
      answers.push(rest.subarray(at + 4, at + 4 + length));
      at += 4 + length;
    }
    return { errno, answers };
  }

  /** Writes a key below `/proc/sys`. */
  write(place: number, key: string, value: string, condition?: Condition): Promise<RelayAnswer> {
    return this.#ask(WHAT.write, place, [Buffer.from(`${key}\0${value}`)], condition);
  }

  show(place: number, key: string): Promise<RelayAnswer> {
    return this.#ask(WHAT.show, place, [Buffer.from(key)]);
  }

  /** Ends it when it has answered; after `patience` milliseconds it is killed. */
  async end(patience: number): Promise<void> {
    const timer = this.#options.clock.after(patience, () => this.#options.ends.kill());
    this.#options.ends.input.end();
    await this.#ended;
    timer.cancel();
  }

  #ask(what: number, place: number, parts: readonly Buffer[], condition?: Condition): Promise<RelayAnswer> {
    if (!this.#isOpen) return Promise.reject(new RelayEnded(false));
    if (this.#questions.waiting >= MAX_WAITING)
      return Promise.reject(new EffectError('busy', `${MAX_WAITING} questions to the kernel wait`, 'netlink'));
    const head = Buffer.alloc(7);
    head.writeUInt32LE(
      parts.reduce((sum, part) => sum + part.length, 3),
      0,
    );
    head[4] = condition === undefined ? what : what | CONDITION[condition];
    head.writeUInt16LE(place, 5);
    return new Promise((resolve, reject) => {
      const question: Question = { deadline: this.#options.deadline, resolve, reject, isUndelivered: false };
      this.#questions.ask(question);
      this.#gather();
      this.#options.ends.input.write(Buffer.concat([head, ...parts]), (error) => {
        if (error) question.isUndelivered = true;
      });
    });
  }

  /** Lets what is asked in one turn go in one piece, and be answered in one: each waking of the other side takes longer than most answers. */
  #gather(): void {
    const { input } = this.#options.ends;
    if (this.#isGathering) return;
    this.#isGathering = true;
    input.cork();
    process.nextTick(() => {
      this.#isGathering = false;
      input.uncork();
    });
  }

  #read(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#received += chunk.length;
    if (this.#received > MAX_ANSWER) {
      this.#options.ends.kill();
      this.#end(new EffectError('full', `an answer has more than ${MAX_ANSWER} bytes`, 'netlink'));
      return;
    }
    // An answer of many pieces is put together once.
    const wanted = this.#chunks[0]!.length < 4 ? 4 : 4 + this.#chunks[0]!.readUInt32LE(0);
    if (this.#received < wanted) return;
    let bytes = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks);
    while (bytes.length >= 8 && bytes.length >= 4 + bytes.readUInt32LE(0)) {
      const end = 4 + bytes.readUInt32LE(0);
      if (this.#isThere) this.#questions.answered()?.resolve({ errno: bytes.readUInt32LE(4), rest: bytes.subarray(8, end) });
      else this.#questions.beginTime();
      this.#isThere = true;
      bytes = bytes.subarray(end);
    }
    this.#chunks = bytes.length === 0 ? [] : [bytes];
    this.#received = bytes.length;
  }

  #onLate(): void {
    const { deadline, ends } = this.#options;
    ends.kill();
    this.#end(new EffectError('timeout', `no answer within ${deadline} ms: what was asked may be done or not`, 'netlink'));
  }

  /** `why`: of the first that waits, where that is known. */
  #end(why?: EffectError): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#chunks = [];
    const [head, ...others] = this.#questions.end();
    for (const { reject } of others) reject(new RelayEnded(false));
    if (head === undefined) return;
    if (why !== undefined) head.reject(why);
    // The end may be seen before the failure of what was written to one that was dead already.
    else setImmediate(() => head.reject(new RelayEnded(this.#isThere && !head.isUndelivered)));
  }
}

function framed({ bytes, patches, keep }: Request): Buffer {
  const frame = Buffer.allocUnsafe(6 + 5 * patches.length + bytes.length);
  let at = frame.writeUInt32LE(bytes.length, 0);
  frame[at++] = keep ?? NONE;
  frame[at++] = patches.length;
  for (const patch of patches) {
    at = frame.writeUInt16LE(patch.at, at);
    frame[at++] = PATCH[patch.what];
    at = frame.writeUInt16LE(patch.of, at);
  }
  bytes.copy(frame, at);
  return frame;
}
