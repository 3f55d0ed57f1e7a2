/** Flags of `get` that select by equality. In a file of its own: help needs them, and not the rest. */
export const filterFlags = ['node', 'network', 'vni', 'mac', 'ip', 'topology', 'state', 'reason'] as const
export type FilterFlag = (typeof filterFlags)[number]
