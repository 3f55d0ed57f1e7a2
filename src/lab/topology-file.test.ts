import { describe, expect, it } from 'vitest'
import { parseLabSource } from './topology-file.js'

const text = `apiVersion: weft/v1
kind: Topology
name: "small" # not the name of a host: name
nodes:
  name: { underlay: { dev: eth0, address: 172.16.1.100/24 } }
networks:
  green: { vni: 100, mode: unicast }
lab: {}
`

describe('parseLabSource', () => {
  it('takes another name for the lab, and changes nothing else of the file', () => {
    const { desired, text: renamed } = parseLabSource('small.yaml', text, 'demo')
    expect(desired.name).toBe('demo')
    expect(renamed).toBe(text.replace('"small"', 'demo'))
  })

  it('says what is wrong with a file that has no name to replace', () => {
    expect(() => parseLabSource('list.yaml', '- a\n', 'demo')).toThrow(/list\.yaml:1/)
  })
})
