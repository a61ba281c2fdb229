import { describe, expect, it } from 'vitest';
import { createMetrics } from '../host/metrics.ts';
import { faultOf, setUp } from './plugin.fixture.ts';

describe('what every plugin answers', () => {
  it('is VERSION, about, and what is wrong with an invocation', async () => {
    const { invoke, plugin } = setUp({}, { version: '1.2.3' });
    expect((await invoke({ command: 'VERSION' })).stdout).toContain('"supportedVersions":["0.1.0"');
    expect(await plugin.invoke({ environment: new Map([['TYPE', 'my-cni']]), stdin: '' })).toMatchObject({
      exitCode: 0,
      stdout: '',
      stderr: expect.stringContaining('CNI plugin my-cni of Fairlead 1.2.3'),
    });
    expect(faultOf(await invoke({ command: 'ADD', ifName: '' }))).toBe('4: required env variables [CNI_IFNAME] missing');
  });

  it('is counted', async () => {
    const metrics = createMetrics();
    const { invoke } = setUp({}, { metrics });
    await invoke({ command: 'ADD' });
    await invoke({ command: 'ADD' });
    expect(metrics.text()).toContain('fairlead_cni_invocations_total{command="ADD",rule="my-cni",code="0"} 1');
    expect(metrics.text()).toContain('fairlead_cni_invocations_total{command="ADD",rule="my-cni",code="103"} 1');
  });
});
