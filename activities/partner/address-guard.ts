import { type LookupAddress, lookup as resolve } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** Where calls to partners may go (partner-integrations 2.5). */
export interface AddressGuard {
  /** Null when the address may be called, else what is wrong with it. */
  urlFault(url: URL): string | null;
  /** For the socket: resolves a name and refuses it when any of its addresses may not be called. */
  readonly lookup: LookupFunction;
}

export interface AddressGuardOptions {
  /** Ranges opened by OUTBOUND_CIDR_ALLOW, for example `127.0.0.0/8`. */
  readonly allow: readonly string[];
  /** CARDLOOM_DEV: plain http, and any port of this machine. */
  readonly dev: boolean;
}

export const BLOCKED_ADDRESS = 'ERR_BLOCKED_ADDRESS';

const PORTS = new Set(['', '443', '8443', '9443']);
const REFUSED = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12'],
  ...['192.0.0.0/24', '192.168.0.0/16', '198.18.0.0/15', '224.0.0.0/4', '240.0.0.0/4'],
  // Mapped and translated forms reach the same machines by another name.
  ...['::/127', '::ffff:0:0/96', '64:ff9b::/96', '64:ff9b:1::/48', 'fc00::/7', 'fe80::/10', 'ff00::/8'],
];

/** A guard of its own for each process. Throws a `RangeError` for a range that cannot be read. */
export function createAddressGuard({ allow, dev }: AddressGuardOptions): AddressGuard {
  const refused = blockList(REFUSED);
  const allowed = blockList(allow);
  const mayCall = ({ address, family }: LookupAddress): boolean => {
    const type = family === 6 ? 'ipv6' : 'ipv4';
    return allowed.check(address, type) || !refused.check(address, type);
  };

  return {
    urlFault(url) {
      if (url.protocol !== 'https:' && !(dev && url.protocol === 'http:')) return 'must be https';
      if (url.username !== '' || url.password !== '') return 'must not hold a user';
      if (url.search !== '' || url.hash !== '') return 'must not hold a query or a fragment';
      if (isIP(url.hostname.replace(/^\[|\]$/g, '')) !== 0) return 'must be a name, not an address';
      if (!PORTS.has(url.port) && !(dev && url.hostname === 'localhost')) return 'port is not allowed';
      return null;
    },
    lookup(hostname, options, callback) {
      resolve(hostname, { ...options, all: true }, (error, addresses) => {
        const first = addresses?.[0];
        if (error !== null) return callback(error, '', 0);
        if (first === undefined || !addresses.every(mayCall)) {
          const blocked: NodeJS.ErrnoException = new Error(
            'the name leads to an address that is not allowed',
          );
          blocked.code = BLOCKED_ADDRESS;
          return callback(blocked, '', 0);
        }
        return options.all ? callback(null, addresses) : callback(null, first.address, first.family);
      });
    },
  };
}

function blockList(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', bits] = range.split('/');
    const version = isIP(address);
    const prefix = bits === undefined ? (version === 6 ? 128 : 32) : Number(bits);
    if (version === 0) throw new RangeError('a range is written as 10.0.0.0/8');
    list.addSubnet(address, prefix, version === 6 ? 'ipv6' : 'ipv4');
  }
  return list;
}
