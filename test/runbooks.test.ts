// The runbooks as an operator under pressure would use them: their commands exist, and backup, restore, the change of an
// identity and leaving do to a real node what they say, letter by letter.
import { execFile } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { errorTable } from '@postrider/protocol/errors'
import { describe, expect, it } from 'vitest'
import { channelsOf, readEvents, sum, units, until } from '../devnet/figures.ts'
import type { Operator } from '../devnet/operators.ts'
import { createPerson } from '../devnet/people.ts'
import { ROOT } from '../devnet/processes.ts'
import { configSchema } from '../node/core/config/schema.ts'
import { useTestNetwork } from './support/network.ts'

const run = promisify(execFile)
const RUNBOOKS = join(ROOT, 'docs', 'runbooks')
const PATIENCE_MS = 60_000
const TOPIC = '/runbooks/1/room/utf8'

const read = (name: string) => readFileSync(join(RUNBOOKS, name), 'utf8')

/** The shell blocks of a runbook, in order, without comments. */
function blocksOf(name: string): string[] {
  return [...read(name).matchAll(/^ *(?:\d\. )?```sh\n([\s\S]*?)^ *```/gm)].map(([, block = '']) =>
    block.replaceAll(/(^|\s)# .*$/gm, '').replaceAll(/^ +/gm, ''),
  )
}

describe('every postrider command of a runbook', () => {
  const reference = readFileSync(join(ROOT, 'docs', 'cli.md'), 'utf8')
  const [general = '', ...sections] = reference.split(/^### postrider /m)
  const options = (text: string) => new Set(text.match(/--[a-z][a-z-]*/g))
  const commands = new Map(sections.map((text) => [text.split('\n')[0] ?? '', options(text)]))

  const used = readdirSync(RUNBOOKS).flatMap((name) =>
    [...read(name).matchAll(/(?<![\w/])postrider ((?:--data-dir \S+ )?[a-z][^`\n#]*)/g)].map(
      ([, words = '']) => ({ name, line: words.replace(/^--data-dir \S+ /, '').trim() }),
    ),
  )

  it('exists, with its options', () => {
    expect(used.length).toBeGreaterThan(30)
    const unknown = used.filter(({ line }) => {
      const command = [...commands.keys()].find((known) => `${line} `.startsWith(`${known} `))
      const wanted = line.match(/--[a-z][a-z-]*/g) ?? []
      return !command || wanted.some((one) => !commands.get(command)?.has(one) && !options(general).has(one))
    })
    expect(unknown).toEqual([])
  })
})

describe('every name in a runbook', () => {
  const text = readdirSync(RUNBOOKS).map(read).join('\n')
  const found = (pattern: RegExp) => [...new Set([...text.matchAll(pattern)].map(([, name = '']) => name))]

  it('of an error exists', () => {
    const codes = found(/`((?:CHAIN|PAYMENT|CORE|RLN|KEYS|CLI|API)_[A-Z_]+[A-Z])`/g)
    expect(codes.length).toBeGreaterThan(8)
    expect(codes.filter((code) => !(code in errorTable))).toEqual([])
  })

  it('of a route of the API exists', () => {
    const { paths } = JSON.parse(readFileSync(join(ROOT, 'node', 'api', 'openapi.json'), 'utf8'))
    expect(found(/`(\/v1\/[a-z/-]+)`/g).filter((path) => !(path in paths))).toEqual([])
  })

  it('of a setting exists', () => {
    const settings = found(/`((?:chain|redeem)\.[a-zA-Z]+)`/g)
    expect(settings.length).toBeGreaterThan(3)
    const { chain, redeem } = configSchema.shape
    const known = Object.entries({ chain, redeem }).flatMap(([section, schema]) =>
      Object.keys(schema.unwrap().shape).map((key) => `${section}.${key}`),
    )
    expect(settings.filter((name) => !known.includes(name))).toEqual([])
  })
})

describe('a node', () => {
  const net = useTestNetwork()

  /** A shell in the folder that holds the node's, with `postrider` on its path, as in the runbooks. */
  async function shell(node: Operator, script: string): Promise<string> {
    const bin = join(net.directory, 'bin')
    const program = join(ROOT, 'node', 'cli', 'main.ts')
    mkdirSync(bin, { recursive: true })
    writeFileSync(
      join(bin, 'postrider'),
      `#!/bin/sh\nexec '${process.execPath}' '${program}' --yes --no-input "$@"\n`,
    )
    chmodSync(join(bin, 'postrider'), 0o755)
    const { stdout, stderr } = await run('sh', ['-ec', script], {
      cwd: folderOf(node),
      env: { ...process.env, PATH: `${bin}:${process.env.PATH}`, POSTRIDER_PASSWORD_FILE: passwordOf(node) },
    })
    return stdout + stderr
  }

  const folderOf = ({ name }: Operator) => {
    const folder = join(net.directory, `home of ${name}`)
    mkdirSync(folder, { recursive: true })
    return folder
  }

  /** Outside the data folder, as it should be. */
  const passwordOf = (node: Operator) => join(folderOf(node), 'password')

  it('comes back from a backup with its money, and under a new identity', async () => {
    const node = net.operators[0] as Operator
    const [home, password] = [folderOf(node), join(node.directory, 'password')]
    writeFileSync(passwordOf(node), readFileSync(password), { mode: 0o600 })
    symlinkSync(node.directory, join(home, '.postrider'))
    const alice = await createPerson(net, 'alice')
    const publish = (text: string) =>
      alice.client.publish({ contentTopic: TOPIC, payload: new TextEncoder().encode(text) }).receipt
    const paid = () => alice.client.channels.list()[0]?.paid ?? 0n
    const agree = async () =>
      sum((await channelsOf(node)).map((channel) => units(channel.paid))) === paid() && paid() > 0n

    await publish('before the backup')
    await until('the node has what was paid', PATIENCE_MS, agree)
    const [backup = '', restore = ''] = blocksOf('restore-from-backup.md')
    expect(await shell(node, backup)).toContain('copied')
    for (const text of ['after', 'the', 'backup']) await publish(text)
    const owed = paid()

    // The disk is gone; the password was kept elsewhere.
    await node.kill()
    renameSync(node.directory, `${node.directory} lost`)
    renameSync(join(home, '.postrider'), join(home, 'link'))
    await shell(node, restore.replace('postrider doctor', 'postrider doctor || true'))
    renameSync(join(home, '.postrider'), node.directory)
    renameSync(join(home, 'link'), join(home, '.postrider'))
    writeFileSync(password, readFileSync(passwordOf(node)), { mode: 0o600 })
    await node.start()
    // Until its channel is bound again, the free allowance pays.
    await until('the channel pays again', PATIENCE_MS, async () => {
      await publish('to the restored node')
      return paid() > owed
    })
    await until('the node has again what was paid', PATIENCE_MS, agree)

    // A new identity, and the channel goes on.
    await node.stop()
    const [change = ''] = blocksOf('key-loss.md').filter((block) => block.includes('identity.old'))
    const said = await shell(node, change.replace('postrider run', ''))
    expect(said).toContain('going on with the keystore that is there')
    const { peerId } = JSON.parse(await shell(node, 'postrider --json keys show')) as { peerId: string }
    expect(peerId).not.toBe(node.peerId)
    await node.start()

    // The operator leaves: the channel ends with its last claim.
    const owing = paid()
    await alice.client.close()
    const [, close = ''] = blocksOf('leaving.md')
    await shell(node, close)
    const { settled } = await readEvents(net.devchain.network, net.treasury)
    expect(sum(settled.map(({ args }) => args.amount))).toBe(owing)
    await until('the node sees the end of the channel', PATIENCE_MS, async () =>
      (await channelsOf(node)).every(
        (channel) => channel.state === 'closed' && units(channel.settled) === owing,
      ),
    )
  })
})
