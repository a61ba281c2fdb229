import type { LookupAddress, LookupOptions } from 'node:dns';
import { expect, it } from 'vitest';
import { callLookup } from './call-lookup.ts';

const asked = (hostname: string, addresses: readonly string[], options: LookupOptions = {}) =>
  new Promise<string>((resolve) => {
    const found = addresses.map((address): LookupAddress => ({ address, family: address.includes(':') ? 6 : 4 }));
    callLookup((_, __, callback) => callback(null, found))(hostname, options, (error, answer) =>
      resolve(error?.message ?? (typeof answer === 'string' ? answer : answer.map(({ address }) => address).join())),
    );
  });

it.each([
  ['api.example.com', '93.184.215.14'],
  ['store.shop.svc', '10.96.0.7'],
  ['api.example.com', '2606:2800:21f::1'],
  ['localhost', '127.0.0.1'],
  ['store.localhost', '::1'],
])('%s may lead to %s', async (hostname, address) => expect(await asked(hostname, [address])).toBe(address));

it.each([
  ['127.0.0.1'],
  ['127.8.8.8'],
  ['0.0.0.0'],
  ['169.254.169.254'],
  ['::1'],
  ['::'],
  ['fe80::1'],
  ['fd00:ec2::254'],
  ['::ffff:169.254.169.254'],
])('no other name may lead to %s', async (address) => {
  const message = `api.example.com leads to ${address}, which only this machine reaches`;
  expect(await asked('api.example.com', ['93.184.215.14', address], { all: true })).toBe(message);
});

it('answers all addresses where they are asked for', async () =>
  expect(await asked('api.example.com', ['93.184.215.14', '10.0.0.1'], { all: true })).toBe('93.184.215.14,10.0.0.1'));

it('says that there is none', async () => expect(await asked('api.example.com', [])).toBe('api.example.com has no address'));
