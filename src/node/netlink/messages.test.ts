import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseChanges } from './messages.js'

function message(type: number, ifindex: number, payload = 16): Buffer {
  const bytes = Buffer.alloc(16 + payload)
  bytes.writeUInt32LE(bytes.length, 0)
  bytes.writeUInt16LE(type, 4)
  bytes.writeUInt32LE(ifindex, 20)
  return bytes
}

describe('parseChanges', () => {
  it('tells links from addresses, and passes over the rest', () => {
    const datagram = Buffer.concat([
      message(16, 3),
      message(28, 4),
      message(17, 5),
      message(20, 6, 8),
      message(21, 7),
    ])
    expect(parseChanges(datagram)).toEqual([
      { kind: 'changed', subject: 'link', ifindex: 3 },
      { kind: 'changed', subject: 'link', ifindex: 5 },
      { kind: 'changed', subject: 'address', ifindex: 6 },
      { kind: 'changed', subject: 'address', ifindex: 7 },
    ])
  })

  it('reads what is whole of a datagram that was cut', () => {
    const datagram = Buffer.concat([message(16, 3), message(16, 4)])
    expect(parseChanges(datagram.subarray(0, 50))).toHaveLength(1)
  })

  it('ends on any bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void parseChanges(bytes)))
  })
})
