// Prototypes of the socket calls that Node does not offer, and nothing else. They
// return -1 and leave the errno in `koffi.errno()`.
import koffi from 'koffi'

const libc = koffi.load('libc.so.6')

export const socket: (family: number, type: number, protocol: number) => number = libc.func(
  'int socket(int family, int type, int protocol)',
)
export const bind: (fd: number, address: Uint8Array, size: number) => number = libc.func(
  'int bind(int fd, const void *address, uint32_t size)',
)
export const connect: (fd: number, address: Uint8Array, size: number) => number = libc.func(
  'int connect(int fd, const void *address, uint32_t size)',
)
export const getsockopt: (
  fd: number,
  level: number,
  name: number,
  out: Uint32Array,
  size: Uint32Array,
) => number = libc.func('int getsockopt(int fd, int level, int name, void *out, uint32_t *size)')
export const setsockopt: (
  fd: number,
  level: number,
  name: number,
  value: Uint32Array,
  size: number,
) => number = libc.func('int setsockopt(int fd, int level, int name, const void *value, uint32_t size)')
export const recv: (fd: number, out: Uint8Array, size: number, flags: number) => number = libc.func(
  'long recv(int fd, void *out, size_t size, int flags)',
)
export const close: (fd: number) => number = libc.func('int close(int fd)')
