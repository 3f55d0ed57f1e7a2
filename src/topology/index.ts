/**
 * Topology files: YAML text in, desired state and lab out. Pure: nothing here
 * reads a file, a clock or a socket, and nothing throws on bad input.
 */
export { checkAgainst } from './against.js'
export { type Change, diffDesired } from './diff.js'
export { formatChanges } from './format-changes.js'
export { formatProblems } from './format-problems.js'
export { topologyJsonSchema } from './json-schema.js'
export type * from './lab-spec.js'
export { type Loaded, loadTopology } from './load.js'
export { type ParsedTopology, parseTopology } from './parse.js'
export type { Finding, Path, Problem } from './problem.js'
export type { Topology } from './schema/topology.js'
export { type Document, placeFindings } from './source.js'
