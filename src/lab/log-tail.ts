import { readFile } from 'node:fs/promises'

/** What a process last said that a user can use: its own one-line errors, else an exception, else the end of its log. */
export async function readTail(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => '')
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  for (const telling of [/^weft-/, /Error\b/, /./]) {
    const found = lines.filter((line) => telling.test(line)).slice(-3)
    if (found.length > 0) return `It said: ${found.join(' | ').slice(0, 600)}`
  }
  return `Its log, ${path}, is empty.`
}
