import { BlockList, isIP, isIPv4 } from 'node:net';

/** True when `ip` is one of the addresses or ranges of `list`, or the list is empty. */
export function isAllowedAddress(list: readonly string[], ip: string | null): boolean {
  if (list.length === 0) return true;
  if (ip === null) return false;
  const allowed = new BlockList();
  for (const entry of list) {
    const [address = '', prefix] = entry.split('/');
    const family = isIPv4(address) ? 'ipv4' : 'ipv6';
    if (prefix === undefined) allowed.addAddress(address, family);
    else allowed.addSubnet(address, Number(prefix), family);
  }
  return allowed.check(ip, isIPv4(ip) ? 'ipv4' : 'ipv6');
}

/** True for an address, or an address and the length of its prefix. */
export function isAddressRange(text: string): boolean {
  const [address = '', prefix, more] = text.split('/');
  if (isIP(address) === 0 || more !== undefined) return false;
  return (
    prefix === undefined || (/^[0-9]{1,3}$/.test(prefix) && Number(prefix) <= (isIPv4(address) ? 32 : 128))
  );
}
