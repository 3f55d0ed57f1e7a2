import {
  type BindingEvent,
  bindingEvent,
  EventKind,
  type MacEvent,
  macEvent,
  type ProbeEvent,
  probeEvent,
} from '../bpf/abi.gen.js'
import { readU32 } from '../bpf/codec.js'

/** Who takes each kind of record. */
export interface EventHandlers {
  readonly onMac: (event: MacEvent) => void
  readonly onBinding: (event: BindingEvent) => void
  readonly onProbe: (event: ProbeEvent) => void
}

/** Reads one record of the ring `events`: they begin with their kind. */
export function readEvent(record: Uint8Array, { onMac, onBinding, onProbe }: EventHandlers): void {
  const kind = readU32(record, 0)
  if (kind === EventKind.EVENT_MAC_LEARNED || kind === EventKind.EVENT_MAC_MOVED) {
    onMac(macEvent.decode(record))
  } else if (kind === EventKind.EVENT_BINDING) onBinding(bindingEvent.decode(record))
  else if (kind === EventKind.EVENT_PROBE) onProbe(probeEvent.decode(record))
  else throw new RangeError(`an event of kind ${kind}, which this build does not have`)
}
