/**
 * Every failure a user or a peer can see. `http` and `grpc` are the statuses it
 * is reported with, `exit` the exit code of a command that ends with it, `retry`
 * whether the same call may succeed later. Append; never reuse a code.
 */
export const errorCatalogue = {
  // 10xx: the topology file.
  'W-1000': row('YAML_SYNTAX', 422, 'INVALID_ARGUMENT', 2, false),
  'W-1001': row('FIELD_MISSING', 422, 'INVALID_ARGUMENT', 2, false),
  'W-1002': row('FIELD_UNKNOWN', 422, 'INVALID_ARGUMENT', 2, false),
  'W-1003': row('VALUE_NOT_ALLOWED', 422, 'INVALID_ARGUMENT', 2, false),
  'W-1004': row('VALUE_OUT_OF_RANGE', 422, 'INVALID_ARGUMENT', 2, false),
  'W-1005': row('TYPE_WRONG', 422, 'INVALID_ARGUMENT', 2, false),
  'W-1006': row('FORMAT_WRONG', 422, 'INVALID_ARGUMENT', 2, false),
  'W-1007': row('FILE_UNREADABLE', 400, 'INVALID_ARGUMENT', 2, false),
  'W-1008': row('FILE_TOO_LARGE', 413, 'RESOURCE_EXHAUSTED', 2, false),
  'W-1009': row('KEY_DUPLICATE', 422, 'INVALID_ARGUMENT', 2, false),
  'W-1010': row('FILE_TOO_COMPLEX', 422, 'RESOURCE_EXHAUSTED', 2, false),
  // 11xx: relations between objects.
  'W-1100': row('REFERENCE_UNKNOWN', 422, 'INVALID_ARGUMENT', 2, false),
  'W-1101': row('NODE_WITHOUT_UNDERLAY', 422, 'INVALID_ARGUMENT', 2, false),
  'W-1102': row('ADDRESS_TAKEN', 422, 'INVALID_ARGUMENT', 2, false),
  'W-1103': row('PORT_TAKEN', 422, 'INVALID_ARGUMENT', 2, false),
  'W-1104': row('VNI_TAKEN', 409, 'ALREADY_EXISTS', 5, false),
  'W-1105': row('MAC_TAKEN', 422, 'INVALID_ARGUMENT', 2, false),
  'W-1106': row('MTU_BUDGET', 422, 'INVALID_ARGUMENT', 2, false),
  'W-1107': row('NAME_TOO_LONG', 422, 'INVALID_ARGUMENT', 2, false),
  'W-1108': row('NOT_SUPPORTED_YET', 422, 'INVALID_ARGUMENT', 2, false),
  'W-1109': row('NODE_CONFLICT', 409, 'ALREADY_EXISTS', 5, false),
  'W-1110': row('SUBNET_EXHAUSTED', 422, 'INVALID_ARGUMENT', 2, false),
  'W-1111': row('TOO_MANY', 422, 'INVALID_ARGUMENT', 2, false),
  'W-1112': row('NAME_TAKEN', 422, 'INVALID_ARGUMENT', 2, false),
  'W-1113': row('UNDERLAY_UNREACHABLE', 422, 'INVALID_ARGUMENT', 2, false),
  // 20xx: the node's host.
  'W-2001': row('PRIVILEGE_MISSING', 500, 'PERMISSION_DENIED', 7, false),
  'W-2002': row('KERNEL_FEATURE_MISSING', 500, 'FAILED_PRECONDITION', 7, false),
  'W-2003': row('BPFFS_MISSING', 500, 'FAILED_PRECONDITION', 7, false),
  'W-2004': row('DAEMON_RUNNING', 500, 'ALREADY_EXISTS', 5, false),
  'W-2005': row('OBJECT_MISSING', 500, 'FAILED_PRECONDITION', 7, false),
  'W-2006': row('PROGRAM_REJECTED', 500, 'INTERNAL', 7, false),
  'W-2007': row('TOOL_MISSING', 500, 'FAILED_PRECONDITION', 7, false),
  // 21xx: programming the kernel.
  'W-2101': row('SYSCALL_FAILED', 500, 'INTERNAL', 1, true),
  'W-2102': row('ABI_MISMATCH', 500, 'FAILED_PRECONDITION', 1, false),
  'W-2103': row('UDP_PORT_TAKEN', 500, 'FAILED_PRECONDITION', 1, true),
  'W-2104': row('PORT_MISSING', 500, 'NOT_FOUND', 1, true),
  'W-2105': row('UNDERLAY_MISSING', 500, 'NOT_FOUND', 1, true),
  'W-2106': row('MAP_FULL', 500, 'RESOURCE_EXHAUSTED', 1, true),
  'W-2108': row('UNDERLAY_ADDRESS_MISSING', 500, 'NOT_FOUND', 1, true),
  'W-2109': row('NETLINK_FAILED', 500, 'INTERNAL', 1, true),
  'W-2110': row('MTU_TOO_SMALL', 500, 'FAILED_PRECONDITION', 1, true),
  'W-2112': row('DEVICE_NOT_OURS', 500, 'FAILED_PRECONDITION', 1, true),
  'W-2113': row('PORT_UNFIT', 500, 'FAILED_PRECONDITION', 1, true),
  'W-2114': row('GROUP_NOT_JOINED', 500, 'RESOURCE_EXHAUSTED', 1, true),
  'W-2120': row('NOTHING_PROGRAMMED', 503, 'UNAVAILABLE', 3, true),
  'W-2121': row('TAPS_TAKEN', 429, 'RESOURCE_EXHAUSTED', 1, true),
  'W-2122': row('PATH_TOO_SMALL', 500, 'FAILED_PRECONDITION', 1, true),
  // 30xx: the control plane.
  'W-3001': row('LISTEN_REFUSED', 500, 'FAILED_PRECONDITION', 2, false),
  'W-3002': row('STORE_UNAVAILABLE', 503, 'UNAVAILABLE', 3, true),
  'W-3003': row('CONFLICT', 409, 'ABORTED', 5, true),
  'W-3004': row('NODE_UNKNOWN', 404, 'NOT_FOUND', 4, true),
  'W-3005': row('VERSION_SKEW', 409, 'FAILED_PRECONDITION', 5, false),
  'W-3006': row('NODE_CONNECTED', 409, 'ALREADY_EXISTS', 5, true),
  'W-3007': row('NOT_FOUND', 404, 'NOT_FOUND', 4, false),
  'W-3008': row('WAIT_TIMED_OUT', 504, 'DEADLINE_EXCEEDED', 6, true),
  'W-3009': row('CONTROLLER_UNREACHABLE', 503, 'UNAVAILABLE', 3, true),
  'W-3010': row('PROTOCOL_ERROR', 400, 'INVALID_ARGUMENT', 1, false),
  'W-3011': row('VALUE_QUARANTINED', 500, 'DATA_LOSS', 1, false),
  'W-3012': row('REQUEST_INVALID', 400, 'INVALID_ARGUMENT', 2, false),
  'W-3013': row('PRECONDITION_FAILED', 412, 'FAILED_PRECONDITION', 5, false),
  'W-3014': row('PORT_IN_USE', 500, 'FAILED_PRECONDITION', 1, true),
  'W-3015': row('NODE_AWAY', 503, 'UNAVAILABLE', 3, true),
  'W-3016': row('MAC_FROZEN', 409, 'ABORTED', 5, true),
  'W-3017': row('NODE_STALLED', 503, 'RESOURCE_EXHAUSTED', 1, true),
  'W-3020': row('ANSWER_LATE', 504, 'DEADLINE_EXCEEDED', 6, true),
  'W-3021': row('QUESTIONS_TOO_MANY', 429, 'RESOURCE_EXHAUSTED', 1, true),
  // 40xx: command line, settings and lab.
  'W-4001': row('USAGE', 400, 'INVALID_ARGUMENT', 2, false),
  'W-4002': row('CONFIG_INVALID', 400, 'INVALID_ARGUMENT', 2, false),
  'W-4003': row('LAB_EXISTS', 409, 'ALREADY_EXISTS', 5, false),
  'W-4004': row('LAB_UNKNOWN', 404, 'NOT_FOUND', 4, false),
  'W-4005': row('LAB_FAILED', 500, 'INTERNAL', 1, true),
  'W-5000': row('INTERNAL', 500, 'INTERNAL', 1, false),
} as const satisfies Record<string, ErrorRow>

export interface ErrorRow {
  readonly name: string
  readonly http: number
  readonly grpc: string
  readonly exit: number
  readonly retry: boolean
}

export type ErrorCode = keyof typeof errorCatalogue

export interface ErrorOptionsWithNext extends ErrorOptions {
  /** The command or step that helps, as `weft get nodes`. */
  readonly next?: string
  /** Values for logs and JSON. */
  readonly details?: Readonly<Record<string, unknown>>
}

/** A failure with a stable code, a message that says what, where and why, and the next command. */
export class WeftError extends Error {
  override readonly name: string = 'WeftError'
  readonly next: string | undefined
  readonly details: Readonly<Record<string, unknown>>

  constructor(
    readonly code: ErrorCode,
    message: string,
    options: ErrorOptionsWithNext = {},
  ) {
    super(message, options)
    this.next = options.next
    this.details = options.details ?? {}
  }

  get row(): ErrorRow {
    return errorCatalogue[this.code]
  }

  /** What a peer said, as it said it; W-5000 when its code is of another version. `who` goes before the text. */
  static fromFailure(failure: { code: string; message: string; next: string }, who: string): WeftError {
    const code = failure.code in errorCatalogue ? (failure.code as ErrorCode) : 'W-5000'
    return new WeftError(code, `${who}: ${failure.message}`, failure.next ? { next: failure.next } : {})
  }

  /** Wraps anything thrown; what is already ours passes through. */
  static from(thrown: unknown, code: ErrorCode = 'W-5000'): WeftError {
    if (thrown instanceof WeftError) return thrown
    const message = thrown instanceof Error ? thrown.message : String(thrown)
    return new WeftError(code, message, { cause: thrown })
  }
}

/** A system call or a libbpf function said no. `errno` is the symbolic name, so logs can be searched. */
export class SyscallError extends WeftError {
  override readonly name = 'SyscallError'

  constructor(
    readonly call: string,
    readonly errno: string,
    options: ErrorOptionsWithNext & { what?: string } = {},
  ) {
    super('W-2101', `${call}${options.what ? ` (${options.what})` : ''}: ${errno}`, {
      ...options,
      details: { call, errno, ...options.details },
    })
  }
}

function row(name: string, http: number, grpc: string, exit: number, retry: boolean): ErrorRow {
  return { name, http, grpc, exit, retry }
}
