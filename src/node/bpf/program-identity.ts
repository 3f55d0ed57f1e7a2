import koffi from 'koffi'
import { readU32, writeU32, writeU64 } from './codec.js'
import { check, ENOENT, EPERM } from './errno.js'
import * as sys from './libbpf.js'

const INFO_SIZE = 256
const MOST_MAPS = 64 // MAX_USED_MAPS

/**
 * What a loaded program is: its instructions and the maps it uses, as text.
 * Equal for two programs exactly when they do the same with the same state, so
 * one need not be replaced by the other.
 *
 * @returns `undefined` when the kernel has no such program any more, or does not
 *   show it: looking a program up by its id takes CAP_SYS_ADMIN
 */
export function programIdentity(programId: number): string | undefined {
  const fd = sys.progGetFdById(programId)
  if (fd === -ENOENT || fd === -EPERM) return undefined
  check('bpf_prog_get_fd_by_id', fd, `program ${programId}`)
  try {
    return readIdentity(fd)
  } finally {
    sys.close(fd)
  }
}

// `struct bpf_prog_info`: tag at 8, nr_map_ids at 52, the map_ids pointer at 56.
function readIdentity(fd: number): string {
  const mapIds: unknown = koffi.alloc('uint32_t', MOST_MAPS)
  try {
    const info = new Uint8Array(INFO_SIZE)
    writeU32(info, 52, MOST_MAPS)
    writeU64(info, 56, Number(koffi.address(mapIds)))
    check('bpf_obj_get_info_by_fd', sys.infoByFd(fd, info, Uint32Array.of(INFO_SIZE)))
    const ids = Array.from(
      { length: readU32(info, 52) },
      (_, i) => koffi.decode(mapIds, i * 4, 'uint32_t') as number,
    )
    return `${Buffer.from(info.subarray(8, 16)).toString('hex')}:${ids.sort((a, b) => a - b).join(',')}`
  } finally {
    koffi.free(mapIds)
  }
}
