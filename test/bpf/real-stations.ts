import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import type { Mac } from '../../src/model/mac.js'
import { formatMac } from '../../src/model/mac.js'
import { type DataplaneRig, ifindexOf, ip } from './dataplane-rig.js'

/** A station with a network stack of its own, behind a veth that is a port. */
export class RealStation {
  readonly ifindex: number

  /** `name` is that of its namespace, and of the port with `p-` before it. */
  constructor(
    rig: DataplaneRig,
    readonly name: string,
    opts: { readonly mac: Mac; readonly addresses?: readonly string[]; readonly mtu?: number },
  ) {
    const { mac, addresses = [], mtu = 1500 } = opts
    ip(`netns add ${name}`)
    ip(`link add p-${name} mtu ${mtu} type veth peer name eth0 mtu ${mtu} netns ${name}`)
    this.ip(`link set eth0 address ${formatMac(mac)} up`)
    ip(`link set p-${name} up`)
    for (const address of addresses)
      this.ip(`address add ${address} dev eth0${address.includes(':') ? ' nodad' : ''}`)
    this.ifindex = ifindexOf(`p-${name}`)
    rig.attach(rig.portIngress, `p-${name}`)
  }

  /** Standard output; throws when the command fails. */
  exec(command: string): string {
    return execFileSync('ip', ['netns', 'exec', this.name, ...command.split(' ')], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  }

  /** Both outputs, however the command ends. */
  try(command: string): string {
    const { stdout, stderr } = spawnSync('ip', ['netns', 'exec', this.name, ...command.split(' ')], {
      encoding: 'utf8',
    })
    return stdout + stderr
  }

  /** Runs a script of Node in the namespace; gives what it printed when it has ended. */
  async node(script: string): Promise<string> {
    const child = spawn('ip', ['netns', 'exec', this.name, process.execPath, '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let output = ''
    child.stdout.on('data', (chunk) => (output += chunk))
    await once(child, 'close')
    return output
  }

  ip(args: string): string {
    return execFileSync('ip', ['-n', this.name, ...args.split(' ')], { encoding: 'utf8' })
  }
}

/** Names of namespaces are files: here they are this process's own, and end with it. Call it after the rig is made. */
export function hideNamespaceNames(): void {
  execFileSync('mkdir', ['-p', '/run/netns'])
  execFileSync('mount', ['-t', 'tmpfs', 'netns', '/run/netns'])
}
