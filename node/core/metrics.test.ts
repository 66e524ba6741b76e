import { describe, expect, it } from 'vitest'
import { createMetrics } from './metrics.ts'

describe('metrics', () => {
  it('prefixes names and keeps each node to itself', async () => {
    const [one, two] = [createMetrics(), createMetrics()]
    one.counter('messages_total', { help: 'messages', labels: ['verdict'] }).inc({ verdict: 'accept' }, 3)
    two.counter('messages_total', { help: 'messages', labels: ['verdict'] }).inc({ verdict: 'accept' })
    one.gauge('peers', { help: 'peers', collect: (gauge) => gauge.set(4) })
    one.error('CHAIN_REVERTED')
    const text = await one.text()
    expect(text).toContain('postrider_messages_total{verdict="accept"} 3')
    expect(text).toContain('postrider_peers 4')
    expect(text).toContain('postrider_error_total{code="CHAIN_REVERTED"} 1')
    expect(await two.text()).toContain('postrider_messages_total{verdict="accept"} 1')
  })

  it('refuses labels that would grow without bound', () => {
    const metrics = createMetrics()
    expect(() => metrics.counter('x_total', { help: 'x', labels: ['peer'] })).toThrowError(/label/)
  })
})
