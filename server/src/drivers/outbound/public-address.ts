// Which addresses a request may go to that somebody else has named, as the URL of a webhook: only those of the public
// internet. What is asked is the address that is connected to, after the name was resolved: a name may point anywhere,
// and elsewhere a moment later.
import { lookup as resolve } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** The address belongs to this machine, to its network, or to no host at all. */
export class ForbiddenAddress extends Error {
  override readonly name = 'ForbiddenAddress';
}

// RFC 6890 and its successors: this network, private, shared, loopback, link-local (cloud metadata), protocol
// assignments, documentation, benchmarks, multicast, reserved.
const FORBIDDEN_IPV4 = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12'],
  ...['192.0.0.0/24', '192.0.2.0/24', '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24'],
  ...['203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4'],
];
// Also every form in which an IPv6 address holds an IPv4 one: mapped, translated, 6to4, Teredo.
const FORBIDDEN_IPV6 = [
  ...['::/96', '::ffff:0:0/96', '64:ff9b::/96', '64:ff9b:1::/48', '100::/64', '2001::/23', '2001:db8::/32'],
  ...['2002::/16', 'fc00::/7', 'fe80::/10', 'fec0::/10', 'ff00::/8'],
];

// Two lists: in one, the range of mapped addresses would forbid every IPv4 address.
const FORBIDDEN = { 4: listOf(FORBIDDEN_IPV4, 'ipv4'), 6: listOf(FORBIDDEN_IPV6, 'ipv6') };

function listOf(ranges: readonly string[], family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [net, bits] = range.split('/');
    list.addSubnet(net!, Number(bits), family);
  }
  return list;
}

export function isPublic(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !FORBIDDEN[4].check(address, 'ipv4');
    case 6:
      return !FORBIDDEN[6].check(address, 'ipv6');
    default:
      return false;
  }
}

/** A URL whose host is an address is never looked up. Throws ForbiddenAddress. */
export function checkHost({ hostname }: URL): void {
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  if (isIP(host) !== 0 && !isPublic(host)) throw forbidden(hostname);
}

/** In place of the usual look-up: one address that is not public refuses the name. */
export const lookUpPublic: LookupFunction = (hostname, options, callback) => {
  resolve(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) return callback(error, []);
    if (addresses.length === 0 || !addresses.every(({ address }) => isPublic(address))) {
      return callback(forbidden(hostname), []);
    }
    if (options.all) return callback(null, addresses);
    callback(null, addresses[0]!.address, addresses[0]!.family);
  });
};

function forbidden(host: string): ForbiddenAddress {
  return new ForbiddenAddress(`${host} is not an address of the public internet`);
}
