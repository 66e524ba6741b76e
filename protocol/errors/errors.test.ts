import { describe, expect, it } from 'vitest'
import { errorSections, errorTable, isPostriderError, PostriderError } from './index.ts'

describe('error table', () => {
  it('lists every code of every section once, and no prefix in two sections', () => {
    const owner = new Map<string, string>()
    const codes: string[] = []
    for (const [domain, section] of Object.entries(errorSections)) {
      for (const code of Object.keys(section)) {
        const prefix = code.slice(0, code.indexOf('_'))
        expect(owner.get(prefix) ?? domain, code).toBe(domain)
        owner.set(prefix, domain)
        codes.push(code)
      }
    }
    expect(new Set(codes).size).toBe(codes.length)
    expect(Object.keys(errorTable).sort()).toEqual(codes.sort())
  })

  it('gives every code a title without a full stop and a fix with one', () => {
    for (const [code, entry] of Object.entries(errorTable)) {
      expect(entry.title, code).toMatch(/[^.]$/)
      expect(entry.fix, code).toMatch(/\.$/)
    }
  })
})

describe('PostriderError', () => {
  it('carries code, retryability, fix, data and cause', () => {
    const cause = new Error('inner')
    const error = new PostriderError('PAYMENT_REQUIRED', { detail: 'needs 5', data: { total: '5' }, cause })
    expect(error.message).toBe('The account does not cover this request: needs 5')
    expect(error).toMatchObject({ code: 'PAYMENT_REQUIRED', retryable: true, data: { total: '5' }, cause })
    expect(Object.isFrozen(error.data)).toBe(true)
  })

  it('recognises its own kind and nothing else', () => {
    expect(isPostriderError(new PostriderError('WIRE_MALFORMED'))).toBe(true)
    expect(isPostriderError(new Error('WIRE_MALFORMED'))).toBe(false)
    expect(isPostriderError(Object.assign(new Error(), { name: 'PostriderError', code: 'toString' }))).toBe(
      false,
    )
    expect(isPostriderError({ code: 'WIRE_MALFORMED' })).toBe(false)
  })
})
