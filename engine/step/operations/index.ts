import type { Operation } from '../operation.ts';
import { ADDRESS } from './address.ts';
import { BANDWIDTH } from './bandwidth.ts';
import { BRIDGE } from './bridge.ts';
import { DELEGATE } from './delegate.ts';
import { DIRECTORY } from './directory.ts';
import { DUMMY } from './dummy.ts';
import { EXEC } from './exec.ts';
import { FILE } from './file.ts';
import { FIREWALL } from './firewall.ts';
import { HOST_DEVICE } from './host-device.ts';
import { HTTP } from './http.ts';
import { IPVLAN } from './ipvlan.ts';
import { MACVLAN } from './macvlan.ts';
import { MASQUERADE } from './masquerade.ts';
import { PORT_MAP } from './port-map.ts';
import { REMOVE } from './remove.ts';
import { ROUTE } from './route.ts';
import { RULE } from './rule.ts';
import { SYSCTL } from './sysctl.ts';
import { TAP } from './tap.ts';
import { TUNING } from './tuning.ts';
import { VETH } from './veth.ts';
import { VLAN } from './vlan.ts';
import { VXLAN } from './vxlan.ts';
import { VXLAN_PEER } from './vxlan-peer.ts';

const ALL = [
  BRIDGE,
  VETH,
  MACVLAN,
  IPVLAN,
  VLAN,
  VXLAN,
  VXLAN_PEER,
  HOST_DEVICE,
  TAP,
  DUMMY,
  ADDRESS,
  ROUTE,
  RULE,
  SYSCTL,
  TUNING,
  MASQUERADE,
  PORT_MAP,
  FIREWALL,
  BANDWIDTH,
  DIRECTORY,
  FILE,
  REMOVE,
  HTTP,
  EXEC,
  DELEGATE,
] as unknown as readonly Operation[];

/** Every operation by its name: the words that a step can begin with. */
export const OPERATIONS: ReadonlyMap<string, Operation> = new Map(ALL.map((operation) => [operation.name, operation]));
