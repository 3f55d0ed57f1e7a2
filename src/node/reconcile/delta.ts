export interface Delta<K, V> {
  readonly set: readonly (readonly [K, V])[]
  readonly remove: readonly K[]
}

/** What turns `actual` into `desired`: keys that differ or are absent, and keys that nobody wants. */
export function delta<K, V, A>(
  desired: ReadonlyMap<K, V>,
  actual: ReadonlyMap<K, A>,
  same: (want: V, have: A) => boolean,
): Delta<K, V> {
  const set: [K, V][] = []
  for (const [key, want] of desired) {
    const have = actual.get(key)
    if (have === undefined || !same(want, have)) set.push([key, want])
  }
  const remove: K[] = []
  for (const key of actual.keys()) if (!desired.has(key)) remove.push(key)
  return { set, remove }
}
