import { z } from 'zod'
import { parseListenAddress } from '../common/listen-address.js'
import { listenSetting } from '../common/listen-setting.js'
import { refuseRemote } from '../common/listening.js'
import { logLevels } from '../common/logger.js'

/** Used when `http_listen` is not set; left out where /run/weft cannot be made. */
export const DEFAULT_HTTP_SOCKET = '/run/weft/controller.sock'
export const DEFAULT_HTTP_TCP = '127.0.0.1:7780'

/** The controller's settings; `weft-controller --help` prints them from here. */
export const controllerConfig = z.object({
  etcd: z
    .array(z.url({ protocol: /^https?$/ }))
    .min(1)
    .default(['http://127.0.0.1:2379'])
    .describe('etcd endpoints'),
  etcd_prefix: z
    .string()
    .regex(/^\/.*\/$/, 'a path that starts and ends with /')
    .default('/weft/v1/')
    .describe('Under which all keys lie'),
  grpc_listen: z
    .array(listenSetting)
    .min(1)
    .default(['127.0.0.1:7789'])
    .describe('Where nodes connect: host:port or unix:/path'),
  http_listen: z
    .array(listenSetting)
    .optional()
    .describe(
      `Where the API listens: host:port or unix:/path; unless given ${DEFAULT_HTTP_TCP} and unix:${DEFAULT_HTTP_SOCKET}`,
    ),
  insecure: z
    .boolean()
    .default(false)
    .describe('Allow listening beyond this host, without encryption or login'),
  lab: z
    .boolean()
    .default(false)
    .describe("Take the ports of a topology's lab section as declared too; weft lab sets it"),
  log_level: z.enum(logLevels).default('info').describe('Least severe level that is logged'),
})
export type ControllerConfig = z.output<typeof controllerConfig>

/** What one setting alone does not show. @throws WeftError W-3001 */
export function checkControllerConfig(config: ControllerConfig): void {
  if (config.insecure) return
  for (const address of config.grpc_listen) refuseRemote('--grpc-listen', parseListenAddress(address))
  for (const address of config.http_listen ?? []) refuseRemote('--http-listen', parseListenAddress(address))
}
