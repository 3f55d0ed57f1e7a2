import { readFileSync } from 'node:fs'

const fields = [
  ...['bytes', 'packets', 'errs', 'drop', 'fifo', 'frame', 'compressed', 'multicast'].map(
    (name) => `rx_${name}`,
  ),
  ...['bytes', 'packets', 'errs', 'drop', 'fifo', 'colls', 'carrier', 'compressed'].map(
    (name) => `tx_${name}`,
  ),
]

/** What the kernel counted for a device of this namespace, by the names of /proc/net/dev with rx_ or tx_ before. */
export function deviceCounters(device: string): Readonly<Record<string, number>> {
  const line = readFileSync('/proc/self/net/dev', 'utf8')
    .split('\n')
    .find((text) => text.trim().startsWith(`${device}:`))
  const values = line!.split(':')[1]!.trim().split(/\s+/).map(Number)
  return Object.fromEntries(fields.map((name, i) => [name, values[i]!]))
}

/** What protocols refused: the errors of /proc/net/snmp, netstat and snmp6 by their names. */
export function protocolErrors(): Map<string, number> {
  const errors = new Map<string, number>()
  for (const file of ['snmp', 'netstat']) {
    const lines = readFileSync(`/proc/self/net/${file}`, 'utf8').trim().split('\n')
    for (let i = 0; i < lines.length; i += 2) {
      const [group, ...names] = lines[i]!.split(' ')
      const values = lines[i + 1]!.split(' ').slice(1)
      for (const [at, name] of names.entries()) errors.set(`${group}${name}`, Number(values[at]))
    }
  }
  for (const line of readFileSync('/proc/self/net/snmp6', 'utf8').trim().split('\n')) {
    const [name, value] = line.split(/\s+/)
    errors.set(name!, Number(value))
  }
  for (const name of errors.keys()) {
    if (!/Err|Discard|Trunc|NoPorts|ReasmReqds|Unknown|NoRoutes/.test(name)) errors.delete(name)
  }
  return errors
}

/** Frames that a device took in and did not pass on. */
export function receiveErrors(device: string): number {
  const counters = deviceCounters(device)
  return counters['rx_errs']! + counters['rx_drop']!
}
