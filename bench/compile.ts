import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** Where the built things of the benchmark lie. */
export const built = (name: string) => here(`../build/${name}`)

/** @param source name of a file in bench/ */
export function compileC(source: string, out: string, libraries: readonly string[] = []): void {
  execFileSync('clang', ['-O2', '-Wall', '-Wextra', '-Werror', '-o', out, here(source), ...libraries])
}

/** @param source name of a file in bench/ */
export function compileBpf(source: string, out: string): void {
  const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64'
  const include = ['-idirafter', `/usr/include/${machine}-linux-gnu`]
  const target = ['-target', 'bpf', '-mcpu=v3', '-O2', '-g']
  execFileSync('clang', [...target, ...include, '-Wall', '-Werror', '-c', here(source), '-o', out])
}
