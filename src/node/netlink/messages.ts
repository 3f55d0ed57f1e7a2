/** What a link or address notification is about; read it back to know what is so now. */
export interface Change {
  readonly kind: 'changed'
  readonly subject: 'link' | 'address'
  readonly ifindex: number
}

const HEADER = 16
const subjects: Readonly<Record<number, Change['subject']>> = {
  16: 'link', // RTM_NEWLINK
  17: 'link', // RTM_DELLINK
  20: 'address', // RTM_NEWADDR
  21: 'address', // RTM_DELADDR
}

/**
 * Reads one datagram of rtnetlink notifications (rtnetlink(7)); other messages
 * are passed over. `struct ifinfomsg` and `struct ifaddrmsg` both have the index
 * at byte 4.
 */
export function parseChanges(datagram: Uint8Array): Change[] {
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength)
  const changes: Change[] = []
  for (let at = 0; at + HEADER <= datagram.length; ) {
    const length = view.getUint32(at, true)
    if (length < HEADER || at + length > datagram.length) break // cut: the rest cannot be read
    const subject = subjects[view.getUint16(at + 4, true)]
    if (subject && length >= HEADER + 8) {
      changes.push({ kind: 'changed', subject, ifindex: view.getUint32(at + HEADER + 4, true) })
    }
    at += (length + 3) & ~3
  }
  return changes
}
