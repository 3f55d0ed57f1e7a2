import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type CapturedPacket, interfaceBlock, packetBlock, sectionHeader } from './pcapng.js'

interface Block {
  readonly type: number
  readonly body: Buffer
}

/** A reader of its own, from the draft: type, length, body, the same length again. */
function readBlocks(bytes: Uint8Array): Block[] {
  const all = Buffer.from(bytes)
  const blocks: Block[] = []
  for (let at = 0; at < all.length; ) {
    const length = all.readUInt32LE(at + 4)
    expect(length % 4).toBe(0)
    expect(all.readUInt32LE(at + length - 4)).toBe(length)
    blocks.push({ type: all.readUInt32LE(at), body: all.subarray(at + 8, at + length - 4) })
    at += length
  }
  return blocks
}

function readOptions(bytes: Buffer): Map<number, Buffer> {
  const found = new Map<number, Buffer>()
  for (let at = 0; ; ) {
    const [code, length] = [bytes.readUInt16LE(at), bytes.readUInt16LE(at + 2)]
    if (code === 0) return found
    found.set(code, bytes.subarray(at + 4, at + 4 + length))
    at += 4 + Math.ceil(length / 4) * 4
  }
}

const packet: fc.Arbitrary<CapturedPacket> = fc.record({
  interface: fc.nat(9),
  atNs: fc.bigInt({ min: 0n, max: 2n ** 63n }),
  length: fc.nat(65_535),
  bytes: fc.uint8Array({ maxLength: 200 }),
  direction: fc.constantFrom('in' as const, 'out' as const),
  comment: fc.string({ maxLength: 30, unit: 'grapheme' }),
})

describe('pcapng', () => {
  it('holds of each packet its interface, time, lengths, bytes, direction and comment', () => {
    fc.assert(
      fc.property(packet, (one) => {
        const [{ type, body }] = readBlocks(packetBlock(one)) as [Block]
        expect(type).toBe(6)
        expect(body.readUInt32LE(0)).toBe(one.interface)
        expect((BigInt(body.readUInt32LE(4)) << 32n) | BigInt(body.readUInt32LE(8))).toBe(one.atNs)
        const captured = body.readUInt32LE(12)
        expect([captured, body.readUInt32LE(16)]).toEqual([
          one.bytes.length,
          Math.max(one.length, one.bytes.length),
        ])
        expect([...body.subarray(20, 20 + captured)]).toEqual([...one.bytes])
        const options = readOptions(body.subarray(20 + Math.ceil(captured / 4) * 4))
        expect(options.get(1)!.toString()).toBe(one.comment)
        expect(options.get(2)!.readUInt32LE()).toBe(one.direction === 'in' ? 1 : 2)
      }),
    )
  })

  it('begins with a section of its byte order, and names interfaces and the unit of time', () => {
    const [section, device] = readBlocks(
      Buffer.concat([sectionHeader('weft 1.0'), interfaceBlock('host0:tap0', 128)]),
    ) as [Block, Block]
    expect([section.type, section.body.readUInt32LE(0), section.body.readUInt16LE(4)]).toEqual([
      0x0a0d0d0a, 0x1a2b3c4d, 1,
    ])
    expect([device.type, device.body.readUInt16LE(0), device.body.readUInt32LE(4)]).toEqual([1, 1, 128])
    const options = readOptions(device.body.subarray(8))
    expect([options.get(2)!.toString(), options.get(9)![0]]).toEqual(['host0:tap0', 9])
  })
})
