// Prototypes of libbpf 1.1 and of the few libc calls beside it, and nothing
// else: no logic, no defaults. libbpf's integer functions return a negative
// errno; those that return a pointer, and libc, set `koffi.errno()`.
//
// Declared once at module load: building a koffi function costs 100 times a call.
import koffi from 'koffi'

const bpf = koffi.load('libbpf.so.1')
const libc = koffi.load('libc.so.6')

/** A pointer that libbpf or libc gave us. */
export type Pointer = bigint

koffi.struct('bpf_object_open_opts', {
  sz: 'size_t',
  object_name: 'const char *',
  relaxed_maps: 'bool',
  pin_root_path: 'const char *',
  reserved: 'uint32_t',
  kconfig: 'const char *',
  btf_custom_path: 'const char *',
  kernel_log_buf: 'void *',
  kernel_log_size: 'size_t',
  kernel_log_level: 'uint32_t',
})
koffi.struct('bpf_tc_hook', { sz: 'size_t', ifindex: 'int', attach_point: 'int', parent: 'uint32_t' })
koffi.struct('bpf_tc_opts', {
  sz: 'size_t',
  prog_fd: 'int',
  flags: 'uint32_t',
  prog_id: 'uint32_t',
  handle: 'uint32_t',
  priority: 'uint32_t',
})
koffi.struct('bpf_link_update_opts', { sz: 'size_t', flags: 'uint32_t', old_prog_fd: 'uint32_t' })
koffi.struct('bpf_test_run_opts', {
  sz: 'size_t',
  data_in: 'const void *',
  data_out: 'void *',
  data_size_in: 'uint32_t',
  data_size_out: 'uint32_t',
  ctx_in: 'const void *',
  ctx_out: 'void *',
  ctx_size_in: 'uint32_t',
  ctx_size_out: 'uint32_t',
  retval: 'uint32_t',
  repeat: 'int',
  duration: 'uint32_t',
  flags: 'uint32_t',
  cpu: 'uint32_t',
  batch_size: 'uint32_t',
})

export interface TcHook {
  sz: number
  ifindex: number
  attach_point: number
  parent: number
}

export interface TcOpts {
  sz: number
  prog_fd: number
  flags: number
  prog_id: number
  handle: number
  priority: number
}

export interface TestRunOpts {
  sz: number
  data_in: Uint8Array
  data_out: Uint8Array | null
  data_size_in: number
  data_size_out: number
  ctx_in: Uint8Array | null
  ctx_out: Uint8Array | null
  ctx_size_in: number
  ctx_size_out: number
  retval: number
  repeat: number
  duration: number
  flags: number
  cpu: number
  batch_size: number
}

// Objects.
export const objectOpenFile: (path: string, opts: object) => Pointer | null = bpf.func(
  'void *bpf_object__open_file(const char *path, const bpf_object_open_opts *opts)',
)
export const objectLoad: (object: Pointer) => number = bpf.func('int bpf_object__load(void *obj)')
export const objectClose: (object: Pointer) => void = bpf.func('void bpf_object__close(void *obj)')
export const objectNextMap: (object: Pointer, previous: Pointer | null) => Pointer | null = bpf.func(
  'void *bpf_object__next_map(const void *obj, const void *map)',
)
export const objectNextProgram: (object: Pointer, previous: Pointer | null) => Pointer | null = bpf.func(
  'void *bpf_object__next_program(const void *obj, void *prog)',
)
export const mapName: (map: Pointer) => string = bpf.func('const char *bpf_map__name(const void *map)')
export const mapFd: (map: Pointer) => number = bpf.func('int bpf_map__fd(const void *map)')
export const mapType: (map: Pointer) => number = bpf.func('int bpf_map__type(const void *map)')
export const mapKeySize: (map: Pointer) => number = bpf.func('uint32_t bpf_map__key_size(const void *map)')
export const mapValueSize: (map: Pointer) => number = bpf.func(
  'uint32_t bpf_map__value_size(const void *map)',
)
export const mapMaxEntries: (map: Pointer) => number = bpf.func(
  'uint32_t bpf_map__max_entries(const void *map)',
)
export const mapFlags: (map: Pointer) => number = bpf.func('uint32_t bpf_map__map_flags(const void *map)')
export const mapPinPath: (map: Pointer) => string | null = bpf.func(
  'const char *bpf_map__pin_path(const void *map)',
)
export const mapSetMaxEntries: (map: Pointer, maxEntries: number) => number = bpf.func(
  'int bpf_map__set_max_entries(void *map, uint32_t max_entries)',
)
export const mapInitialValue: (map: Pointer, size: [number | bigint]) => Pointer | null = bpf.func(
  'void *bpf_map__initial_value(void *map, _Out_ size_t *size)',
)
export const programName: (program: Pointer) => string = bpf.func(
  'const char *bpf_program__name(const void *prog)',
)
export const programFd: (program: Pointer) => number = bpf.func('int bpf_program__fd(const void *prog)')
export const programSetLogBuf: (program: Pointer, buffer: unknown, size: number) => number = bpf.func(
  'int bpf_program__set_log_buf(void *prog, void *log_buf, size_t log_size)',
)

// Messages of libbpf. The callback's va_list arrives as a pointer on x86-64 (an
// array type) and on arm64 (AAPCS64: larger than 16 bytes, so by reference).
const printProto = koffi.proto('int libbpf_print_fn(int level, void *format, void *args)')
export const printCallback = (callback: (level: number, format: Pointer, args: Pointer) => number): Pointer =>
  koffi.register(callback, koffi.pointer(printProto))
export const setPrint: (callback: Pointer) => Pointer = bpf.func('void *libbpf_set_print(void *fn)')
export const vsnprintf: (out: Uint8Array, size: number, format: Pointer, args: Pointer) => number = libc.func(
  'int vsnprintf(void *out, size_t size, void *format, void *args)',
)

// Maps.
export const mapLookup: (fd: number, key: Uint8Array, value: Uint8Array) => number = bpf.func(
  'int bpf_map_lookup_elem(int fd, const void *key, void *value)',
)
export const mapUpdate: (fd: number, key: Uint8Array, value: Uint8Array, flags: number) => number = bpf.func(
  'int bpf_map_update_elem(int fd, const void *key, const void *value, uint64_t flags)',
)
export const mapDelete: (fd: number, key: Uint8Array) => number = bpf.func(
  'int bpf_map_delete_elem(int fd, const void *key)',
)
export const mapLookupBatch: (
  fd: number,
  from: Uint8Array | null,
  to: Uint8Array,
  keys: Uint8Array,
  values: Uint8Array,
  count: Uint32Array,
  opts: null,
) => number = bpf.func(
  'int bpf_map_lookup_batch(int fd, void *in, void *out, void *keys, void *values, void *count, void *opts)',
)
export const mapUpdateBatch: (
  fd: number,
  keys: Uint8Array,
  values: Uint8Array,
  count: Uint32Array,
  opts: null,
) => number = bpf.func(
  'int bpf_map_update_batch(int fd, const void *keys, const void *values, void *count, void *opts)',
)
export const mapDeleteBatch: (fd: number, keys: Uint8Array, count: Uint32Array, opts: null) => number =
  bpf.func('int bpf_map_delete_batch(int fd, const void *keys, void *count, void *opts)')

// Any object.
export const infoByFd: (fd: number, info: Uint8Array, size: Uint32Array) => number = bpf.func(
  'int bpf_obj_get_info_by_fd(int fd, void *info, void *info_len)',
)
export const objGet: (path: string) => number = bpf.func('int bpf_obj_get(const char *path)')
export const progGetFdById: (id: number) => number = bpf.func('int bpf_prog_get_fd_by_id(uint32_t id)')
export const objPin: (fd: number, path: string) => number = bpf.func(
  'int bpf_obj_pin(int fd, const char *path)',
)

// Attachment and test runs.
export const linkCreate: (programFd: number, ifindex: number, attachType: number, opts: null) => number =
  bpf.func('int bpf_link_create(int prog_fd, int target_fd, int attach_type, void *opts)')
export const linkUpdate: (linkFd: number, programFd: number, opts: object | null) => number = bpf.func(
  'int bpf_link_update(int link_fd, int new_prog_fd, const bpf_link_update_opts *opts)',
)
export const tcHookCreate: (hook: TcHook) => number = bpf.func('int bpf_tc_hook_create(bpf_tc_hook *hook)')
export const tcAttach: (hook: TcHook, opts: TcOpts) => number = bpf.func(
  'int bpf_tc_attach(const bpf_tc_hook *hook, _Inout_ bpf_tc_opts *opts)',
)
export const tcDetach: (hook: TcHook, opts: TcOpts) => number = bpf.func(
  'int bpf_tc_detach(const bpf_tc_hook *hook, const bpf_tc_opts *opts)',
)
export const tcQuery: (hook: TcHook, opts: TcOpts) => number = bpf.func(
  'int bpf_tc_query(const bpf_tc_hook *hook, _Inout_ bpf_tc_opts *opts)',
)
export const testRunOpts: (programFd: number, opts: TestRunOpts) => number = bpf.func(
  'int bpf_prog_test_run_opts(int prog_fd, _Inout_ bpf_test_run_opts *opts)',
)

/** Sizes for the `sz` member that each options struct starts with. */
export const optsSize = {
  open: koffi.sizeof('bpf_object_open_opts'),
  tcHook: koffi.sizeof('bpf_tc_hook'),
  tcOpts: koffi.sizeof('bpf_tc_opts'),
  linkUpdate: koffi.sizeof('bpf_link_update_opts'),
  testRun: koffi.sizeof('bpf_test_run_opts'),
}

// libc.
export const close: (fd: number) => number = libc.func('int close(int fd)')
export const fcntl: (fd: number, command: number, arg: number) => number = libc.func(
  'int fcntl(int fd, int cmd, int arg)',
)
export const mmap: (
  address: null,
  length: number,
  protection: number,
  flags: number,
  fd: number,
  offset: number,
) => Pointer = libc.func('void *mmap(void *addr, size_t length, int prot, int flags, int fd, int64_t offset)')
export const munmap: (address: Pointer, length: number) => number = libc.func(
  'int munmap(void *addr, size_t length)',
)
export const flock: (fd: number, operation: number) => number = libc.func('int flock(int fd, int operation)')
export const getpagesize: () => number = libc.func('int getpagesize()')
export const mount: (
  source: string,
  target: string,
  type: string,
  flags: number,
  data: string | null,
) => number = libc.func(
  'int mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data)',
)
export const umount2: (target: string, flags: number) => number = libc.func(
  'int umount2(const char *target, int flags)',
)
/** `bpf(2)` itself, for what libbpf 1.1 cannot say. The number differs between x86-64 and arm64. */
export const bpfSyscall: (number: number, command: number, attr: Uint8Array, size: number) => number =
  libc.func('long syscall(long number, int command, void *attr, uint32_t size)')
