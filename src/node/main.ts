#!/usr/bin/env node
import { runDaemon } from '../common/process-edge.js'
import { nodeConfig } from './config.js'
import { runNode } from './node.js'

await runDaemon({
  component: 'node',
  schema: nodeConfig,
  run: (config, { log, signal }) => runNode(config, log.child({ node: config.node_name }), signal),
})
