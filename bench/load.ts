import { setTimeout as sleep } from 'node:timers/promises'
import { built, compileC } from './compile.js'
import { busySeconds, canKeepAwake, keepAwake } from './cpu.js'
import type { Measure } from './measure.js'
import { background, inside, type Rig } from './rig.js'

const NETLOAD = built('netload')
const PORT = '5201'
const UNTIL_LISTENING = 200 // ms
const SLACK = 10 // seconds over what was asked for, after which a load is killed

// Sender on CPU 0, receiver on CPU 1.
const SEND_CPU = 0
const RECEIVE_CPU = 1

/** Before any measure is taken. */
export function buildNetload(): void {
  compileC('netload.c', NETLOAD)
}

const isWhole = (rig: Rig) => !rig.framesOnly
const timeoutMs = (seconds: number) => (seconds + SLACK) * 1000

/** Throughput, and what both CPUs together were busy for each gigabit of it. */
export function tcp(streams: 1 | 4): Measure {
  const throughput = `tcp_${streams}`
  const price = `tcp_${streams}_cpu`
  return {
    name: throughput,
    figures: [
      { name: throughput, unit: 'Gb/s', better: 'higher' },
      { name: price, unit: 'CPU ms/Gb', better: 'lower' },
    ],
    fits: isWhole,
    async take({ a, b }, seconds, signal) {
      const stop = background(b.namespace, RECEIVE_CPU, ['iperf3', '-s', '-1', '-p', PORT])
      try {
        await sleep(UNTIL_LISTENING)
        const argv = [
          'iperf3',
          '-c',
          b.address,
          '-p',
          PORT,
          '-t',
          String(seconds),
          '-P',
          String(streams),
          '-J',
        ]
        const busyBefore = busySeconds()
        const out = await inside(a.namespace, argv, { cpu: SEND_CPU, timeoutMs: timeoutMs(seconds), signal })
        const busy = busySeconds() - busyBefore
        const received = JSON.parse(out).end.sum_received
        return {
          values: {
            [throughput]: received.bits_per_second / 1e9,
            [price]: (busy * 1e3) / ((received.bytes * 8) / 1e9),
          },
        }
      } finally {
        stop()
      }
    },
  }
}

/** UDP payload of 22 bytes: a 64-byte inner Ethernet frame without its FCS. */
export const packets: Measure<'udp_64_byte'> = {
  name: 'udp',
  figures: [{ name: 'udp_64_byte', unit: 'kpps arriving', better: 'higher' }],
  fits: isWhole,
  async take({ a, b }, seconds, signal) {
    const sinking = [NETLOAD, 'sink', PORT, String(seconds + 1)]
    const blasting = [NETLOAD, 'blast', b.address, PORT, '22', String(seconds)]
    const limits = { timeoutMs: timeoutMs(seconds), signal }
    const sink = inside(b.namespace, sinking, { cpu: RECEIVE_CPU, ...limits })
    const blast = sleep(UNTIL_LISTENING).then(() =>
      inside(a.namespace, blasting, { cpu: SEND_CPU, ...limits }),
    )
    const [arrived, sent] = (await Promise.all([sink, blast])).map((out) => JSON.parse(out))
    return {
      values: { udp_64_byte: arrived.packets / arrived.seconds / 1e3 },
      lost: Math.max(0, 1 - arrived.packets / sent.packets),
    }
  },
}

interface Seats {
  readonly a: number | undefined
  readonly b: number | undefined
}

/** Round trips with one request in flight. */
function latency(name: string, seats: Seats, awake: () => Disposable | undefined): Measure {
  const figure = (percentile: string) =>
    ({ name: `${name}_${percentile}`, unit: 'us', better: 'lower' }) as const
  return {
    name,
    figures: [figure('p50'), figure('p99')],
    fits: isWhole,
    async take({ a, b }, seconds, signal) {
      using _ = awake()
      const stop = background(b.namespace, seats.b, [NETLOAD, 'echo', PORT, String(seconds + 5)])
      try {
        await sleep(UNTIL_LISTENING)
        const argv = [NETLOAD, 'rr', b.address, PORT, '22', String(seconds)]
        const out = await inside(a.namespace, argv, { cpu: seats.a, timeoutMs: timeoutMs(seconds), signal })
        const { p50_us, p99_us, round_trips, lost } = JSON.parse(out)
        return {
          values: { [`${name}_p50`]: p50_us, [`${name}_p99`]: p99_us },
          lost: lost / (round_trips + lost),
        }
      } finally {
        stop()
      }
    },
  }
}

const asItIs = () => undefined

/** Both ends on one CPU: no other CPU has to wake, so it is the path that is measured. */
export const sameCore = latency('rtt_same_core', { a: SEND_CPU, b: SEND_CPU }, asItIs)

/** A CPU for each end, kept from idling. */
export const twoCores: Measure = {
  ...latency('rtt_two_cores_awake', { a: SEND_CPU, b: RECEIVE_CPU }, keepAwake),
  lacking: canKeepAwake() ? undefined : '/dev/cpu_dma_latency',
}

/** As an application would have it: mostly how fast the hypervisor wakes an idle CPU. */
export const twoCoresIdle = latency('rtt_unpinned', { a: undefined, b: undefined }, asItIs)
