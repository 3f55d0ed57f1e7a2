import type { Logger } from '../common/logger.js'
import type { Links } from './drivers/links.js'
import { LinkMonitor } from './netlink/link-monitor.js'

/** Devices come in crowds: after one look, wait before the next, longer when looking is dear. */
const QUIET_MS = 50
const LOOK_SHARE = 10

/**
 * Wakes the reconciler when devices or addresses change: at once for the first
 * of a burst, then at most every 50 ms, and with at most a tenth of a CPU.
 */
export function watchLinks(links: Links, wake: { nudge(): void }, log: Logger): Disposable {
  let timer: NodeJS.Timeout | undefined
  let again = false
  const look = () => {
    timer = setTimeout(
      () => {
        timer = undefined
        if (again) look()
      },
      Math.max(QUIET_MS, links.costMs * LOOK_SHARE),
    ).unref()
    again = false
    links.expire()
    wake.nudge()
  }
  const monitor = new LinkMonitor(
    (event) => {
      if (event.kind === 'overflow') log.warn('notifications of links were lost, reading all of them')
      if (timer) again = true
      else look()
    },
    { onError: (err) => log.error({ err }, 'notification of a link not understood') },
  )
  return {
    [Symbol.dispose]() {
      clearTimeout(timer)
      monitor[Symbol.dispose]()
    },
  }
}
