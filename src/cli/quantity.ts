/** How tables write quantities; JSON has the bare numbers. `-` is for what is not known. */

/** `220 B`, `1.12 kB`, `12.3 MB`: decimal, three digits. */
export function formatBytes(bytes: number | null | undefined): string {
  if (bytes === null || bytes === undefined) return '-'
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']
  let value = bytes
  let unit = 0
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 ? Math.round(value) : Number(value.toPrecision(3))} ${units[unit]}`
}

/** `4m12s`, `3d4h`, `2s`: the two largest units. */
export function formatAge(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined) return '-'
  const s = Math.max(0, Math.floor(seconds))
  if (s < 60) return `${s}s`
  if (s < 3600) return `${Math.floor(s / 60)}m${s % 60}s`
  if (s < 86_400) return `${Math.floor(s / 3600)}h${Math.floor((s % 3600) / 60)}m`
  return `${Math.floor(s / 86_400)}d${Math.floor((s % 86_400) / 3600)}h`
}

/** `1,024`. */
export function formatCount(count: number | null | undefined): string {
  return count === null || count === undefined ? '-' : count.toLocaleString('en-US')
}

/** `0`, `0.4`, `12`: per second or per minute. */
export function formatRate(rate: number | null | undefined): string {
  if (rate === null || rate === undefined) return '-'
  return rate >= 10 || rate === 0 ? formatCount(Math.round(rate)) : String(Number(rate.toPrecision(2)))
}

/** Anything as a cell: `-` for nothing. */
export function orDash(value: string | number | null | undefined): string {
  return value === null || value === undefined || value === '' ? '-' : String(value)
}

/** `1 node`, `1,024 nodes`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`
}

/** `840us`, `1.2ms` */
export function formatMicroseconds(us: number | null): string {
  if (us === null) return '-'
  return us < 1000 ? `${us}us` : `${(us / 1000).toFixed(1)}ms`
}
