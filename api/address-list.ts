import { BlockList, isIP, isIPv4 } from 'node:net';

/** True when `ip` is one of the addresses or ranges of `list`, or the list is empty. */
export function isAllowedAddress(list: readonly string[], ip: string | null): boolean {
  if (list.length === 0) return true;
  return ip !== null && addressRanges(list)(ip);
}

/** Tells of an address whether it is in one of the addresses or ranges of `list`; an empty list holds none. */
export function addressRanges(list: readonly string[]): (ip: string) => boolean {
  if (list.length === 0) return () => false;
  const ranges = new BlockList();
  for (const entry of list) {
    const [address = '', prefix] = entry.split('/');
    const family = familyOf(address);
    if (prefix === undefined) ranges.addAddress(address, family);
    else ranges.addSubnet(address, Number(prefix), family);
  }
  return (ip) => ranges.check(ip, familyOf(ip));
}

const familyOf = (ip: string): 'ipv4' | 'ipv6' => (isIPv4(ip) ? 'ipv4' : 'ipv6');

/** What belongs to one subscriber: an IPv4 address, or the first 64 bits of an IPv6 one. */
export function networkOf(ip: string): string {
  if (isIPv4(ip)) return ip;
  const [left = '', right] = ip.split('::');
  const head = left === '' ? [] : left.split(':');
  const tail = right === undefined || right === '' ? [] : right.split(':');
  const between = Array<string>(right === undefined ? 0 : Math.max(0, 8 - head.length - tail.length)).fill(
    '0',
  );
  const groups = [...head, ...between, ...tail].slice(0, 4);
  return groups.map((group) => Number.parseInt(group, 16).toString(16)).join(':');
}

/** True for an address, or an address and the length of its prefix. */
export function isAddressRange(text: string): boolean {
  const [address = '', prefix, more] = text.split('/');
  if (isIP(address) === 0 || more !== undefined) return false;
  return (
    prefix === undefined || (/^[0-9]{1,3}$/.test(prefix) && Number(prefix) <= (isIPv4(address) ? 32 : 128))
  );
}
