/** What a benchmark module exports. */
export type Benchmark = {
  /** One line: what is compared with what. */
  title: string
  run(): Promise<Outcome>
}

export type Outcome = {
  /** The table for people. */
  rows: Record<string, string | number>[]
  /** The object for machines: the last line with --json. Times in ms, ratios as plain numbers. */
  result: Record<string, number | Record<string, number>>
  /** Bounds that were missed, one sentence each: any makes the exit code 1. */
  missed?: readonly string[]
}
