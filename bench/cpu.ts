import { closeSync, existsSync, openSync, readFileSync, writeSync } from 'node:fs'
import { cpus } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'

const CPU_DMA_LATENCY = '/dev/cpu_dma_latency'
const CALM_WINDOW_S = 2
const TICKS_PER_SECOND = 100 // USER_HZ, on every architecture Weft runs on

/** Time that all CPUs together have been busy since boot; in steps of 10 ms. */
export function busySeconds(): number {
  const [user, nice, system, , , irq, softirq] = readFileSync('/proc/stat', 'utf8')
    .split('\n', 1)[0]!
    .split(/\s+/)
    .slice(1)
    .map(Number)
  return (user! + nice! + system! + irq! + softirq!) / TICKS_PER_SECOND
}

/** Share of all CPUs that the machine is busy with, when nothing is asked of it. */
export async function busyShare(): Promise<number> {
  const before = busySeconds()
  await sleep(CALM_WINDOW_S * 1000)
  return (busySeconds() - before) / (CALM_WINDOW_S * cpus().length)
}

export function canKeepAwake(): boolean {
  return existsSync(CPU_DMA_LATENCY)
}

/** Idle CPUs poll, instead of halting, for as long as this is not disposed. */
export function keepAwake(): Disposable {
  const fd = openSync(CPU_DMA_LATENCY, 'r+')
  writeSync(fd, new Uint8Array(4)) // 0 us to wake up
  return { [Symbol.dispose]: () => closeSync(fd) }
}

export function cpuModel(): string {
  const all = cpus()
  return `${all[0]?.model.trim() ?? 'unknown CPU'}, ${all.length} CPUs`
}
