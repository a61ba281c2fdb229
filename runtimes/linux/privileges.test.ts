import { describe, expect, it } from 'vitest';
import { missingPrivileges } from './privileges.ts';

const status = (effective: string): string => `Name:\tnode\nCapPrm:\t000001ffffffffff\nCapEff:\t${effective}\nCapBnd:\t000001ffffffffff\n`;

describe('privileges', () => {
  it.each([
    ['root', '000001ffffffffff', []],
    ['nobody', '0000000000000000', ['CAP_NET_ADMIN', 'CAP_SYS_ADMIN']],
    ['a container without more', '00000000a80425fb', ['CAP_NET_ADMIN', 'CAP_SYS_ADMIN']],
    ['a container with CAP_NET_ADMIN', '00000000a80435fb', ['CAP_SYS_ADMIN']],
  ])('of %s', (_, effective, missing) => {
    expect(missingPrivileges(status(effective))).toEqual(missing);
  });

  it('are not asked for where nobody tells of them', () => {
    expect(missingPrivileges('')).toEqual([]);
  });
});
