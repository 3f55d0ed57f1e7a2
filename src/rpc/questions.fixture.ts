import fc from 'fast-check'
import { canonicalIp, type Ip } from '../model/ip.js'
import { isStation, type Mac } from '../model/mac.js'
import type { Answer, AnswerBody, Place, Question } from './questions.js'

/** Every question and answer that can be. */
const ip = fc.oneof(fc.ipV4(), fc.ipV6()).map((text): Ip => canonicalIp(text))
const mac = fc
  .nat({ max: 2 ** 48 - 1 })
  .map((value) => value as Mac)
  .filter(isStation)
const vni = fc.integer({ min: 0, max: 2 ** 24 - 1 })
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
const count = fc.nat({ max: Number.MAX_SAFE_INTEGER })
const name = fc.string({ maxLength: 12 })
const bytes = fc.uint8Array({ maxLength: 40 })
const device = fc.string({ minLength: 1, maxLength: 12 })
const place: fc.Arbitrary<Place> = fc.oneof(fc.record({ interface: device }), fc.record({ vtep: ip }))
const maybe = <T>(some: fc.Arbitrary<T>) => fc.option(some, { nil: undefined })

export const questions: fc.Arbitrary<Question> = fc.oneof(
  fc.record({ kind: fc.constant('learned' as const), vni, mac: maybe(mac), limit: vni }),
  fc.record({
    kind: fc.constant('simulate' as const),
    vni,
    from: place,
    source: mac,
    destination: mac,
    size: vni,
  }),
  fc.record({
    kind: fc.constant('tap' as const),
    vni,
    interface: name,
    source: maybe(mac),
    destination: maybe(mac),
    both_ways: fc.boolean(),
    marker: u64,
    snaplen: vni,
    deliveries: fc.boolean(),
    duration_ms: vni,
    most: vni,
  }),
  fc.record({ kind: fc.constant('inject' as const), interface: name, frame: bytes, count: vni, gap_ms: vni }),
)

const learnedMac = fc.record({
  vni,
  mac,
  at: place,
  from: maybe(place),
  moves: vni,
  since_ms: count,
  seen_ms: count,
})
const move = fc.record({
  vni,
  mac,
  at: place,
  from: maybe(place),
  announced: fc.boolean(),
  ago_ms: count,
})
const frame = fc.record({
  at_ns: u64,
  vni,
  program: name,
  reason: name,
  interface: name,
  vtep: maybe(ip),
  length: vni,
  bytes,
})
const body: fc.Arbitrary<AnswerBody> = fc.oneof(
  fc.record({
    kind: fc.constant('learned' as const),
    macs: fc.array(learnedMac, { maxLength: 3 }),
    moves: fc.array(move, { maxLength: 3 }),
    left_out: vni,
  }),
  fc.record({
    kind: fc.constant('simulate' as const),
    program: name,
    reason: name,
    looked_up: fc.array(fc.record({ map: name, key: name, value: name, revision: u64 }), { maxLength: 3 }),
    next: fc.array(place, { maxLength: 3 }),
    group: maybe(ip),
    revision: u64,
  }),
  fc.record({ kind: fc.constant('tap' as const), frames: fc.array(frame, { maxLength: 3 }), lost: count }),
  fc.record({ kind: fc.constant('inject' as const), sent: vni }),
)

export const answers: fc.Arbitrary<Answer> = fc.record({
  id: vni,
  last: fc.boolean(),
  failure: maybe(fc.record({ code: name, what: name, message: name, next: name })),
  body: maybe(body),
})
