import { EventEmitter } from 'node:events'
import { pino } from 'pino'
import { afterEach, describe, expect, it } from 'vitest'
import { PROTOCOL_VERSION } from '../../rpc/records.js'
import { encodeReport } from '../../rpc/wire.js'
import { ClusterView } from '../view/cluster-view.js'
import { NodeHub } from './node-hub.js'
import type { SyncCall } from './node-stream.js'

const view = new ClusterView()
const hub = new NodeHub({
  view,
  unready: () => undefined,
  claims: () => {},
  changed: () => {},
  log: pino({ level: 'silent' }),
})
afterEach(() => hub.stop())

const hello = { node: 'host0', abi: '', version: '1', instance: 'a', held: [] }
const greeting = encodeReport({ kind: 'hello', hello, protocol: PROTOCOL_VERSION })

describe('a call that was refused', () => {
  // What the peer sent in one go is read in one go, before the call's end is noticed.
  it.each(['its first word', 'its cancellation'])('at %s is heard no more', (when) => {
    const call = new EventEmitter() as SyncCall
    const errors: unknown[] = []
    hub.accept(call)
    call.on('error', (error: unknown) => errors.push(error))
    if (when === 'its first word') call.emit('data', encodeReport({ kind: 'segment_request', vni: 1 }))
    else call.emit('cancelled')
    const before = errors.length
    call.emit('data', greeting)
    expect(errors).toHaveLength(before)
    expect(hub.statuses()).toEqual([])
  })
})
