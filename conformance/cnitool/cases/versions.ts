import type { CniResultJson } from '../../cni/cnitool.ts';
import { bridgeList, type CniCase, claim, expectEqual, expectState, NETWORK, nodeState } from '../case.ts';

/** Each version of the specification with the verbs it has, and the form of its results. */
const VERSIONS = [
  { version: '0.1.0', form: 'by family', verbs: [] },
  { version: '0.2.0', form: 'by family', verbs: [] },
  { version: '0.3.0', form: 'with families', verbs: [] },
  { version: '0.3.1', form: 'with families', verbs: [] },
  { version: '0.4.0', form: 'with families', verbs: ['check'] },
  { version: '1.0.0', form: 'plain', verbs: ['check'] },
  { version: '1.1.0', form: 'plain', verbs: ['check', 'status'] },
] as const;

export const versionCases: readonly CniCase[] = VERSIONS.flatMap(({ version, form, verbs }): CniCase[] => [
  {
    name: `version ${version}: add and del, and the form of the result`,
    async play(scene) {
      scene.configure({ ...bridgeList(scene), cniVersion: version });
      await scene.attach(NETWORK, 'first');
      await scene.detach(NETWORK, 'first');
      const before = await nodeState(scene);
      const result = await scene.attach(NETWORK, 'pod1');
      expectEqual('cniVersion of the result', result.cniVersion, version);
      expectForm(form, result);
      claim(await scene.probe.ping({ node: scene.node }, '10.1.0.3'), 'the pod does not answer a ping of its node');
      await scene.detach(NETWORK, 'pod1');
      await expectState('after DEL', before, () => nodeState(scene));
    },
  },
  ...verbs.map(
    (verb): CniCase => ({
      name: `version ${version}: ${verb}`,
      async play(scene) {
        scene.configure({ ...bridgeList(scene), cniVersion: version });
        await scene.attach(NETWORK, 'pod1');
        expectEqual(`output of ${verb}`, await scene.cnitool.expect({ verb, network: NETWORK, pod: 'pod1' }), '');
      },
    }),
  ),
]);

function expectForm(form: (typeof VERSIONS)[number]['form'], result: CniResultJson): void {
  if (form === 'by family') {
    expectEqual('ip4', result.ip4, { ip: '10.1.0.3/24', gateway: '10.1.0.1', routes: [{ dst: '0.0.0.0/0' }] });
    expectEqual('interfaces and ips', [result.interfaces, result.ips], [undefined, undefined]);
    return;
  }
  const family = form === 'plain' ? {} : { version: '4' };
  expectEqual('ips', result.ips, [{ ...family, interface: 2, address: '10.1.0.3/24', gateway: '10.1.0.1' }]);
  expectEqual('routes', result.routes, [{ dst: '0.0.0.0/0' }]);
  const [bridge, host, container] = result.interfaces ?? [];
  expectEqual('interfaces', [bridge?.name, container?.name, container?.sandbox], ['cni0', 'eth0', '/run/netns/pod1']);
  expectEqual('where the others are', [bridge?.sandbox, host?.sandbox], [undefined, undefined]);
  claim(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(container?.mac ?? ''), `mac of the container's interface: ${container?.mac}`);
}
