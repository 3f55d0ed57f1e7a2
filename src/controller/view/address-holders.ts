import type { Ip } from '../../model/ip.js'
import type { Mac } from '../../model/mac.js'

/** PURE: which MACs of one segment were heard to use an address. */
export class AddressHolders {
  /** In how many pages each MAC has the address: one, in pages of our making. */
  private readonly byIp = new Map<Ip, Map<Mac, number>>()

  get size(): number {
    return this.byIp.size
  }

  ips(): Iterable<Ip> {
    return this.byIp.keys()
  }

  macs(ip: Ip): Iterable<Mac> {
    return this.byIp.get(ip)?.keys() ?? []
  }

  add(ip: Ip, mac: Mac): void {
    const macs = this.byIp.get(ip) ?? new Map<Mac, number>()
    macs.set(mac, (macs.get(mac) ?? 0) + 1)
    this.byIp.set(ip, macs)
  }

  remove(ip: Ip, mac: Mac): void {
    const macs = this.byIp.get(ip)
    const pages = macs?.get(mac)
    if (!macs || pages === undefined) return
    if (pages > 1) macs.set(mac, pages - 1)
    else macs.delete(mac)
    if (macs.size === 0) this.byIp.delete(ip)
  }
}
