import { writeFileSync } from 'node:fs'
import { topologyJsonSchema } from '../src/topology/index.js'

// Editors check topology files with this; made from the schema that `weft` itself checks with.
const target = new URL('../topologies/topology.schema.json', import.meta.url)
writeFileSync(target, `${JSON.stringify(topologyJsonSchema(), null, 2)}\n`)
