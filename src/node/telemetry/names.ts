import { ProgramId, VerdictReason } from '../bpf/abi.gen.js'

const programs = namesOf(ProgramId, 'PROGRAM_')
const reasons = namesOf(VerdictReason, '', ['DROP_FIRST'])

/** `port_ingress` */
export const programName = (value: number): string => nameOf(programs, value)

/** `drop_unknown_vtep` */
export const reasonName = (value: number): string => nameOf(reasons, value)

/** By number, the names of an enum in lower case, without their prefix. */
export function namesOf(
  values: Readonly<Record<string, number>>,
  prefix: string,
  aliases: readonly string[] = [],
): ReadonlyMap<number, string> {
  const named = Object.entries(values).filter(([name]) => !aliases.includes(name))
  return new Map(named.map(([name, value]) => [value, name.slice(prefix.length).toLowerCase()]))
}

/** A number that only a newer program knows is shown as it is. */
export function nameOf(names: ReadonlyMap<number, string>, value: number): string {
  return names.get(value) ?? `${value}`
}
