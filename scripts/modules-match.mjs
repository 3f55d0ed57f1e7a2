// Exits 0 when node_modules holds what package-lock.json asks for. Plain JavaScript
// without imports of our own: it runs before anything is installed.
import { readFileSync } from 'node:fs'

const read = (path) => JSON.parse(readFileSync(path, 'utf8')).packages

function matches() {
  const installed = read('node_modules/.package-lock.json')
  return Object.entries(read('package-lock.json')).every(
    ([path, wanted]) =>
      path === '' ||
      // npm leaves out what is for other systems.
      (wanted.optional && installed[path] === undefined) ||
      (installed[path]?.version === wanted.version && installed[path]?.integrity === wanted.integrity),
  )
}

try {
  process.exitCode = matches() ? 0 : 1
} catch {
  process.exitCode = 1
}
