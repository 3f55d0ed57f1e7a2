import { expect, it } from 'vitest'
import type { Ip } from '../../model/ip.js'
import { parseMac } from '../../model/mac.js'
import { bindingEvent, EventKind, macEvent, probeEvent } from '../bpf/abi.gen.js'
import type { Codec } from '../bpf/codec.js'
import { readEvent } from './events.js'

const mac = parseMac('02:00:00:00:00:01')!
const none = '::' as Ip

function read(record: Uint8Array): string[] {
  const taken: string[] = []
  readEvent(record, {
    onMac: (event) => taken.push(`mac ${event.ifindex}`),
    onBinding: (event) => taken.push(`binding ${event.ip}`),
    onProbe: (event) => taken.push(`probe ${event.size}`),
  })
  return taken
}

function record<T>(codec: Codec<T>, value: T): Uint8Array {
  const bytes = new Uint8Array(codec.size)
  codec.encode(value, bytes)
  return bytes
}

it('hands each record to whoever takes its kind', () => {
  const place = { ifindex: 4, fromIfindex: 0, vtep: none, fromVtep: none }
  const base = { vni: 7, mac, flags: 0, atNs: 5 }
  for (const kind of [EventKind.EVENT_MAC_LEARNED, EventKind.EVENT_MAC_MOVED]) {
    expect(read(record(macEvent, { ...base, ...place, kind }))).toEqual(['mac 4'])
  }
  const binding = { ...base, kind: EventKind.EVENT_BINDING, ifindex: 4, ip: '10.1.0.1' as Ip }
  expect(read(record(bindingEvent, binding))).toEqual(['binding 10.1.0.1'])
  const probe = new Uint8Array(probeEvent.size)
  probe[0] = EventKind.EVENT_PROBE
  expect(read(probe)).toEqual(['probe 0'])
})

it('refuses a kind that this build does not have', () => {
  expect(() => read(new Uint8Array(64).fill(99, 0, 1))).toThrow('kind 99')
})
