#!/usr/bin/env node
import { runDaemon } from '../common/process-edge.js'
import { together } from '../common/together.js'
import { checkControllerConfig, controllerConfig } from './config.js'
import { startController } from './controller.js'
import { serveHttp } from './http/listeners.js'
import { buildHttp } from './http/server.js'

await runDaemon({
  component: 'controller',
  schema: controllerConfig,
  check: checkControllerConfig,
  async run(config, { log, signal }) {
    const failed = new AbortController()
    const stop = AbortSignal.any([signal, failed.signal])
    const { control, done } = await startController(config, log, stop)
    done.catch(() => {}) // it is awaited below
    const http = { log, insecure: config.insecure, lab: config.lab, signal: stop }
    const app = await buildHttp(control, http)
    await together(stop, [
      async (ends) => {
        // A port that is taken ends the control plane too, which hears of `stop` alone.
        ends.addEventListener('abort', () => failed.abort(), { once: true })
        await done
      },
      (ends) => serveHttp(app, config.http_listen, { ...http, signal: ends }),
    ])
  },
})
