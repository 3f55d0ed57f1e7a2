import { isIP } from 'node:net'
import { canonicalIp } from '../../model/ip.js'
import { formatMac, type Mac, parseMac } from '../../model/mac.js'
import type { RecordKey } from '../view/records.js'

/** PURE: the text of keys under one prefix, `/weft/v1/` by default. */
export class Keys {
  constructor(readonly prefix: string) {}

  readonly generation = (): string => `${this.prefix}generation`
  readonly heads = (): string => `${this.prefix}topology/`
  readonly head = (topology: string): string => this.heads() + topology
  /** Of all epochs of a topology. */
  readonly objects = (topology: string): string => `${this.prefix}object/${topology}/`
  readonly epoch = (topology: string, epoch: string): string => `${this.objects(topology)}${epoch}/`
  readonly object = (topology: string, epoch: string, id: string): string => this.epoch(topology, epoch) + id
  readonly guard = (vni: number): string => `${this.prefix}guard/${vni}`

  /** Of all MACs of a segment. */
  readonly journals = (vni: number): string => `${this.prefix}journal/${vni}/`
  readonly journal = (vni: number, mac: Mac): string => this.journals(vni) + formatMac(mac)

  readonly page = (vni: number, vtep: string, page: number): string =>
    `${this.prefix}mac/${vni}/${vtep}${page === 0 ? '' : `/${page}`}`

  /** What `key` names; `undefined` when it is none of ours. */
  parse(key: string): RecordKey | undefined {
    if (!key.startsWith(this.prefix)) return undefined
    const [kind, ...rest] = key.slice(this.prefix.length).split('/')
    switch (kind) {
      case 'generation':
        return rest.length === 0 ? { kind } : undefined
      case 'topology':
        return rest.length === 1 && rest[0] ? { kind: 'head', topology: rest[0] } : undefined
      case 'object':
        return parseObject(rest)
      case 'mac':
        return parsePage(rest)
      case 'guard': {
        const vni = parseNumber(rest[0])
        return rest.length === 1 && vni !== undefined ? { kind, vni } : undefined
      }
      case 'journal':
        return parseJournal(rest)
      default:
        return undefined
    }
  }
}

function parseObject([topology, epoch, ...id]: string[]): RecordKey | undefined {
  if (!topology || !epoch || id.length === 0) return undefined
  return { kind: 'object', topology, epoch, id: id.join('/') }
}

function parsePage([first, vtep = '', last, ...more]: string[]): RecordKey | undefined {
  const vni = parseNumber(first)
  const page = last === undefined ? 0 : parseNumber(last)
  if (vni === undefined || page === undefined || more.length > 0) return undefined
  if (isIP(vtep) === 0 || canonicalIp(vtep) !== vtep) return undefined
  return { kind: 'page', vni, vtep, page }
}

function parseJournal([first, text = '', ...more]: string[]): RecordKey | undefined {
  const vni = parseNumber(first)
  const mac = parseMac(text)
  if (vni === undefined || mac === undefined || formatMac(mac) !== text || more.length > 0) return undefined
  return { kind: 'journal', vni, mac }
}

function parseNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^(0|[1-9]\d{0,8})$/.test(text) ? Number(text) : undefined
}

/** The end of the range of all keys that start with `prefix`. */
export function rangeEnd(prefix: string): Buffer {
  const end = Buffer.from(prefix)
  end[end.length - 1]! += 1 // a prefix ends in '/', never in 0xff
  return end
}
