import type { Operation } from '../operation.ts';
import { BANDWIDTH } from './bandwidth.ts';
import { BRIDGE } from './bridge.ts';
import { DELEGATE } from './delegate.ts';
import { DIRECTORY } from './directory.ts';
import { EXEC } from './exec.ts';
import { FILE } from './file.ts';
import { HTTP } from './http.ts';
import { MASQUERADE } from './masquerade.ts';
import { PORT_MAP } from './port-map.ts';
import { REMOVE } from './remove.ts';
import { VETH } from './veth.ts';

const ALL = [
  BRIDGE,
  VETH,
  MASQUERADE,
  PORT_MAP,
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
