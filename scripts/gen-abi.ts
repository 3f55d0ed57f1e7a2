import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { collectAbi } from './abi-layout.js'
import { abiText } from './abi-text.js'
import { objectBtf } from './btf.js'

// Writes src/node/bpf/abi.gen.ts from the objects that scripts/build-bpf made:
// the C headers stay the only definition of what crosses to user space.
const root = join(import.meta.dirname, '..')
const dir = join(root, 'build/bpf')

const objects = readdirSync(dir)
  .filter((name) => name.endsWith('.bpf.o'))
  .sort()
if (objects.length === 0) throw new Error(`no objects in ${dir}: npm run build:bpf`)

const abi = collectAbi(objects.map((name) => [name, objectBtf(readFileSync(join(dir, name)))]))
writeFileSync(join(root, 'src/node/bpf/abi.gen.ts'), abiText(abi))
