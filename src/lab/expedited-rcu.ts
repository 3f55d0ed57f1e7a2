import { readFile, writeFile } from 'node:fs/promises'

const path = '/sys/kernel/rcu_expedited'

/**
 * Grace periods of microseconds instead of 10 ms: attaching a program and
 * deleting a namespace each wait for one. For the whole machine, so only while
 * a lab comes or goes.
 *
 * Returns the value to restore, or `undefined` when there is nothing to: the
 * kernel has no such knob, or somebody else turned it on.
 */
export async function expediteRcu(): Promise<string | undefined> {
  const was = await readFile(path, 'utf8').catch(() => '1')
  if (was.trim() !== '0') return undefined
  await writeFile(path, '1')
  return was.trim()
}

export async function restoreRcu(was: string | undefined): Promise<void> {
  if (was !== undefined) await writeFile(path, was)
}
