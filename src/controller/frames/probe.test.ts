import { expect, it } from 'vitest'
import { type Mac, parseMac } from '../../model/mac.js'
import { markedFrame } from './probe.js'

const ends = {
  source: parseMac('02:00:00:00:00:01') as Mac,
  destination: parseMac('02:00:00:00:00:02') as Mac,
}
const marker = 0x0102_0304_0506n

it('a probe between stations without addresses has an EtherType of its own, and the mark behind it', () => {
  const frame = Buffer.from(markedFrame({ ...ends, sourceIp: null, destinationIp: '10.0.0.2' }, marker, 60))
  expect(frame.length).toBe(60)
  expect(frame.subarray(0, 14).toString('hex')).toBe('02000000000202000000000188b5')
  expect(frame.readBigUInt64LE(14)).toBe(marker)
})

it('a probe between IPv4 stations is UDP to the discard port, with a right checksum', () => {
  const frame = Buffer.from(
    markedFrame({ ...ends, sourceIp: '10.0.0.1', destinationIp: '10.0.0.2' }, marker, 98),
  )
  expect(frame.subarray(14, 34).toString('hex')).toBe('4500005400000000401166970a0000010a000002')
  expect(frame.subarray(34, 42).toString('hex')).toBe('0009000900400000')
  expect(frame.readBigUInt64LE(42)).toBe(marker)
})
