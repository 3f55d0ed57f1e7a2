import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WeftError } from '../../src/common/errors.js'
import { hasTcx, isBpffs, missingCapabilities, mountBpffs } from '../../src/node/bpf/features.js'
import { BpfObject, type ObjectOptions } from '../../src/node/bpf/object.js'
import { testRun } from '../../src/node/bpf/test-run.js'
import { type Fixture, makeFixture, specs } from './ffi-fixture.js'

let fixture: Fixture
let path: string

beforeAll(() => {
  fixture = makeFixture()
  path = fixture.compile('ffi')
})
afterAll(() => fixture.remove())

function load(opts: ObjectOptions = {}): BpfObject {
  const object = BpfObject.open(path, { pinRoot: join(fixture.bpffs, 'default'), ...opts })
  object.load()
  return object
}

function failure(work: () => unknown): WeftError {
  try {
    work()
  } catch (err) {
    if (err instanceof WeftError) return err
    throw err
  }
  throw new Error('nothing was thrown')
}

const frame = new Uint8Array(60)

describe('BpfObject', () => {
  it('sets constants before load, of any width', () => {
    using big = load({ rodata: { answer: 0xdead_beef } })
    big.map('pairs', specs.pairs).set({ id: 7 }, { low: 0, high: 0 })
    expect(testRun(big.program('first'), frame).mark).toBe(0xdead_beef)
  })

  it('refuses constants that the object lacks, or that do not fit', () => {
    expect(failure(() => BpfObject.open(path, { rodata: { nothing: 1 } }))).toMatchObject({
      code: 'W-2102',
      message: `object ${path} has no constant nothing`,
    })
    expect(() => BpfObject.open(path, { rodata: { small: 65_536 } })).toThrow(RangeError)
  })

  it('sizes maps', () => {
    using object = load({ pinRoot: join(fixture.bpffs, 'sized'), maxEntries: { pairs: 1000 } })
    expect(object.map('pairs', specs.pairs).maxEntries).toBe(1000)
  })

  it('tells equal programs by their tag, and each load by its id', () => {
    using one = load()
    using two = load()
    expect(one.program('first').tag).toBe(two.program('first').tag)
    expect(one.program('first').tag).not.toBe(one.program('second').tag)
    expect(one.program('first').id).not.toBe(two.program('first').id)
  })

  it('takes over a pinned map with its entries', () => {
    const pinRoot = join(fixture.bpffs, 'taken-over')
    using before = load({ pinRoot })
    before.map('pairs', specs.pairs).set({ id: 1 }, { low: 2, high: 3 })
    before[Symbol.dispose]()

    using after = load({ pinRoot })
    expect(after.map('pairs', specs.pairs).get({ id: 1 })).toEqual({ low: 2, high: 3 })
  })

  it('refuses a pinned map of another size, and says which and how', () => {
    const pinRoot = join(fixture.bpffs, 'mismatch')
    using before = load({ pinRoot, maxEntries: { pairs: 32 } })
    expect(before.map('pairs', specs.pairs).maxEntries).toBe(32)

    const refused = failure(() => load({ pinRoot }))
    expect(refused).toMatchObject({
      code: 'W-2102',
      message: `map ${pinRoot}/pairs was pinned by another build: maxEntries 32, not 64`,
    })
  })

  it('shows the end of the verifier log of a refused program, by name', () => {
    const refused = failure(() => BpfObject.open(fixture.compile('refused')).load())
    expect(refused).toMatchObject({
      code: 'W-2006',
      details: { program: 'bad', errno: 'EACCES', truncated: false },
    })
    expect(refused.message).toContain('the verifier refused program bad')
    expect(refused.details['log']).toContain('invalid access to packet')
  })

  it('is not misled by a log that does not fit, and still shows its end', () => {
    const refused = failure(() => BpfObject.open(fixture.compile('refused'), { logBytes: 128 }).load())
    expect(refused).toMatchObject({
      code: 'W-2006',
      details: { program: 'bad', errno: 'ENOSPC', truncated: true },
    })
    expect(refused.message).toContain('log cut at 128 bytes')
  })

  it('loads good programs whatever the size of the log', () => {
    using object = load({ logBytes: 16 })
    expect(testRun(object.program('second'), frame).verdict).toBe(0)
  })

  it('says what to do when the object file is missing or is none', () => {
    expect(failure(() => BpfObject.open('/nowhere/x.bpf.o'))).toMatchObject({
      code: 'W-2005',
      message: 'BPF object /nowhere/x.bpf.o cannot be read: ENOENT',
      next: 'npm run build:bpf',
    })
    const text = join(fixture.dir, 'text.bpf.o')
    writeFileSync(text, 'no object')
    expect(failure(() => BpfObject.open(text))).toMatchObject({ code: 'W-2005' })
  })

  it('says which program or map it lacks', () => {
    using object = load()
    expect(failure(() => object.program('third')).message).toBe(`object ${path} has no program third`)
    expect(failure(() => object.map('third', specs.pairs)).message).toBe(`object ${path} has no map third`)
  })

  it('names the capabilities that are missing', () => {
    const source = join(import.meta.dirname, 'fixtures', 'load-object.ts')
    const drop = '--bounding-set=-bpf,-net_admin,-sys_admin'
    const out = execFileSync('setpriv', [drop, process.execPath, '--import', 'tsx', source, path], {
      encoding: 'utf8',
    })
    expect(JSON.parse(out)).toMatchObject({
      code: 'W-2001',
      missing: ['CAP_BPF', 'CAP_NET_ADMIN'],
    })
  })
})

describe('testRun', () => {
  it('returns the frame, the verdict and the time of a run', () => {
    using object = load()
    const run = testRun(
      object.program('second'),
      Uint8Array.from({ length: 64 }, (_, i) => i),
      { repeat: 1000 },
    )
    expect(run).toMatchObject({ verdict: 0, frame: Uint8Array.from({ length: 64 }, (_, i) => i) })
    expect(run.nsPerRun).toBeGreaterThan(0)
  })

  it('passes the context in', () => {
    using object = load()
    expect(testRun(object.program('second'), frame, { ctx: { mark: 42, ifindex: 1 } }).mark).toBe(42)
  })

  it.each([13, 9000])('names the errno for a frame of %i bytes', (length) => {
    using object = load()
    expect(failure(() => testRun(object.program('second'), new Uint8Array(length)))).toMatchObject({
      errno: 'EINVAL',
      message: `bpf_prog_test_run_opts (second, frame of ${length} bytes): EINVAL`,
    })
  })
})

describe('features', () => {
  it('are probed', () => {
    expect(missingCapabilities()).toEqual([])
    expect(typeof hasTcx()).toBe('boolean')
  })

  it('know a bpffs, and mount one once', () => {
    expect(isBpffs(fixture.bpffs)).toBe(true)
    expect(isBpffs('/tmp')).toBe(false)
    expect(isBpffs('/nowhere')).toBe(false)
    mountBpffs(fixture.bpffs)
    using object = load()
    expect(object.program('first').name).toBe('first')
  })

  it('say where mounting a bpffs failed', () => {
    expect(failure(() => mountBpffs('/proc/nowhere'))).toMatchObject({
      code: 'W-2003',
      next: 'mount -t bpf bpffs /proc/nowhere',
    })
  })
})
