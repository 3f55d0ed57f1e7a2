import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const main = (component: string) => fileURLToPath(new URL(`../../src/${component}/main.ts`, import.meta.url))

function check(component: string, argv: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const command = ['--import', 'tsx', main(component), '--check-config', ...argv]
  return new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    execFile(process.execPath, command, { env: { ...process.env, ...env } }, (err, stdout, stderr) => {
      resolve({ code: Number(err?.code ?? 0), stdout, stderr })
    })
  })
}

describe('--check-config', () => {
  it.each([
    [
      'controller',
      ['--grpc-listen', 'nonsense'],
      'W-4002 --grpc-listen nonsense: give host:port or unix:/path',
    ],
    [
      'controller',
      ['--http-listen', 'a:70000'],
      'W-4002 --http-listen a:70000: give host:port or unix:/path',
    ],
    [
      'controller',
      ['--etcd', 'localhost:2379'],
      'W-4002 --etcd localhost:2379: give a URL, as http://127.0.0.1:2379',
    ],
    [
      'controller',
      ['--http-listen', '0.0.0.0:80'],
      'W-3001 --http-listen 0.0.0.0:80: refusing to listen beyond this host, without encryption or login',
    ],
    [
      'node',
      ['--node-name', 'Bad Name'],
      'W-4002 --node-name Bad Name: give a node name: lower-case letters, digits, "-" and ".", as host0',
    ],
  ])('of weft-%s refuses %j, as its start would', async (component, argv, line) => {
    const { code, stdout, stderr } = await check(component, argv)
    expect({ code, stdout, line: stderr.split('\n')[0] }).toEqual({
      code: 2,
      stdout: '',
      line: `weft-${component}: ${line}`,
    })
  })

  it('takes an address beyond this host with --insecure, and tells of variables that nothing reads', async () => {
    const { code, stdout, stderr } = await check(
      'controller',
      ['--http-listen', '0.0.0.0:80', '--insecure'],
      {
        WEFT_CONTROLLER_ECTD: 'http://10.0.0.1:2379',
      },
    )
    expect(code).toBe(0)
    expect(stdout).toContain('The settings are right.\n')
    expect(stderr).toBe(
      'weft-controller: warning: WEFT_CONTROLLER_ECTD is no setting, did you mean "WEFT_CONTROLLER_ETCD"?\n',
    )
  })
})
