/** A partner that accepts everything at once: what is measured against it is our side. */
import { createServer } from 'node:https';
import { openAuthority } from '../../simulators/partner/certificates.ts';

const authority = await openAuthority(null);
const server = createServer(
  {
    cert: authority.serverCertificatePem,
    key: authority.serverKeyPem,
    requestCert: true,
    rejectUnauthorized: false,
  },
  (request, response) => {
    request.resume();
    request.on('end', () => response.writeHead(204).end());
  },
);
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.send?.({ port: typeof address === 'object' ? address?.port : 0, caPem: authority.caPem });
});
process.on('disconnect', () => process.exit(0));
