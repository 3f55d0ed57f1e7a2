import { describe, expect, it } from 'vitest'
import { check, errnoName } from './errno.js'

describe('errnoName', () => {
  it.each([
    [-2, 'ENOENT'],
    [7, 'E2BIG'],
    [-11, 'EAGAIN'],
    [-67, 'ENOLINK'],
    [-95, 'EOPNOTSUPP'],
    [-524, 'ENOTSUPP'],
    [-999, 'errno 999'],
  ])('of %i is %s', (errno, name) => {
    expect(errnoName(errno)).toBe(name)
  })
})

describe('check', () => {
  it('passes results on', () => {
    expect(check('bpf_obj_get', 7)).toBe(7)
  })

  it('names call, object and errno', () => {
    expect(() => check('bpf_obj_get', -2, '/pin')).toThrow('bpf_obj_get (/pin): ENOENT')
  })
})
