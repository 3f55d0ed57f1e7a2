import { z } from 'zod'
import { logLevels } from '../common/logger.js'
import { nodeName } from '../topology/schema/scalars.js'

/** The node daemon's settings; `weft-node --help` prints them from here. */
export const nodeConfig = z.object({
  node_name: nodeName.describe('This node, as the topology names it'),
  controller: z
    .array(z.string().min(1))
    .min(1)
    .default(['127.0.0.1:7789'])
    .describe('Controllers, tried in turn: host:port or unix:/path'),
  bpffs: z
    .string()
    .startsWith('/')
    .default('/sys/fs/bpf/weft')
    .describe('Directory on a bpffs where maps and links are pinned; one for each node'),
  http_listen: z
    .string()
    .default('127.0.0.1:7781')
    .describe(
      'Where status and metrics are served, on this host only: host:port or unix:/path; empty: nowhere',
    ),
  resync_ms: z
    .number()
    .int()
    .min(100)
    .max(3_600_000)
    .default(1000)
    .describe(
      'Between two read-backs of the kernel, which are made more seldom when they cost over 2 % of a CPU',
    ),
  report_ms: z
    .number()
    .int()
    .min(100)
    .max(3_600_000)
    .default(1000)
    .describe('Between two reports of counters to the controller'),
  detach_on_exit: z
    .boolean()
    .default(false)
    .describe('When stopped, take all programs, maps and the VXLAN device away instead of forwarding on'),
  log_level: z.enum(logLevels).default('info').describe('Least severe level that is logged'),
})
export type NodeConfig = z.output<typeof nodeConfig>
