import { resolve } from 'node:path'
import type { ArtifactSource } from '@postrider/circuits'
import { PostriderError } from '@postrider/protocol/errors'
import type { Network } from '@postrider/protocol/network'
import type { VerifiedBreach } from '@postrider/protocol/rln'
import type { Command } from 'commander'
import type { z } from 'zod'
import { slashCase, slashSummary } from '../../api/schemas/rln.ts'
import { writeFileAtomic } from '../../core/files.ts'
import { counted, post, time } from '../../operator/text.ts'
import { type Cli, encodeForJson, type Outcome, readInputFile, readNetworkFile } from '../cli.ts'
import { addCommand, addGroup, option, type Tree } from '../command.ts'
import { fields, type Style, sections, short, table } from '../render.ts'
import { openApi } from '../session.ts'

export function registerSlashCommands(tree: Tree, program: Command): void {
  const group = addGroup(program, 'slash', 'breaches of the rate limit and their evidence')

  addCommand(tree, group, {
    name: 'list',
    summary: 'breaches this node found, and what became of them',
    isDefault: true,
    run: async (cli) => {
      const cases = await (await openApi(cli)).list('/v1/slashing', slashSummary)
      return {
        data: { cases: cases.map((entry) => encodeForJson(slashSummary, entry)) },
        text: listText(cli.style, cases),
      }
    },
  })

  addCommand<{ evidence?: string }>(tree, group, {
    name: 'show <id>',
    summary: 'one case; --evidence writes what proves it to a file',
    options: [option('--evidence <file>', 'write the evidence there, for slash verify')],
    run: async (cli, [id = ''], { evidence }) => {
      const api = await openApi(cli)
      const found = await api.get(`/v1/slashing/${encodeURIComponent(id)}`, slashCase)
      if (evidence !== undefined) {
        await writeFileAtomic(resolve(cli.io.workingDir, evidence), found.evidence.bytes)
      }
      return { data: encodeForJson(slashCase, found), text: caseText(cli.style, found) }
    },
  })

  addCommand<{ network?: string; keys?: string }>(tree, group, {
    name: 'verify <file>',
    summary: 'check evidence on this machine alone: both proofs, one nullifier, two messages',
    details:
      'The file holds a postrider.v1.RlnBreach, or the JSON of a case as the API gives it. Nothing is sent anywhere. ' +
      'Exit code 0 means that the member with the printed commitment broke the rate limit; whether it was a member, ' +
      'the chain knows. The recovered secret is not printed.',
    options: [
      option('--network <file>', 'network file of the deployment (default: the one of the data folder)'),
      option(
        '--keys <dir>',
        "proving keys of that network (default: the node's; with --network, the repository's)",
      ),
    ],
    run: async (cli, [file = ''], { network, keys }) =>
      verify(cli, resolve(cli.io.workingDir, file), { network, keys }),
  })
}

type Against = { network: string | undefined; keys: string | undefined }

async function verify(cli: Cli, file: string, against: Against): Promise<Outcome> {
  const bytes = evidenceBytes(await readInputFile(file))
  const network = await networkOf(cli, against.network)
  const { secret: _, ...verdict } = await checkEvidence(bytes, network, await keysOf(cli, against))
  const { decodeBreach } = await import('@postrider/protocol/rln')
  const { pubsubTopic } = decodeBreach(bytes)
  const data = { valid: true, pubsubTopic, ...verdict }
  return {
    data,
    text: sections(
      `${cli.style.green('✓ valid')}: one member sent two messages with one nullifier; both proofs verify`,
      fields(cli.style, [
        ['commitment', verdict.commitment.toString()],
        ['epoch', verdict.epoch.toString()],
        ['topic', pubsubTopic],
        ['nullifier', verdict.nullifier.toString()],
      ]),
    ),
  }
}

async function networkOf(cli: Cli, file: string | undefined): Promise<Network> {
  if (file !== undefined) return readNetworkFile(resolve(cli.io.workingDir, file))
  return cli.loadNetwork(await cli.loadConfig())
}

/** The folder that is named, else the keys of this node, else those that came with it. */
async function keysOf(cli: Cli, { network, keys }: Against): Promise<ArtifactSource> {
  if (keys !== undefined) return { dir: resolve(cli.io.workingDir, keys) }
  if (network !== undefined) return {}
  const { zk } = await cli.loadConfig()
  return { dir: zk.keysDir, manifestSha256: zk.manifestSha256 }
}

/** The evidence itself, also out of a case in JSON. */
function evidenceBytes(content: Uint8Array): Uint8Array {
  const text = new TextDecoder().decode(content)
  if (!text.trimStart().startsWith('{')) return content
  try {
    return slashCase.shape.evidence.parse(JSON.parse(text).evidence).bytes
  } catch (cause) {
    throw new PostriderError('RLN_EVIDENCE_INVALID', {
      detail: 'the JSON holds no case with evidence',
      cause,
    })
  }
}

async function checkEvidence(
  bytes: Uint8Array,
  network: Network,
  keys: ArtifactSource,
): Promise<VerifiedBreach> {
  const { verifyBreach } = await import('@postrider/protocol/rln')
  const { loadArtifacts } = await import('@postrider/circuits')
  const { createVerifier } = await import('@postrider/circuits/engine')
  const { verificationKey } = await loadArtifacts(keys)
  const verifier = await createVerifier(verificationKey)
  try {
    return await verifyBreach(bytes, network, (proof, signals) => verifier.verify(proof, [...signals]))
  } finally {
    await verifier.close()
  }
}

function listText(style: Style, cases: readonly z.output<typeof slashSummary>[]): string {
  if (cases.length === 0) return 'This node found no breach.'
  const rows = cases.map(({ id, state, foundAt, commitment, reward, reason }) => [
    id,
    state,
    time(foundAt),
    short(commitment.toString()),
    reward === null ? '' : post(reward),
    reason?.text ?? '',
  ])
  return table(style, ['case', 'state', 'found', 'member', '>reward', 'reason'], rows)
}

function caseText(style: Style, shown: z.output<typeof slashCase>): string {
  return fields(style, [
    ['case', shown.id],
    ['state', shown.state],
    ['found', time(shown.foundAt)],
    ['commitment', shown.commitment.toString()],
    ['topic', shown.pubsubTopic],
    ['epoch', shown.epoch.toString()],
    ['commit', shown.commitTransaction ?? undefined],
    ['reveal', shown.revealTransaction ?? undefined],
    ['reward', shown.reward === null ? undefined : post(shown.reward)],
    ['burnt', shown.burnt === null ? undefined : post(shown.burnt)],
    ['reason', shown.reason ? `${shown.reason.text} (${shown.reason.code})` : undefined],
    ['evidence', `${counted(shown.evidence.bytes.length, 'byte')}; --evidence <file> writes it`],
  ])
}
