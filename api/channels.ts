import { adminChannels } from './admin/index.ts';
import { publicKeyChannels } from './certificate-public-key.ts';
import type { AnyChannel } from './channel.ts';
import { customerChannels } from './customers/index.ts';
import { lifecycleChannel } from './lifecycle/index.ts';
import { processorChannel } from './processor/index.ts';
import { publicChannel } from './public/index.ts';
import { kybChannel, kybIntakeChannel } from './public/kyb.ts';
import { secureChannel, sponsorChannel } from './secure/index.ts';

/** What each listener serves (channels 1). */
export const publicChannels: readonly AnyChannel[] = [
  publicChannel,
  kybIntakeChannel,
  kybChannel,
  ...customerChannels,
  ...adminChannels,
];

export const certificateChannels: readonly AnyChannel[] = [
  ...publicKeyChannels,
  secureChannel,
  sponsorChannel,
  lifecycleChannel,
  processorChannel,
];
