import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EtcdClient } from '../../src/controller/store/etcd-client.js'
import { EtcdProcess } from './etcd-process.js'

let etcd: EtcdProcess
let client: EtcdClient
beforeAll(async () => {
  etcd = await EtcdProcess.start()
  client = new EtcdClient([etcd.endpoint])
})
afterAll(async () => {
  client[Symbol.dispose]()
  await etcd.stop()
})

describe('a write whose comparison does not hold', () => {
  it("tells the revision of the key, which a watch reaches, not etcd's own, which it may never", async () => {
    const { revision } = await client.write([], [{ put: '/weft/v1/guard/1', value: '' }])
    await client.write([], [{ put: '/of-others', value: '' }])
    const stale = [{ key: '/weft/v1/guard/1', mod_revision: revision - 1n }]
    expect(await client.write(stale, [{ put: '/weft/v1/guard/1', value: 'x' }])).toEqual({
      done: false,
      revision,
    })
    const absent = [{ key: '/weft/v1/guard/2', mod_revision: 1n }]
    expect(await client.write(absent, [])).toEqual({ done: false, revision: 0n })
  })
})
