import { admitCertificate, identifyProcessor } from '../certificate-channels.ts';
import { channel } from '../channel.ts';
import { authorizations } from './authorizations.ts';
import { clearingFiles } from './clearing-files.ts';
import { clearings } from './clearings.ts';
import { liveness } from './health.ts';

/** Called by the issuing processor, known by its certificate. */
export const processorChannel = channel({
  name: 'processor',
  prefix: '/processor',
  identify: identifyProcessor,
  admit: admitCertificate,
  routes: [...authorizations, ...clearings, ...clearingFiles, ...liveness],
});
