#!/usr/bin/env node
import { WeftError } from '../common/errors.js'
import { runDaemon } from '../common/process-edge.js'
import { nodeConfig } from './config.js'

await runDaemon({
  component: 'node',
  schema: nodeConfig,
  run: async (config, { log, signal }) => {
    const { runNode } = await loadNode()
    await runNode(config, log.child({ node: config.node_name }), signal)
  },
})

// Loaded late: the native libraries are looked for on import, and help must work without them.
async function loadNode(): Promise<typeof import('./node.js')> {
  try {
    return await import('./node.js')
  } catch (cause) {
    const why = (cause as Error).message.split('\n')[0]
    if (!/libbpf|shared object/.test(why ?? '')) throw cause
    throw new WeftError('W-2007', `libbpf 1.x cannot be loaded: ${why}`, {
      next: 'apt-get install libbpf1, or run scripts/setup',
      cause,
    })
  }
}
