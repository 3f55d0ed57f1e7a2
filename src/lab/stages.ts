/** Prints a line for each stage that is done: with a tick on a terminal, without one elsewhere. */
export class Stages {
  private begun = performance.now()

  constructor(
    private readonly write: (text: string) => void,
    private readonly isTerminal: boolean,
  ) {}

  /** Runs one stage and prints its line, with what `result` says of it appended to `name`. */
  async stage<T>(name: string, work: () => Promise<T>, result?: (value: T) => string): Promise<T> {
    this.begun = performance.now()
    const value = await work()
    this.done(result ? `${name} ${result(value)}` : name)
    return value
  }

  private done(text: string): void {
    const seconds = ((performance.now() - this.begun) / 1000).toFixed(1)
    const tick = this.isTerminal ? '✔ ' : ''
    this.write(` ${tick}${text.padEnd(26)}  ${seconds} s\n`)
  }
}
