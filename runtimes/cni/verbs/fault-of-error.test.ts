import { expect, test } from 'vitest';
import { EffectError } from '../../../engine/step/effect.ts';
import { StepFailure } from '../../linux/performer.ts';
import { faultOfError } from './fault-of-error.ts';

const step = { key: 'bridge', operation: 'bridge', arguments: {}, path: ['spec', 'steps', 0], line: 10, timeout: 1000 };
const cause = new EffectError('busy', 'Device or resource busy', 'ip link add cni0 type bridge');

test.each([
  [
    'step bridge of rule net (spec.steps[0], line 10): ip link add cni0 type bridge: Device or resource busy',
    { left: ['link cni0'] },
    'left: link cni0',
  ],
  ['bridge cni0: Device or resource busy', {}, 'step bridge (line 10 of the rule); tried: ip link add cni0 type bridge'],
])('details say what the message does not: %s', (message, more, details) => {
  const failure = new StepFailure(message, { step, verb: 'ensure', code: 'busy', cause, ...more });
  expect(faultOfError(failure)).toEqual({ code: 11, msg: message, details });
});
