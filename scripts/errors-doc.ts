// Writes docs/errors.md from the one error table, so that no code is without its page. --check compares.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { errorTable } from '../protocol/errors/index.ts'

const TARGET = join(import.meta.dirname, '..', 'docs', 'errors.md')

const DOMAINS: Record<string, string> = {
  WIRE: 'Frames and messages',
  RLN: 'Rate-limiting proofs',
  CIRCUITS: 'Circuit artifacts',
  ZK: 'Proof workers',
  RELAY: 'Relay',
  LIGHT: 'Lightpush and filter',
  STORE: 'Store',
  PAYMENT: 'Payments',
  CHAIN: 'Chain',
  CLIENT: 'Client',
  CORE: 'Node core',
  CONFIG: 'Configuration',
  KEYS: 'Keys',
  API: 'HTTP API',
  CLI: 'Command line',
}

function render(): string {
  const lines = [
    '# Errors',
    '',
    'Every error of Postrider has a stable code. Programs branch on the code, never on the text; a retired code is',
    'never used again. "Retry" says whether the same call can succeed later without a change. Nodes count each code',
    'in `postrider_error_total{code}`.',
  ]
  const known = Object.entries(errorTable)
  for (const [prefix, title] of Object.entries(DOMAINS)) {
    const rows = known.filter(([code]) => code.startsWith(`${prefix}_`))
    if (rows.length === 0) continue
    lines.push('', `## ${title}`)
    for (const [code, entry] of rows) {
      lines.push('', `### ${code}`, '', `${entry.title}`, '', `- Retry: ${entry.retryable ? 'yes' : 'no'}`)
      lines.push(`- What to do: ${entry.fix}`)
      if ('http' in entry && entry.http !== undefined) lines.push(`- HTTP status: ${entry.http}`)
    }
  }
  const homeless = known.filter(
    ([code]) => !Object.keys(DOMAINS).some((prefix) => code.startsWith(`${prefix}_`)),
  )
  if (homeless.length > 0)
    throw new TypeError(`codes without a domain: ${homeless.map(([code]) => code).join(', ')}`)
  return `${lines.join('\n')}\n`
}

const text = render()
if (process.argv.includes('--check')) {
  const current = existsSync(TARGET) ? readFileSync(TARGET, 'utf8') : ''
  if (current !== text) {
    process.stderr.write('docs/errors.md is stale: node scripts/errors-doc.ts\n')
    process.exitCode = 1
  }
} else {
  writeFileSync(TARGET, text)
}
