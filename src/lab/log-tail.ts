import { readFile } from 'node:fs/promises'

/** The end of a log for a message: the last lines that are no JSON, else the last JSON ones. */
export async function readTail(path: string, lines = 3): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => '')
  const all = text.split('\n').filter((line) => line.trim() !== '')
  const plain = all.filter((line) => !line.startsWith('{'))
  const tail = (plain.length > 0 ? plain : all).slice(-lines)
  return tail.length > 0 ? `It said: ${tail.join(' | ')}` : `Its log, ${path}, is empty.`
}
