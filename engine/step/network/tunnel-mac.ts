import { canonicalIp } from '../../object/ip-address.ts';
import { generatedMac } from './link-name.ts';

/** MAC address of the end of a VXLAN network at a node, the same for whoever asks: the network's number and the node's address tell it. */
export const tunnelMac = (id: number, node: string): string => generatedMac(`vxlan/${id}/${canonicalIp(node)}`);
