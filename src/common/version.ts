import { readFileSync } from 'node:fs'

/** The package's version; the same file serves sources and build, which lie equally deep. */
export const version: string = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
).version
