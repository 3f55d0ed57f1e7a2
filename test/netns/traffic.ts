import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { inNamespace } from '../../src/lab/command.js'
import { type Lab, root } from './harness.js'

export interface FlowCount {
  readonly sent: number
  readonly received: number
  readonly lost: number
  readonly duplicated: number
  /** Sends that the sender's own host refused. */
  readonly refused: number
  /** Runs of lost datagrams. */
  readonly gaps: number
  readonly longestSilenceMs: number
}

/** A UDP flow of numbered datagrams that runs until it is stopped. */
export interface Flow {
  stop(): Promise<FlowCount>
}

interface Received {
  readonly received: number
  readonly duplicated: number
  readonly gaps: number
  readonly longest_silence_ms: number
}

/** Starts a flow between two endpoints, at `rate` datagrams a second, and returns once it arrives. */
export async function startFlow(
  lab: Lab,
  options: {
    from: string
    to: string
    rate: number
    family?: 4 | 6
    /** That of `to` in the family, unless given. */
    address?: string
    port?: number
    size?: number
  },
): Promise<Flow> {
  const { from, to, rate, family = 4, port = 5700, size = 64 } = options
  const program = built('seqflow')
  const receiver = job(lab, to, [program, 'receive', `${port}`])
  await receiver.firstLine
  const address = options.address ?? lab.address(to, family)
  const sender = job(lab, from, [program, 'send', address, `${port}`, `${rate}`, `${size}`])
  await sleep(200)
  return {
    async stop() {
      const { sent, refused } = await sender.end<{ sent: number; refused: number }>()
      await sleep(300) // what is under way arrives
      const { received, duplicated, gaps, longest_silence_ms } = await receiver.end<Received>()
      const lost = sent - received
      return { sent, refused, received, duplicated, lost, gaps, longestSilenceMs: longest_silence_ms }
    },
  }
}

/** Captures on a device while `work` runs. What tcpdump says of each packet, verbose. */
export async function capture(
  lab: Lab,
  member: string,
  device: string,
  filter: string,
  work: () => Promise<unknown>,
): Promise<string> {
  const argv = ['tcpdump', '-i', device, '-n', '-e', '-vv', '-l', '--immediate-mode', filter]
  const [program = '', ...args] = inNamespace(lab.namespace(member), argv)
  const child = spawn(program, args, { stdio: 'pipe' })
  const closed = once(child, 'close') // not 'exit': output may still be on its way then
  let stdout = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  const listening = new Promise<void>((resolve, reject) => {
    let said = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text
      if (said.includes('listening on')) resolve()
    })
    void closed.then(() => reject(new Error(`tcpdump ended: ${said}`)))
  })
  await listening
  try {
    await work()
    await sleep(200) // what is under way arrives
  } finally {
    child.kill('SIGINT')
    await closed
  }
  return stdout.trim()
}

/** What one endpoint got of numbered frames. */
export interface Copies {
  /** Different frames. */
  readonly distinct: number
  readonly total: number
  /** The most copies of one frame. */
  readonly most: number
}

/** Counts numbered frames at the eth0 of some members while `work` runs. */
export async function countCopies(
  lab: Lab,
  members: readonly string[],
  work: () => Promise<unknown>,
): Promise<Record<string, Copies>> {
  const counters = members.map((member) => ({
    member,
    job: job(lab, member, [built('frames'), 'count', 'eth0']),
  }))
  await Promise.all(counters.map((counter) => counter.job.firstLine))
  const end = () =>
    Promise.all(counters.map(async ({ member, job }) => [member, await job.end<Copies>()] as const))
  await work().catch(async (err) => {
    await end()
    throw err
  })
  await sleep(300) // what is under way arrives
  return Object.fromEntries(await end())
}

/** Sends numbered frames, 1 ms apart, from the eth0 of a member: to a group or a MAC, under its own MAC or any. */
export async function sendFrames(
  lab: Lab,
  from: string,
  { to, count = 1, source = lab.endpoint(from).mac }: { to: string; count?: number; source?: string },
): Promise<void> {
  await lab.must(from, built('frames'), 'send', 'eth0', source, to, `${count}`)
}

/** Sends one gratuitous ARP request. */
export async function sendGarp(lab: Lab, from: string, source: string, address: string): Promise<void> {
  await lab.must(from, built('frames'), 'garp', 'eth0', source, address)
}

/** Sends one frame as it is. */
export async function sendRaw(lab: Lab, from: string, hex: string): Promise<void> {
  await lab.must(from, built('frames'), 'raw', 'eth0', hex)
}

export function job(lab: Lab, member: string, argv: readonly string[]) {
  const [program = '', ...args] = inNamespace(lab.namespace(member), argv)
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const closed = once(child, 'close')
  let stdout = ''
  const firstLine = new Promise<void>((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
      if (stdout.includes('\n')) resolve()
    })
  })
  return {
    firstLine,
    /** Ends it with SIGTERM. The JSON of its last line. */
    async end<T>(): Promise<T> {
      child.kill('SIGTERM')
      await closed
      return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as T
    },
  }
}

/** Path of a C program of this folder, built when it is not or has changed. */
export function built(name: string): string {
  const source = `${root}test/netns/${name}.c`
  const program = `${root}build/test/${name}`
  const before = statSync(program, { throwIfNoEntry: false })
  if (!before || before.mtimeMs < statSync(source).mtimeMs) {
    mkdirSync(`${root}build/test`, { recursive: true })
    execFileSync('clang', ['-O2', '-Wall', '-Wextra', '-Werror', '-o', program, source])
  }
  return program
}
