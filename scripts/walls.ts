// Which of our folders, and which npm packages, each folder imports. TypeScript's project references stop
// an import across a wall at compile time; this also stops tests-only or undeclared packages in shipped code.
import { readdirSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join, relative, resolve } from 'node:path'

const ROOT = join(import.meta.dirname, '..')

type Wall = { ours: string[]; packageJson: string; builtins: boolean }

/** Folder → what it may import. A folder's files belong to its longest match here. */
const WALLS: Record<string, Wall> = {
  protocol: { ours: [], packageJson: 'protocol', builtins: false },
  contracts: { ours: [], packageJson: 'contracts', builtins: false },
  'circuits/engine': { ours: ['protocol'], packageJson: 'circuits', builtins: false },
  circuits: { ours: ['protocol', 'circuits/engine'], packageJson: 'circuits', builtins: true },
  'node/core': { ours: ['protocol'], packageJson: 'node', builtins: true },
  'node/chain': { ours: ['protocol', 'contracts', 'node/core'], packageJson: 'node', builtins: true },
  'node/zk': {
    ours: ['protocol', 'circuits', 'circuits/engine', 'node/core'],
    packageJson: 'node',
    builtins: true,
  },
  'node/relay': { ours: ['protocol', 'node/core'], packageJson: 'node', builtins: true },
  'node/store': { ours: ['protocol', 'node/core'], packageJson: 'node', builtins: true },
  'node/light': { ours: ['protocol', 'node/core'], packageJson: 'node', builtins: true },
  'node/payments': { ours: ['protocol', 'node/core'], packageJson: 'node', builtins: true },
  'node/api': { ours: ['protocol', 'node/core'], packageJson: 'node', builtins: true },
  'node/cli': {
    ours: [
      'protocol',
      'contracts',
      'circuits',
      'circuits/engine',
      'node',
      'node/core',
      'node/chain',
      'node/api',
    ],
    packageJson: 'node',
    builtins: true,
  },
  node: {
    ours: ['protocol', 'contracts', 'circuits', 'circuits/engine', ...nodeParts()],
    packageJson: 'node',
    builtins: true,
  },
  'client/browser': {
    ours: ['protocol', 'contracts', 'circuits', 'circuits/engine', 'client'],
    packageJson: 'client',
    builtins: false,
  },
  'client/node': {
    ours: ['protocol', 'contracts', 'circuits', 'circuits/engine', 'client'],
    packageJson: 'client',
    builtins: true,
  },
  client: { ours: ['protocol', 'contracts', 'circuits/engine'], packageJson: 'client', builtins: false },
}

/** Imported by generated code only, which this script does not read. */
const USED_BY_GENERATED_CODE = new Set(['@prisma/client'])

const NOT_SHIPPED = /(^|\/)(node_modules|scripts|testing|test|ignition|\.hardhat|generated)(\/|$)|\.test\.ts$/
const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s[^'"`;]*?from\s+'([^']+)'|(?:^|\n)\s*import\s+'([^']+)'|import\('([^']+)'\)/g

const problems: string[] = []
for (const file of sourceFiles()) {
  const folder = folderOf(file)
  if (folder === undefined) continue
  for (const specifier of importsOf(file)) {
    const problem = judge(file, folder, specifier)
    if (problem !== undefined) problems.push(`${file}: imports ${specifier}: ${problem}`)
  }
}
for (const workspace of new Set(Object.values(WALLS).map(({ packageJson }) => packageJson))) {
  for (const name of unused(workspace)) problems.push(`${workspace}/package.json: nothing imports ${name}`)
}
process.stdout.write(problems.map((line) => `${line}\n`).join(''))
process.exitCode = problems.length === 0 ? 0 : 1

function judge(file: string, folder: string, specifier: string): string | undefined {
  const wall = WALLS[folder] as Wall
  if (specifier.startsWith('.')) {
    const target = folderOf(relative(ROOT, resolve(ROOT, dirname(file), specifier)))
    return target === undefined || target === folder || wall.ours.includes(target)
      ? undefined
      : `wall to ${target}`
  }
  if (specifier.startsWith('node:') || builtinModules.includes(specifier)) {
    return wall.builtins ? undefined : 'a Node module in browser-safe code'
  }
  if (specifier.startsWith('@postrider/')) {
    const target = folderOf(`${specifier.slice('@postrider/'.length)}/index.ts`)
    return target === folder || (target !== undefined && wall.ours.includes(target))
      ? undefined
      : `wall to ${target}`
  }
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
  return declared(wall.packageJson).has(name) ? undefined : `not in ${wall.packageJson}/package.json`
}

function declared(workspace: string): Set<string> {
  const text = readFileSync(join(ROOT, workspace, 'package.json'), 'utf8')
  const manifest = JSON.parse(text) as Record<string, Record<string, string> | undefined>
  return new Set([
    ...Object.keys(manifest.dependencies ?? {}),
    ...Object.keys(manifest.peerDependencies ?? {}),
  ])
}

/** Declared packages whose name stands in no source file of the workspace. */
function unused(workspace: string): string[] {
  const sources = sourceFiles([workspace]).map((file) => readFileSync(join(ROOT, file), 'utf8'))
  return [...declared(workspace)].filter(
    (name) => !USED_BY_GENERATED_CODE.has(name) && !sources.some((source) => source.includes(`'${name}`)),
  )
}

function folderOf(file: string): string | undefined {
  const normal = file.replaceAll('\\', '/')
  const matches = Object.keys(WALLS).filter((folder) => normal.startsWith(`${folder}/`))
  return matches.sort((a, b) => b.length - a.length)[0]
}

function sourceFiles(folders?: string[]): string[] {
  const top = folders ?? [...new Set(Object.keys(WALLS).map((folder) => folder.split('/')[0] as string))]
  return top.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .map((name) => `${folder}/${name}`)
      .filter((name) => name.endsWith('.ts') && !NOT_SHIPPED.test(name)),
  )
}

function importsOf(file: string): string[] {
  const source = readFileSync(join(ROOT, file), 'utf8')
  return [...source.matchAll(IMPORT)].map((match) => (match[1] ?? match[2] ?? match[3]) as string)
}

function nodeParts(): string[] {
  return ['core', 'chain', 'zk', 'relay', 'store', 'light', 'payments', 'api', 'cli'].map(
    (part) => `node/${part}`,
  )
}
