import { z } from 'zod'
import { parseListenAddress } from './listen-address.js'

/** A setting that is an address to listen on, refused where it is given and not first where it is used. */
export const listenSetting = z.string().refine(
  (text) => {
    try {
      parseListenAddress(text)
      return true
    } catch {
      return false
    }
  },
  { message: 'host:port or unix:/path' },
)
