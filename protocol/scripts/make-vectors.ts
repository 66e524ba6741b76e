// Remakes protocol/vectors, or with --check compares it with what the code gives. Zero-knowledge proofs are random:
// those in the committed files are used again as long as they verify, so that nothing changes without a reason.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { toJson, type VectorFile } from './vectors/format.ts'
import { breachVectors, whole } from './vectors/messages.ts'
import { paymentVectors } from './vectors/payment.ts'
import { createProofSource, type ProofStore } from './vectors/proofs.ts'
import { rlnVectors } from './vectors/rln.ts'
import { messageVectors, topicVectors } from './vectors/wire.ts'

const DIRECTORY = join(import.meta.dirname, '..', 'vectors')
const WHOLE_MESSAGES = 'rln-messages.json'

const committed = (name: string) => {
  const path = join(DIRECTORY, name)
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}

async function provenFiles(): Promise<Record<string, VectorFile>> {
  const before = committed(WHOLE_MESSAGES)
  const known = before === '' ? {} : (JSON.parse(before) as { proofs: ProofStore }).proofs
  const { proofOf, verify, used, close } = await createProofSource(known)
  try {
    const breach = await breachVectors(proofOf, verify)
    const messages = await whole(proofOf, verify, used)
    return { 'breach.json': breach, [WHOLE_MESSAGES]: messages }
  } finally {
    await close()
  }
}

async function main(): Promise<void> {
  const files: Record<string, VectorFile> = {
    'message.json': messageVectors(),
    'topics.json': topicVectors(),
    'rln.json': rlnVectors(),
    'payment.json': paymentVectors(),
    ...(await provenFiles()),
  }
  mkdirSync(DIRECTORY, { recursive: true })
  for (const [name, file] of Object.entries(files)) {
    const text = toJson(file)
    if (text === committed(name)) continue
    if (process.argv.includes('--check')) {
      console.error(`protocol/vectors/${name} is stale: node protocol/scripts/make-vectors.ts`)
      process.exitCode = 1
    } else {
      writeFileSync(join(DIRECTORY, name), text)
      console.log(`wrote protocol/vectors/${name}`)
    }
  }
}

await main()
