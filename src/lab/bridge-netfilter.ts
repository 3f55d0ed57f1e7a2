import { run } from './command.js'

const script = 'for file in /proc/sys/net/bridge/bridge-nf-call-*; do echo 0 >"$file"; done'

/**
 * Bridged frames skip iptables in a namespace, as on most machines: some kernels
 * have it on by default, which slows the fabric and lets it filter. Where the
 * kernel has no such setting, there is nothing to do.
 */
export async function withoutBridgeNetfilter(namespace: string, signal: AbortSignal): Promise<void> {
  await run(['sh', '-c', script], { namespace, signal })
}
