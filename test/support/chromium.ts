// A real browser for tests: Chromium from npm on Linux x64, elsewhere the one that CHROME_PATH names.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { type Browser, chromium } from 'playwright-core'

const run = promisify(execFile)
const PACKAGE = '@sparticuz/chromium'
const FLAGS = ['--disable-gpu', '--no-zygote']

/** False: tests that need a browser are skipped. */
export const HAS_BROWSER =
  process.env.CHROME_PATH !== undefined || (process.platform === 'linux' && process.arch === 'x64')

export async function launchBrowser(): Promise<Browser> {
  const { CHROME_PATH } = process.env
  const { executablePath, env } = CHROME_PATH ? { executablePath: CHROME_PATH, env: {} } : await unpack()
  return chromium.launch({
    executablePath,
    env: { ...process.env, ...env } as Record<string, string>,
    args: FLAGS,
  })
}

/** The package holds the browser compressed; it is unpacked once, beside the packages, in some five seconds. */
async function unpack(): Promise<{ executablePath: string; env: Record<string, string> }> {
  const require = createRequire(import.meta.url)
  const packageFolder = join(dirname(require.resolve(PACKAGE)), '..')
  const { version } = require(join(packageFolder, 'package.json')) as { version: string }
  const folder = join(packageFolder, '..', '..', '.cache', `chromium-${version}`)
  if (!existsSync(folder)) {
    const draft = `${folder}.${process.pid}`
    await mkdir(draft, { recursive: true })
    // It unpacks into the folder for temporary files, and its libraries only where it thinks that it is in a cloud.
    const env = { ...process.env, TMPDIR: draft, AWS_LAMBDA_JS_RUNTIME: 'nodejs24.x' }
    const program = `import chromium from '${PACKAGE}'; await chromium.executablePath()`
    const options = { cwd: import.meta.dirname, env }
    await run(process.execPath, ['--input-type=module', '--eval', program], options)
    // Another test file may have been faster.
    await rename(draft, folder).catch(() => rm(draft, { recursive: true }))
  }
  const executablePath = join(folder, 'chromium')
  const starts = await run(executablePath, ['--version']).then(
    () => true,
    () => false,
  )
  // A machine without the libraries that every desktop has: those of the package.
  return { executablePath, env: starts ? {} : { LD_LIBRARY_PATH: join(folder, 'al2023', 'lib') } }
}
