// A network on this machine, and its story.
//
//   npm start                 chain, contracts, nodes; plays the story; stays up until Ctrl-C
//   npm start -- --once       the same, then exits: 0 if every assertion held
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { MAX_NODES, startDevchain, startOperators } from './network.ts'
import { createProcesses, ROOT } from './processes.ts'
import { createStage } from './stage.ts'
import { playStory } from './story.ts'

const USAGE = `usage: npm start -- [options]
  --once         exit after the story, non-zero if an assertion failed
  --quiet        start the network without a story
  --nodes N      how many nodes, 4 to ${MAX_NODES} (4)
  --dir FOLDER   data folder (.postrider/devnet-<pid>); must not exist
  --json         print one JSON document on stdout at the end; the story goes to stderr`

type Options = { once: boolean; story: boolean; nodes: number; directory: string; json: boolean }

const EXIT_USAGE = 2
const EXIT_INTERRUPTED = 130
/** One Ctrl-C may arrive twice, by the process group and by the launcher that passes it on; nobody presses so fast. */
const ECHO_MS = 500

function parseOptions(): Options {
  try {
    const { values } = parseArgs({
      options: {
        once: { type: 'boolean', default: false },
        quiet: { type: 'boolean', default: false },
        story: { type: 'boolean', default: false },
        nodes: { type: 'string', default: '4' },
        dir: { type: 'string', default: join(ROOT, '.postrider', `devnet-${process.pid}`) },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    if (values.help) {
      process.stdout.write(`${USAGE}\n`)
      process.exit(0)
    }
    const nodes = Number(values.nodes)
    if (!Number.isInteger(nodes) || nodes < 4 || nodes > MAX_NODES)
      throw new TypeError(`--nodes takes 4 to ${MAX_NODES}, not ${values.nodes}`)
    if (existsSync(values.dir))
      throw new TypeError(
        `--dir ${values.dir} exists already: take another, or remove what a crash left there`,
      )
    return {
      once: values.once,
      story: !values.quiet,
      nodes,
      directory: resolve(values.dir),
      json: values.json,
    }
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${USAGE}\n`)
    process.exit(EXIT_USAGE)
  }
}

async function main(): Promise<void> {
  const options = parseOptions()
  removeLeftovers(join(ROOT, '.postrider'))
  mkdirSync(options.directory, { recursive: true, mode: 0o700 })
  const processes = createProcesses(options.directory)
  const interrupted = onInterrupt()
  const stage = createStage(options.json ? process.stderr : process.stdout, interrupted.happened)
  let failed = true
  try {
    await Promise.race([tell(options, processes, stage), interrupted.promise])
    failed = stage.assertions().some(({ holds }) => !holds)
    if (!options.once && !interrupted.happened()) {
      stage.say(`the network stays up, data in ${options.directory} (network.json for nodes and clients)`)
      const fund = `node scripts/bootstrap.mjs run devnet/fund.ts ADDRESS --network '${join(options.directory, 'network.json')}'`
      stage.say(`test ETH and POST: ${fund}; Ctrl-C ends it`)
      await interrupted.promise
    }
  } catch (error) {
    process.stderr.write(`\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
  } finally {
    if (interrupted.happened()) stage.say('stopping')
    await processes.stopAll()
  }
  if (options.json)
    process.stdout.write(`${JSON.stringify({ ok: !failed, assertions: stage.assertions() })}\n`)
  if (failed) process.stderr.write(`logs are kept in ${options.directory}\n`)
  else rmSync(options.directory, { recursive: true, force: true })
  // Proving keys keep a thread of the stock client's libraries alive; everything of ours has stopped.
  process.exit(failed ? 1 : interrupted.happened() && options.once ? EXIT_INTERRUPTED : 0)
}

async function tell(
  options: Options,
  processes: ReturnType<typeof createProcesses>,
  stage: ReturnType<typeof createStage>,
) {
  stage.act('A chain, its contracts, and operators who stake')
  const base = await stage.step('a local chain starts and the contracts are deployed', () =>
    startDevchain(processes, options.directory),
  )
  const operators = await stage.step(
    `${options.nodes} operators create keys, stake 1,000 POST each and run a node`,
    (update) =>
      startOperators(processes, base, options.nodes, (done) =>
        update(`operators stake and run: ${done} of ${options.nodes}`),
      ),
  )
  for (const { name, peerId, account } of operators) stage.say(`${name.padEnd(6)} ${account}  ${peerId}`)
  if (options.story) await playStory({ ...base, operators }, stage)
}

/** Resolves at the first SIGINT or SIGTERM; a second Ctrl-C ends the process at once. */
function onInterrupt() {
  const { promise, resolve: finish } = Promise.withResolvers<void>()
  let firstMs: number | undefined
  const stop = (signal: NodeJS.Signals) => {
    const nowMs = performance.now()
    firstMs ??= nowMs
    if (signal === 'SIGINT' && nowMs - firstMs > ECHO_MS) process.exit(EXIT_INTERRUPTED)
    finish()
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  return { promise, happened: () => firstMs !== undefined }
}

/** Removes data folders of devnets that no longer run (a crash leaves one behind). */
function removeLeftovers(base: string): void {
  if (!existsSync(base)) return
  for (const name of readdirSync(base)) {
    const pid = Number(/^devnet-(\d+)$/.exec(name)?.[1])
    if (Number.isInteger(pid) && !isAlive(pid)) rmSync(join(base, name), { recursive: true, force: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

await main()
