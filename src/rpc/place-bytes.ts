import { type Ip, ipFromBytes, ipToBytes } from '../model/ip.js'
import type { Mac } from '../model/mac.js'
import { macFromBytes, macToBytes } from './mac-bytes.js'
import type { PlaceMessage } from './question-messages.js'
import type { Place } from './questions.js'

/** PURE: places, and addresses that may be absent, which are then empty. */
export function placeToMessage(place: Place | undefined): PlaceMessage {
  return {
    interface: place && 'interface' in place ? place.interface : '',
    vtep: place && 'vtep' in place ? ipToBytes(place.vtep) : new Uint8Array(),
  }
}

export function placeFromMessage(message: PlaceMessage | null | undefined): Place | undefined {
  if (!message) return undefined
  if (message.interface !== '') return { interface: message.interface }
  return message.vtep.length > 0 ? { vtep: ipFromBytes(message.vtep) } : undefined
}

export function optionalIp(ip: Ip | undefined): Uint8Array {
  return ip === undefined ? new Uint8Array() : ipToBytes(ip)
}

export function ipOrNone(bytes: Uint8Array): Ip | undefined {
  return bytes.length > 0 ? ipFromBytes(bytes) : undefined
}

export function optionalMac(mac: Mac | undefined): Uint8Array {
  return mac === undefined ? new Uint8Array() : macToBytes(mac)
}

export function macOrNone(bytes: Uint8Array): Mac | undefined {
  return bytes.length > 0 ? macFromBytes(bytes) : undefined
}
