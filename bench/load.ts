import { execFileSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { background, inside, type Rig } from './rig.js'

const SOURCE = fileURLToPath(new URL('netload.c', import.meta.url))
const NETLOAD = fileURLToPath(new URL('../build/netload', import.meta.url))
const PORT = '5201'

/** Compiles the load generator; before any measure is taken. */
export function buildNetload(): void {
  execFileSync('clang', ['-O2', '-Wall', '-Werror', '-o', NETLOAD, SOURCE])
}

/** One figure that is measured on a rig; `better` says which way is good. */
export interface Measure {
  readonly name: string
  readonly unit: string
  readonly better: 'higher' | 'lower'
  take(rig: Rig, seconds: number): Promise<number>
}

// Sender on CPU 0, receiver on CPU 1; a ping-pong on one CPU, or it measures how fast an idle core wakes.
const SEND_CPU = 0
const RECEIVE_CPU = 1

const tcp = (streams: number): Measure => ({
  name: `tcp_${streams}`,
  unit: 'Gb/s',
  better: 'higher',
  async take(rig, seconds) {
    const stop = background(rig.b.namespace, RECEIVE_CPU, ['iperf3', '-s', '-1', '-p', PORT])
    try {
      await sleep(300)
      const client = [
        'iperf3',
        '-c',
        rig.b.address,
        '-p',
        PORT,
        '-t',
        String(seconds),
        '-P',
        String(streams),
        '-J',
      ]
      const report = JSON.parse(await inside(rig.a.namespace, SEND_CPU, client, (seconds + 10) * 1000))
      return report.end.sum_received.bits_per_second / 1e9
    } finally {
      stop()
    }
  },
})

/** UDP payload of 22 bytes: a 64-byte inner Ethernet frame without its FCS. */
const packets: Measure = {
  name: 'udp_64_byte',
  unit: 'kpps',
  better: 'higher',
  async take(rig, seconds) {
    const sink = inside(
      rig.b.namespace,
      RECEIVE_CPU,
      [NETLOAD, 'sink', PORT, String(seconds + 1)],
      (seconds + 10) * 1000,
    )
    await sleep(300)
    await inside(
      rig.a.namespace,
      SEND_CPU,
      [NETLOAD, 'blast', rig.b.address, PORT, '22', String(seconds)],
      (seconds + 10) * 1000,
    )
    const { packets, seconds: taken } = JSON.parse(await sink)
    return packets / taken / 1e3
  },
}

const latency: Measure = {
  name: 'udp_round_trip_p50',
  unit: 'us',
  better: 'lower',
  async take(rig, seconds) {
    const stop = background(rig.b.namespace, SEND_CPU, [NETLOAD, 'echo', PORT, String(seconds + 5)])
    try {
      await sleep(300)
      const client = [NETLOAD, 'rr', rig.b.address, PORT, '22', String(seconds)]
      return JSON.parse(await inside(rig.a.namespace, SEND_CPU, client, (seconds + 10) * 1000)).p50_us
    } finally {
      stop()
    }
  },
}

export const measures: readonly Measure[] = [tcp(1), tcp(4), packets, latency]
