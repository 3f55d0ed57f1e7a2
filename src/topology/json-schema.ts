import { z } from 'zod'
import { topology } from './schema/topology.js'

/** The schema for editors (JSON Schema 2020-12), of files as people write them: defaults may be left out. */
export function topologyJsonSchema(): object {
  return z.toJSONSchema(topology, { io: 'input', target: 'draft-2020-12' })
}
