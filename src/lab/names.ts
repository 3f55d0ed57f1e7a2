/** Where labs live, and the marks by which their parts are found again without any memory of them. */

/** One directory for each lab: record, logs, sockets, etcd's data, a bpffs. */
export const labRoot = '/run/weft/lab'

const namespacePrefix = 'weft-'

export function labDirectory(lab: string): string {
  return `${labRoot}/${lab}`
}

/** Network namespace of a host, an endpoint or an underlay segment. */
export function namespaceOf(lab: string, member: string): string {
  return `${namespacePrefix}${lab}-${member}`
}

/** Whether a namespace may be a lab's; its mark decides. */
export function mayBeLabNamespace(namespace: string): boolean {
  return namespace.startsWith(namespacePrefix)
}

export function namespacePath(namespace: string): string {
  return `/run/netns/${namespace}`
}

/** Alias of the loopback device in each namespace of a lab. */
export function namespaceMark(lab: string): string {
  return `weft-lab:${lab}`
}

/** The lab a loopback alias belongs to. */
export function labOfMark(alias: string | undefined): string | undefined {
  return alias?.startsWith('weft-lab:') ? alias.slice('weft-lab:'.length) : undefined
}

/** In the environment of each process of a lab, with the lab's name as value. */
export const processMark = 'WEFT_LAB_MEMBER'
