import type { Path } from './problem.js'

/**
 * What a topology will be able to say, and this version cannot do. It is refused
 * by name, so that nobody takes it for a typing error or believes it in force.
 */
const laterKeys: Readonly<Record<string, readonly string[]>> = {
  '': ['gateways', 'dhcp', 'monitors'],
  'lab.endpoints.*': ['services'],
  'lab.endpoints.*.attach': ['gateway', 'segment', 'vlan'],
  'lab.endpoint_sets.*': ['address', 'services'],
}

const laterValues: Readonly<Record<string, readonly string[]>> = {
  'lab.segments.*.kind': ['trunk'],
  'lab.endpoints.*.address': ['dhcp'],
  'lab.traffic.*.kind': ['http'],
  'lab.checks.*.kind': ['drops', 'dhcp_leases', 'http', 'counter_match', 'chord_sum'],
}

export function isLaterKey(parent: Path, key: string): boolean {
  return laterKeys[pattern(parent)]?.includes(key) ?? false
}

export function isLaterValue(path: Path, value: unknown): boolean {
  return typeof value === 'string' && (laterValues[pattern(path)]?.includes(value) ?? false)
}

// The names of things, and the indices of lists, are at fixed depths.
function pattern(path: Path): string {
  return path
    .map((part, depth) => {
      const named = path[0] === 'lab' ? depth === 2 : depth === 1
      return named || typeof part === 'number' ? '*' : part
    })
    .join('.')
}
