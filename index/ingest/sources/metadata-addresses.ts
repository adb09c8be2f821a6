import { BlockList, isIPv6 } from 'node:net';

/** Where a machine in a cloud can read its own credentials, beside link-local addresses. */
const IPV4 = {
  'Alibaba Cloud': '100.100.100.200',
  Azure: '168.63.129.16',
  'Oracle Cloud Classic': '192.0.0.192',
};

/** Prefixes of IPv6 addresses that end in an IPv4 address, with their bits: IPv4-compatible, NAT64 and 6to4. */
const EMBEDDING: [before: string, after: string, bits: number][] = [
  ['::', '', 96],
  ['64:ff9b::', '', 96],
  ['2002:', '::', 16],
];

/** `BlockList` compares IPv4-mapped addresses with the rules of IPv4. */
const METADATA = new BlockList();
METADATA.addSubnet('169.254.0.0', 16, 'ipv4');
METADATA.addSubnet('fe80::', 10, 'ipv6');
// AWS: instances, pods and the resolver.
METADATA.addSubnet('fd00:ec2::', 32, 'ipv6');
// Google Cloud.
METADATA.addSubnet('fd20:ce::', 64, 'ipv6');
// Scaleway.
METADATA.addAddress('fd00:42::42', 'ipv6');
for (const address of Object.values(IPV4)) METADATA.addAddress(address, 'ipv4');
for (const [before, after, bits] of EMBEDDING) {
  METADATA.addSubnet(`${before}${hexadecimal('169.254.0.0')}${after}`, bits + 16, 'ipv6');
  for (const address of Object.values(IPV4))
    METADATA.addSubnet(`${before}${hexadecimal(address)}${after}`, bits + 32, 'ipv6');
}

/** Whether an address, in any common notation, is one where a machine in a cloud reads its metadata. */
export function isMetadataAddress(address: string): boolean {
  // A link-local address may name its interface.
  const [plain = ''] = address.split('%');
  return METADATA.check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4');
}

/** The notation of an IPv4 address inside an IPv6 one. */
function hexadecimal(address: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number);
  return `${(256 * a + b).toString(16)}:${(256 * c + d).toString(16)}`;
}
