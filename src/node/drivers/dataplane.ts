import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { WeftError } from '../../common/errors.js'
import { abiDigest, maps as layouts } from '../bpf/abi.gen.js'
import { missingForFastPath } from '../bpf/fast-path.js'
import { BpfMap } from '../bpf/map.js'
import { BpfObject, type BpfProgram } from '../bpf/object.js'
import type { PerCpuMap } from '../bpf/per-cpu-map.js'

/** Of these, those of the underlay are only loaded where the kernel can run them. */
export const programNames = [
  'port_ingress',
  'tunnel_ingress',
  'port_egress',
  'probe',
  'underlay_ingress',
  'underlay_egress',
] as const
export type ProgramName = (typeof programNames)[number]

/** The same from sources and from the build, which lie equally deep. */
const objects = fileURLToPath(new URL('../../../build/bpf/', import.meta.url))

const DIGEST_DIR = /^[0-9a-f]{12}$/

/**
 * Programs and maps of this build, in the kernel and pinned:
 *
 *     <bpffs>/<digest of the ABI>/maps/<map>
 *                                /links/<program>-<ifindex>
 *
 * Maps that are pinned already are taken over with what they hold. Another
 * build's directory is left alone until everything of it has a successor.
 */
export class Dataplane implements Disposable {
  private readonly directory: string

  private constructor(
    private readonly bpffs: string,
    private readonly loaded: ReadonlyMap<ProgramName, BpfObject>,
    /** What the kernel lacks for the fast path. */
    readonly missingForFastPath: string | undefined,
  ) {
    this.directory = ownDirectory(bpffs)
  }

  /** Whether an earlier daemon of this build left its maps. */
  static isThere(bpffs: string): boolean {
    return existsSync(join(ownDirectory(bpffs), 'maps'))
  }

  /**
   * Checks that the objects are built; touches nothing in the kernel.
   *
   * @throws WeftError W-2005
   */
  static check(): void {
    for (const name of programNames) BpfObject.open(objectPath(name))[Symbol.dispose]()
  }

  /**
   * Loads the programs; makes and pins the maps that are not there.
   *
   * @param bpffs a directory on a bpffs
   * @throws WeftError W-2005, W-2006, W-2102, W-2001, W-2002
   */
  static open(bpffs: string): Dataplane {
    const loaded = new Map<ProgramName, BpfObject>()
    const missing = missingForFastPath(objectPath('fast_path_probe'))
    try {
      for (const name of programNames) {
        if (name.startsWith('underlay_') && missing !== undefined) continue
        const object = BpfObject.open(objectPath(name), { pinRoot: join(ownDirectory(bpffs), 'maps') })
        loaded.set(name, object)
        object.load()
      }
      const dataplane = new Dataplane(bpffs, loaded, missing)
      dataplane.inherit('learned')
      dataplane.inherit('snooped')
      return dataplane
    } catch (err) {
      for (const object of loaded.values()) object[Symbol.dispose]()
      throw err
    }
  }

  program(name: ProgramName): BpfProgram {
    return this.loaded.get(name)!.program(name)
  }

  /** Of one of the maps, for those who write or read it: belongs to the caller. */
  map<N extends PlainMap>(name: N): MapOf<N> {
    return this.sharing.map(name, layouts[name] as never) as MapOf<N>
  }

  perCpuMap<N extends CountMap>(name: N): CountMapOf<N> {
    return this.sharing.perCpuMap(name, layouts[name] as never) as CountMapOf<N>
  }

  /** Of the ring `events`; belongs to the dataplane. */
  get eventsFd(): number {
    return this.sharing.mapFd('events')
  }

  /** Of the ring `frames`; belongs to the dataplane. */
  get framesFd(): number {
    return this.sharing.mapFd('frames')
  }

  linkPin(name: ProgramName, ifindex: number): string {
    return join(this.directory, 'links', `${name}-${ifindex}`)
  }

  /** Every link that is pinned here, wanted or not. */
  pinnedLinks(): { program: ProgramName; ifindex: number; pin: string }[] {
    const links = join(this.directory, 'links')
    mkdirSync(links, { recursive: true, mode: 0o700 }) // should somebody have removed it
    return readdirSync(links).flatMap((file) => {
      const [, program, ifindex] = /^(\w+)-(\d+)$/.exec(file) ?? []
      if (!programNames.includes(program as ProgramName)) return []
      return [
        {
          program: program as ProgramName,
          ifindex: Number(ifindex),
          pin: join(links, file),
        },
      ]
    })
  }

  /**
   * Takes over the link that another build pinned for the same hook, if there
   * is one. It goes on running that build's program, with that build's maps,
   * until it is updated: no frame passes between.
   */
  inheritLink(name: ProgramName, ifindex: number): boolean {
    const pin = this.linkPin(name, ifindex)
    if (existsSync(pin)) return false
    const old = this.otherBuilds().find((directory) =>
      existsSync(join(directory, 'links', `${name}-${ifindex}`)),
    )
    if (old === undefined) return false
    renameSync(join(old, 'links', `${name}-${ifindex}`), pin)
    return true
  }

  /** Removes what other builds left: their links detach with their pins. Returns the directories. */
  removeOtherBuilds(): string[] {
    const others = this.otherBuilds()
    for (const directory of others) rmSync(directory, { recursive: true })
    return others
  }

  /** Takes all pins of all builds away: the maps go with the last program that uses them. */
  remove(): void {
    for (const directory of [...this.otherBuilds(), this.directory]) {
      rmSync(directory, { recursive: true, force: true })
    }
  }

  [Symbol.dispose](): void {
    for (const object of this.loaded.values()) object[Symbol.dispose]()
  }

  private otherBuilds(): string[] {
    return readdirSync(this.bpffs)
      .filter((name) => DIGEST_DIR.test(name))
      .map((name) => join(this.bpffs, name))
      .filter((directory) => directory !== this.directory)
  }

  // Silent stations would be unknown, and their claims withdrawn, until they speak again.
  private inherit<N extends 'learned' | 'snooped'>(name: N): void {
    using own: BpfMap<unknown, unknown> = this.map(name)
    if (own.entries().length > 0) return
    for (const directory of this.otherBuilds()) {
      try {
        using old = BpfMap.open<unknown, unknown>(join(directory, 'maps', name), layouts[name] as never)
        own.setMany(old.entries())
      } catch (err) {
        // Of another layout, or gone: it is learned anew.
        if (!(err instanceof WeftError)) throw err
      }
    }
  }

  // Both objects have all maps, shared by their pins.
  private get sharing(): BpfObject {
    return this.loaded.get('port_ingress')!
  }
}

type Layouts = typeof layouts
type PlainMap = { [N in keyof Layouts]: Layouts[N]['perCpu'] extends false ? N : never }[keyof Layouts]
type CountMap = Exclude<keyof Layouts, PlainMap>
type Key<N extends keyof Layouts> = ReturnType<Layouts[N]['key']['decode']>
type Value<N extends keyof Layouts> = ReturnType<Layouts[N]['value']['decode']>
export type MapOf<N extends keyof Layouts> = BpfMap<Key<N>, Value<N>>
export type CountMapOf<N extends keyof Layouts> = PerCpuMap<Key<N>, Value<N>>

function ownDirectory(bpffs: string): string {
  return join(bpffs, abiDigest.slice(0, 12))
}

function objectPath(name: ProgramName | 'fast_path_probe'): string {
  return join(objects, `${name}.bpf.o`)
}
