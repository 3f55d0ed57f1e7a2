import { Metadata, type ServiceError, status } from '@grpc/grpc-js'
import { type ErrorCode, errorCatalogue, WeftError } from '../common/errors.js'

const CODE = 'weft-code'
const NEXT = 'weft-next'

/** How a failure crosses gRPC: the catalogue's status, the user's message, code and next step beside it. */
export function toStatus(error: WeftError): { code: status; details: string; metadata: Metadata } {
  const metadata = new Metadata()
  metadata.set(CODE, error.code)
  // Metadata is ASCII; a name in the text may be anything.
  if (error.next) metadata.set(NEXT, encodeURI(error.next))
  return {
    code: status[error.row.grpc as keyof typeof status] ?? status.UNKNOWN,
    details: error.message,
    metadata,
  }
}

/** What the other side threw, as far as it said so; else W-3009, with `target`. */
export function fromStatus(error: ServiceError, target: string): WeftError {
  const code = error.metadata?.get(CODE)[0]
  if (typeof code === 'string' && code in errorCatalogue) {
    const next = error.metadata.get(NEXT)[0]
    return new WeftError(code as ErrorCode, error.details, {
      cause: error,
      ...(typeof next === 'string' ? { next: decodeURI(next) } : {}),
    })
  }
  return new WeftError('W-3009', `controller ${target}: ${error.details || error.message}`, {
    cause: error,
    next: 'check that weft-controller runs and listens there',
    details: { target, grpc: status[error.code] },
  })
}
