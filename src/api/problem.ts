import { z } from 'zod'

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

/** RFC 6901. */
export function jsonPointer(path: readonly (string | number)[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}
