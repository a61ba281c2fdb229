import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { VERSION_ANSWER } from '../../engine/rules/network/protocol/version.ts';
import { fillExecutable } from '../../runtimes/cni/executable/forms.ts';
import { findPlugin } from '../cni/conflist.ts';
import { fairleadPlugins } from '../cni/fairlead.ts';
import { needNamespaces } from '../cni/node.ts';
import { openScene } from '../cni/scene.ts';
import { bridgeList, claim, expectEqual, expectState, NETWORK, nodeState } from '../cnitool/case.ts';
import { type CaseResult, type SuiteContext, SuiteUnavailable } from '../suite.ts';
import { findOnPath } from '../tools/go-tool.ts';

const NAME = 'the executable for ARM64, under an emulator, serves a real runtime';
const COMPILER = fileURLToPath(new URL('../../scripts/compile-cni-executable.mjs', import.meta.url));
const EMULATOR = 'qemu-aarch64';

/** Compiles the executable for ARM64 and lets cnitool call it in the place of this machine's own: the daemon can't tell them apart. */
export async function* arm64Case({ log, signal, wanted }: SuiteContext): AsyncIterable<CaseResult> {
  if (!wanted(NAME)) return;
  const emulator = findOnPath(EMULATOR);
  const skipped = (reason: string): CaseResult => ({ name: NAME, outcome: 'skipped', reason });
  if (emulator === undefined) return void (yield skipped(`${EMULATOR} is not installed`));
  try {
    needNamespaces();
  } catch (error) {
    if (!(error instanceof SuiteUnavailable)) throw error;
    return void (yield skipped(error.message));
  }
  const scene = await openScene('arm64', fairleadPlugins(), { log, signal });
  try {
    const compiled = join(scene.node.folder, 'arm64');
    try {
      execFileSync(process.execPath, [COMPILER, compiled, 'arm64'], { stdio: 'pipe' });
    } catch {
      return void (yield skipped('there is no compiler for ARM64'));
    }
    const program = fillExecutable(readFileSync(compiled), {
      socketPath: scene.plugins.daemon!.socketPath,
      spoolPath: join(scene.plugins.daemon!.stateFolder, 'spool'),
    });
    writeFileSync(compiled, program);
    const plugin = findPlugin(scene.plugins.path, scene.plugins.type('bridge'));
    writeFileSync(plugin, `#!/bin/sh\nexec ${emulator} -0 "$0" ${compiled}\n`);
    chmodSync(compiled, 0o755);
    expectEqual('VERSION', await scene.node.expect(plugin, [], { environment: { CNI_COMMAND: 'VERSION' } }), VERSION_ANSWER);
    scene.configure(bridgeList(scene));
    await scene.attach(NETWORK, 'first');
    const before = await nodeState(scene);
    const { ips } = await scene.attach(NETWORK, 'second');
    const address = ips![0]!.address.split('/')[0]!;
    claim(await scene.probe.ping(scene.pod('first'), address), `no answer to a ping from ${address}`);
    await scene.cnitool.expect({ verb: 'check', network: NETWORK, pod: 'second' });
    await scene.detach(NETWORK, 'second');
    await expectState('after DEL', before, () => nodeState(scene));
    yield { name: NAME, outcome: 'passed' };
  } catch (error) {
    yield { name: NAME, outcome: 'failed', reason: error instanceof Error ? error.message : String(error) };
  } finally {
    await scene.stop();
  }
}
