import { PostriderError } from '@postrider/protocol/errors'
import { describe, expect, it } from 'vitest'
import { createMemoryLogger } from './testing/memory-logger.ts'

describe('logger', () => {
  it('never writes a secret', () => {
    const logger = createMemoryLogger()
    const secret = 'hunter2'
    logger.info({ password: secret, account: { privateKey: secret, deep: { token: secret } } }, 'started')
    logger.child({ rpcUrls: [`https://rpc.example/${secret}`] }).warn({ wallet: { seed: secret } }, 'again')
    expect(JSON.stringify(logger.lines)).not.toContain(secret)
    expect(logger.lines[0]).toMatchObject({ level: 'info', msg: 'started', password: '[redacted]' })
  })

  it('prints amounts, bytes and errors with their cause', () => {
    const logger = createMemoryLogger()
    const err = new PostriderError('CHAIN_REVERTED', {
      data: { amount: 2n ** 100n },
      cause: new TypeError('inner'),
    })
    logger.error({ err, id: Uint8Array.of(1, 255), list: [1n] }, 'failed')
    expect(logger.lines[0]).toMatchObject({
      err: { code: 'CHAIN_REVERTED', data: { amount: (2n ** 100n).toString() }, cause: { message: 'inner' } },
      id: '01ff',
      list: ['1'],
    })
  })
})
