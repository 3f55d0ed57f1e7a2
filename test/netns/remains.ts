import { readFileSync } from 'node:fs'
import { run } from '../../src/lab/command.js'
import { listNamespaces } from '../../src/lab/destroy.js'
import { labDirectory } from '../../src/lab/names.js'
import { findPids } from '../../src/lab/process.js'
import { labNames } from '../../src/lab/record.js'

/** Everything of a lab that a machine can still have, in words; empty when it is gone without a trace. */
export async function remainsOf(lab: string): Promise<string[]> {
  const namespaces = (await listNamespaces()).filter((name) => name.startsWith(`weft-${lab}-`))
  const pids = [...(await findPids(lab, namespaces))]
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line.includes(`${labDirectory(lab)}/`))
  const links = (await run(['ip', '-o', 'link'])).stdout.split('\n').filter((line) => line.includes('weft'))
  return [
    ...namespaces.map((name) => `namespace ${name}`),
    ...pids.map((pid) => `process ${pid}: ${commandLine(pid)}`),
    ...mounts.map((line) => `mount ${line}`),
    ...links.map((line) => `link ${line}`),
    ...(await labNames()).filter((name) => name === lab).map((name) => `directory ${labDirectory(name)}`),
  ]
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
  } catch {
    return 'gone meanwhile'
  }
}
