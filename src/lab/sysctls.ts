import { must } from './command.js'

// Not sysctl(8): what a namespace has is below /proc/sys/net of a process in it.
const script = 'while read -r path value; do echo "$value" >"/proc/sys/$path" || exit 1; done'

/** Writes kernel settings of a namespace, by their paths below /proc/sys. @throws WeftError W-4005. */
export async function writeSysctls(
  namespace: string,
  settings: Readonly<Record<string, number>>,
  signal?: AbortSignal,
): Promise<void> {
  const input = Object.entries(settings).map(([path, value]) => `${path} ${value}\n`)
  await must(['sh', '-c', script], { namespace, input: input.join(''), signal })
}
