import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../object/json.ts';
import { attachedPod, attachmentSubject, nodeAttachments } from './attachment.ts';
import { addRequest } from './network.fixture.ts';

const K8S = { K8S_POD_NAMESPACE: 'shop', K8S_POD_NAME: 'web', K8S_POD_UID: 'u1' };
const step = (operation: string, args: JsonObject = {}) => ({ key: operation, operation, arguments: args, timeout: 1, path: [] });
const ended = (operation: string, address: string, args: JsonObject = {}) => ({
  step: step(operation, args),
  outputs: { ips: [{ address }] } as JsonObject,
});

describe('attachments of a node', () => {
  it('are told by what is recorded of them', () => {
    const request = addRequest({}, { args: K8S });
    const subject = { ...attachmentSubject(request), ...attachedPod(request) };
    expect(nodeAttachments([{ subject, steps: [ended('addresses', '10.1.0.2/16'), { step: step('veth') }] }], 'pods')).toEqual([
      { containerId: 'c1', ifName: 'eth0', namespace: 'shop', name: 'web', uid: 'u1', addresses: ['10.1.0.2'] },
    ]);
  });

  it('are told once, though each rule of a chain has a record, in a stable order', () => {
    const prevResult = { ips: [{ address: '10.1.0.2/16' }, { address: 'fd00::2/64' }] } as never;
    const [first, second, other] = [addRequest(), addRequest({}, { args: K8S, prevResult }), addRequest({}, { containerId: 'a' })];
    const records = [first, second, other].map((request) => ({
      subject: { ...attachmentSubject(request), ...attachedPod(request) },
      steps: [],
    }));
    const told = nodeAttachments(records, 'pods');
    expect(told.map(({ containerId, name, addresses }) => [containerId, name, addresses])).toEqual([
      ['a', '', []],
      ['c1', 'web', ['10.1.0.2', 'fd00::2']],
    ]);
    expect(nodeAttachments(records.toReversed(), 'pods')).toEqual(told);
  });

  it('have the addresses of their own interface, and are those of one network', () => {
    const record = (network: string) => ({
      subject: attachmentSubject(addRequest({}, { network })),
      steps: [ended('delegate', '10.1.0.2/16', { ifName: 'eth0' }), ended('delegate', '10.9.0.2/16', { ifName: 'net1' })],
    });
    expect(
      nodeAttachments([record('pods'), record('other'), { subject: { kind: 'node', network: 'pods' }, steps: [] }], 'pods'),
    ).toMatchObject([{ containerId: 'c1', addresses: ['10.1.0.2'] }]);
  });
});
