import { z } from 'zod'
import { type ErrorCode, errorCatalogue } from '../common/errors.js'

export const problemType = 'application/problem+json'

/** RFC 9457, with our code, the places in the body or the query, and the next step. */
export const problem = z.object({
  type: z.string().describe('urn:weft:error:W-1104'),
  title: z.string(),
  status: z.number().int(),
  detail: z.string(),
  instance: z.string(),
  code: z.string(),
  errors: z
    .array(
      z.object({
        code: z.string().optional(),
        pointer: z.string(),
        line: z.number().int().optional(),
        column: z.number().int().optional(),
        length: z.number().int().optional(),
        detail: z.string(),
        hint: z.string().optional(),
      }),
    )
    .optional(),
  next: z.string().optional(),
  request_id: z.string(),
  result: z.unknown().optional().describe('Of W-3008: how far the apply came; it is stored all the same'),
})
export type ProblemDetails = z.output<typeof problem>

const acronyms = new Set(['abi', 'http', 'mac', 'mtu', 'udp', 'vni', 'yaml'])

/** `VNI taken` of W-1104: short, and the same for every occurrence, as RFC 9457 asks. */
export function titleOf(code: ErrorCode): string {
  const words = errorCatalogue[code].name.toLowerCase().split('_')
  const text = words.map((word) => (acronyms.has(word) ? word.toUpperCase() : word)).join(' ')
  return text[0]!.toUpperCase() + text.slice(1)
}

/** RFC 6901. */
export function jsonPointer(path: readonly (string | number)[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}
