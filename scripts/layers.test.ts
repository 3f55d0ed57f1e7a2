import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))

const forbidden = [
  ['src/model/a.ts', 'node:fs'],
  ['src/model/a.ts', '../controller/control.js'],
  ['src/model/a.ts', '../common/errors.js'],
  ['src/topology/compile/a.ts', '../../node/reconcile/tables.js'],
  ['src/topology/a.ts', 'koffi'],
  ['src/controller/view/a.ts', '../../node/reconcile/tables.js'],
  ['src/controller/view/a.ts', '../store/keys.js'],
  ['src/controller/view/a.ts', '@grpc/grpc-js'],
  ['src/controller/sync/a.ts', '../../node/sync/replica.js'],
  ['src/controller/http/a.ts', 'etcd3'],
  ['src/controller/store/a.ts', '../../node/main.js'],
  ['src/node/reconcile/a.ts', '../../controller/view/projection.js'],
  ['src/node/reconcile/a.ts', '../bpf/map.js'],
  ['src/node/reconcile/a.ts', 'netlink'],
  ['src/node/drivers/a.ts', '../../controller/control.js'],
  ['src/node/drivers/a.ts', 'koffi'],
  ['src/node/bpf/a.ts', '../../controller/control.js'],
  ['src/cli/a.ts', '../controller/control.js'],
] as const

const allowed = [
  ['src/node/reconcile/a.ts', '../bpf/abi.gen.js'],
  ['src/node/bpf/a.ts', 'koffi'],
  ['src/controller/store/a.ts', 'etcd3'],
  ['src/controller/view/a.ts', '../../model/mac.js'],
  ['src/topology/a.ts', '../common/errors.js'],
] as const

let dir: string
/** Files in which the linter found an import that their layer may not have. */
let flagged: Set<string>

beforeAll(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'weft-layers-')))
  cpSync(join(root, 'biome.json'), join(dir, 'biome.json'))
  for (const [file, imported] of [...forbidden, ...allowed]) {
    const path = join(dir, placeOf(file, imported))
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, `import { x } from '${imported}'\n\nexport const y = x\n`)
  }
  const args = ['lint', '--reporter=github', '--vcs-enabled=false', '--max-diagnostics=none', '.']
  const { stdout } = spawnSync(join(root, 'node_modules/.bin/biome'), args, { cwd: dir, encoding: 'utf8' })
  const lines = stdout.split('\n').filter((line) => line.includes('noRestrictedImports'))
  flagged = new Set(lines.map((line) => relative(dir, /file=([^,]+)/.exec(line)![1]!)))
})
afterAll(() => rmSync(dir, { recursive: true }))

/** A file of its own for each import, beside the one that is named. */
function placeOf(file: string, imported: string): string {
  return file.replace(/a\.ts$/, `${imported.replaceAll(/[^a-z0-9]+/g, '-')}.ts`)
}

it.each(forbidden)('%s may not import %s', (file, imported) => {
  expect(flagged).toContain(placeOf(file, imported))
})

it.each(allowed)('%s may import %s', (file, imported) => {
  expect(flagged).not.toContain(placeOf(file, imported))
})
