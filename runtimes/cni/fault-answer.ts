import type { CniFault } from '../../engine/rules/network/program.ts';
import { printFault } from '../../engine/rules/network/protocol/fault.ts';
import type { Answer } from './wire.ts';

/** What an executable ends with where its plugin fails. CNI: pkg/skel/skel.go, PluginMain. */
export const faultAnswer = (fault: CniFault): Answer => ({ exitCode: 1, stdout: printFault(fault), stderr: '' });
