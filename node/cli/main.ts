/**
 * The command line of a node: `postrider`. See README.md and docs/cli.md.
 *
 * @module
 */
import { processIo } from './io.ts'
import { runCli } from './program.ts'

process.exitCode = await runCli(process.argv.slice(2), processIo())
