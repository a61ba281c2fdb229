import { describe, expect, test } from 'vitest';
import { decodeProtobuf } from './protobuf.ts';
import { ProtobufError } from './protobuf-reader.ts';

/** A varint field, or a field of bytes. */
function field(number: number, value: number | bigint | boolean | string | Uint8Array): Buffer {
  if (typeof value === 'string' || value instanceof Uint8Array) {
    const bytes = Buffer.from(value as string);
    return Buffer.concat([varint(BigInt((number << 3) | 2)), varint(BigInt(bytes.length)), bytes]);
  }
  return Buffer.concat([varint(BigInt(number << 3)), varint(BigInt.asUintN(64, BigInt(value)))]);
}

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest === 0n ? low : low | 0x80);
  } while (rest !== 0n);
  return Buffer.from(bytes);
}

const message = (...fields: readonly Buffer[]): Buffer => Buffer.concat(fields);

function body(apiVersion: string, kind: string, raw: Buffer): Buffer {
  return message(Buffer.from('k8s\0'), field(1, message(field(1, apiVersion), field(2, kind))), field(2, raw));
}

const metadata = (name: string): Buffer => field(1, message(field(1, name), field(2, ''), field(7, 0), field(8, Buffer.alloc(0))));

describe('protobuf of Kubernetes', () => {
  test('zero values that Go writes are not in the JSON, pointers to zero are', () => {
    const spec = field(2, message(field(1, 0), field(5, 0), field(7, false)));
    expect(decodeProtobuf(body('apps/v1', 'Deployment', message(metadata('a'), spec)))).toEqual({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'a' },
      spec: { replicas: 0 },
    });
  });

  test('maps, bytes, lists, times, quantities, numbers or names', () => {
    const data = field(2, message(field(1, 'k'), field(2, Buffer.from([0, 1, 255]))));
    expect(decodeProtobuf(body('v1', 'Secret', message(metadata('a'), data)))).toMatchObject({ data: { k: 'AAH/' } });

    const limits = field(1, message(field(1, 'cpu'), field(2, message(field(1, '500m')))));
    const container = message(field(1, 'c'), field(3, 'sh'), field(3, '-c'), field(8, limits));
    const pod = message(metadata('a'), field(2, message(field(2, container), field(5, -1n))));
    expect(decodeProtobuf(body('v1', 'Pod', pod))).toMatchObject({
      spec: { containers: [{ name: 'c', command: ['sh', '-c'], resources: { limits: { cpu: '500m' } } }], activeDeadlineSeconds: -1 },
    });

    const number = message(field(1, 0), field(2, 8080), field(3, ''));
    const name = message(field(1, 1), field(2, 0), field(3, 'http'));
    const ports = [number, name].map((target) => field(1, message(field(3, 80), field(4, target))));
    expect(decodeProtobuf(body('v1', 'Service', message(metadata('a'), field(2, message(...ports)))))).toMatchObject({
      spec: {
        ports: [
          { port: 80, targetPort: 8080 },
          { port: 80, targetPort: 'http' },
        ],
      },
    });

    const renewed = field(4, message(field(1, 1_893_456_000), field(2, 123_456_000)));
    expect(decodeProtobuf(body('coordination.k8s.io/v1', 'Lease', message(metadata('a'), field(2, renewed))))).toMatchObject({
      spec: { renewTime: '2030-01-01T00:00:00.123456Z' },
    });
  });

  test('fields of an embedded structure stand in the outer one, unknown fields are passed over', () => {
    const volume = message(field(1, 'v'), field(2, field(2, Buffer.alloc(0))), field(900, 'later'));
    expect(decodeProtobuf(body('v1', 'Pod', field(2, field(1, volume))))).toMatchObject({
      spec: { volumes: [{ name: 'v', emptyDir: {} }] },
    });
  });

  const good = body('v1', 'ConfigMap', message(metadata('a'), field(2, message(field(1, 'k'), field(2, 'v')))));

  test('what is cut off anywhere is refused or shorter, never more', () => {
    const whole = decodeProtobuf(good);
    for (let length = 0; length < good.length; length++) {
      try {
        expect(decodeProtobuf(good.subarray(0, length))).not.toEqual(whole);
      } catch (error) {
        expect(error).toBeInstanceOf(ProtobufError);
      }
    }
  });

  test.each([
    ['another beginning', Buffer.from('{"kind":"ConfigMap"}')],
    ['a kind nobody knows', body('v1', 'Nothing', Buffer.alloc(0))],
    ['text where a number belongs', body('apps/v1', 'Deployment', field(2, field(1, 'x')))],
  ])('%s is refused', (_, bytes) => {
    expect(() => decodeProtobuf(bytes)).toThrow(ProtobufError);
  });
});
