import { type Logger, pino } from 'pino'

export type { Logger } from 'pino'

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const

/**
 * JSON lines on stdout, for journald and files. Messages are constants, values are
 * fields. Written synchronously, so that the line about the end is never lost.
 */
export function createLogger(component: string, level: (typeof logLevels)[number]): Logger {
  return pino(
    {
      level,
      base: { component, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    pino.destination({ fd: 1, sync: true }),
  )
}
