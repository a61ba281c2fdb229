import { type Infer, object, optional, string } from '../../text/shape.ts';
import { EffectError, type Steps } from '../effect.ts';
import { stat } from '../effects/files.ts';
import { type LinkRow, link, links } from '../effects/show.ts';
import { all } from '../effects/step.ts';
import type { ArgumentProblem } from '../operation.ts';
import { macProblems, optionalLinkNameProblems } from './link-name.ts';
import { linkName, mac } from './shapes.ts';

/*
 * Network devices of the host, found by what is known of them. As the official plugin host-device finds them.
 */

/** One of them says which device it is. */
export const deviceFields = {
  device: optional(linkName('Name of the device on the host.')),
  deviceMac: mac('MAC address of the device on the host.'),
  kernelPath: optional(string({ doc: 'Folder of the device below `/sys/devices/`.', maxLength: 1024 })),
  pciAddress: optional(string({ doc: 'Address of the device on the PCI bus: `0000:3b:02.1`.', maxLength: 64 })),
  auxiliaryDevice: optional(string({ doc: 'Name of the device on the auxiliary bus: `mlx5_core.sf.2`.', maxLength: 128 })),
};
const deviceShape = object(deviceFields);
type DeviceArguments = Infer<typeof deviceShape>;

const WAYS = ['device', 'deviceMac', 'kernelPath', 'pciAddress', 'auxiliaryDevice'] as const;

/** Drivers by which programs have a device to themselves; there is no interface to move then. */
const USER_SPACE_DRIVERS = ['vfio-pci', 'uio_pci_generic', 'igb_uio'];

/** What is wrong with the arguments, for `validate`. */
export function deviceProblems(args: DeviceArguments): ArgumentProblem[] {
  const problems: ArgumentProblem[] = [...optionalLinkNameProblems(args, 'device'), ...macProblems(args, 'deviceMac')];
  const given = WAYS.filter((way) => args[way]);
  if (given.length !== 1) problems.push({ path: [], message: `specify one of ${WAYS.join(', ')}` });
  if (args.kernelPath && !/^\/sys\/devices\/[^\0]+$/.test(args.kernelPath)) {
    problems.push({ path: ['kernelPath'], message: 'the path must begin with /sys/devices/' });
  }
  if (args.kernelPath?.split('/').includes('..')) problems.push({ path: ['kernelPath'], message: 'the path must not lead upwards' });
  if (args.pciAddress && !/^[0-9a-fA-F]{4,8}:[0-9a-fA-F]{2}:[0-9a-fA-F]{2}\.[0-7]$/.test(args.pciAddress)) {
    problems.push({ path: ['pciAddress'], message: `${JSON.stringify(args.pciAddress)} is not an address like 0000:3b:02.1` });
  }
  if (args.auxiliaryDevice && !/^[\w-][\w.-]*$/.test(args.auxiliaryDevice)) {
    problems.push({ path: ['auxiliaryDevice'], message: `${JSON.stringify(args.auxiliaryDevice)} is not the name of a device` });
  }
  return problems;
}

/** What the device is asked for by. */
export const askedDevice = (args: DeviceArguments): string => args[WAYS.find((way) => args[way]) ?? 'device'] ?? '';

/** The same for two arguments that ask for a device in the same way. */
export const deviceKey = (args: DeviceArguments): string => WAYS.map((way) => args[way] ?? '').join(':');

/** Whether a program has the device to itself. */
export function* isForPrograms(args: DeviceArguments): Steps<boolean> {
  if (!args.pciAddress) return false;
  for (const driver of USER_SPACE_DRIVERS) {
    if ((yield* stat(`/sys/bus/pci/drivers/${driver}/${args.pciAddress}`)) !== undefined) return true;
  }
  return false;
}

/** The device. @throws EffectError `missing` */
export function* findDevice(args: DeviceArguments): Steps<LinkRow> {
  const row = yield* lookUp(args);
  if (row !== undefined) return row;
  const message = `failed to find host device: the host has no network device ${JSON.stringify(askedDevice(args))}`;
  throw new EffectError('missing', message, 'ip link show');
}

function* lookUp({ device, deviceMac, kernelPath, pciAddress, auxiliaryDevice }: DeviceArguments): Steps<LinkRow | undefined> {
  if (device) return yield* link(undefined, device);
  const rows = yield* links(undefined);
  if (deviceMac) return rows.find(({ address }) => address === deviceMac.toLowerCase());
  const folder = kernelPath || (pciAddress ? `/sys/bus/pci/devices/${pciAddress}` : `/sys/bus/auxiliary/devices/${auxiliaryDevice}`);
  // The kernel lists a device's interfaces in a folder of it; those of virtio one level below.
  const places = rows.flatMap((row) => [
    { row, path: `${folder}/net/${row.ifname}` },
    ...(row.parentdev === undefined ? [] : [{ row, path: `${folder}/${row.parentdev}/net/${row.ifname}` }]),
  ]);
  const facts = yield* all(...places.map(({ path }) => ({ kind: 'stat', path }) as const));
  return places[facts.findIndex((fact) => fact !== undefined)]?.row;
}
