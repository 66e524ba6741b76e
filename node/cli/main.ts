/**
 * The command line of a node: `postrider`. See README.md and docs/cli.md.
 *
 * @module
 */
import { EXIT_CODES } from './exit-codes.ts'
import { processIo } from './io.ts'
import { watchOutput } from './output.ts'
import { runCli } from './program.ts'

const output = watchOutput(process)
const code = await runCli(process.argv.slice(2), processIo())
if (code !== EXIT_CODES.ok.code || !output.isClosed()) process.exitCode = code
