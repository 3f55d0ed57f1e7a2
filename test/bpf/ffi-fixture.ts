import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Codec, readU32, readU64, writeU32, writeU64 } from '../../src/node/bpf/codec.js'
import { mountBpffs, unmountBpffs } from '../../src/node/bpf/features.js'
import type { MapSpec } from '../../src/node/bpf/map.js'

export interface Fixture {
  /** A bpffs of our own. */
  readonly bpffs: string
  readonly dir: string
  /** Compiles test/bpf/fixtures/<name>.bpf.c and returns the object's path. */
  compile(name: string, flags?: readonly string[]): string
  /** Takes all away again. */
  remove(): void
}

let count = 0

export function makeFixture(): Fixture {
  const dir = mkdtempSync(join(tmpdir(), 'wt-ffi-'))
  const bpffs = `/run/wt-ffi-${process.pid}-${++count}`
  mkdirSync(bpffs)
  mountBpffs(bpffs)
  return {
    bpffs,
    dir,
    compile(name, flags = []) {
      const object = join(dir, `${name}.bpf.o`)
      const source = join(import.meta.dirname, 'fixtures', `${name}.bpf.c`)
      const include = `-I/usr/include/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`
      execFileSync('clang', ['-O2', '-g', '-target', 'bpf', include, ...flags, '-c', source, '-o', object])
      return object
    },
    remove() {
      unmountBpffs(bpffs)
      rmSync(bpffs, { recursive: true, force: true })
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

// The layouts of fixtures/ffi.bpf.c.

export interface PairKey {
  id: number
}

export interface PairValue {
  low: number
  high: number
}

export interface Count {
  packets: number
  bytes: number
}

const pairKey: Codec<PairKey> = {
  size: 4,
  encode: (value, out, at = 0) => writeU32(out, at, value.id),
  decode: (bytes, at = 0) => ({ id: readU32(bytes, at) }),
}

const pairValue: Codec<PairValue> = {
  size: 8,
  encode(value, out, at = 0) {
    writeU32(out, at, value.low)
    writeU32(out, at + 4, value.high)
  },
  decode: (bytes, at = 0) => ({ low: readU32(bytes, at), high: readU32(bytes, at + 4) }),
}

const countValue: Codec<Count> = {
  size: 16,
  encode(value, out, at = 0) {
    writeU64(out, at, value.packets)
    writeU64(out, at + 8, value.bytes)
  },
  decode: (bytes, at = 0) => ({ packets: readU64(bytes, at), bytes: readU64(bytes, at + 8) }),
}

const pair = { key: pairKey, value: pairValue, perCpu: false }
export const specs = {
  pairs: { ...pair, type: 1, maxEntries: 64 },
  many: { ...pair, type: 1, maxEntries: 65_536 },
  slots: { ...pair, type: 2, maxEntries: 10 },
  counts: { key: pairKey, value: countValue, type: 5, maxEntries: 64, perCpu: true },
} as const satisfies Record<string, MapSpec<PairKey, PairValue> | MapSpec<PairKey, Count>>
