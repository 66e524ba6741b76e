// The prover and the storage in a real browser, in a page as an application would build it.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DEFAULT_ARTIFACTS_DIR, loadArtifacts } from '@postrider/circuits'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { expectedSignals, memberInputs } from '../../circuits/testing/member.ts'
import { verifyWithSnarkjs } from '../../circuits/testing/reference.ts'
import { HAS_BROWSER, launchBrowser } from '../../test/support/chromium.ts'
import { PAGE, play, type Site, startSite } from '../../test/support/page.ts'
import type { Scenes } from './testing/page/main.ts'

const vectors = JSON.parse(
  readFileSync(new URL('../../protocol/vectors/breach.json', import.meta.url), 'utf8'),
)
const isKeyFile = (path: string) => /\.(zkey|wasm)$|verification_key/.test(path)

describe.skipIf(!HAS_BROWSER)('in a browser', () => {
  let site: Site
  let browser: Browser
  let context: BrowserContext
  let page: Page
  const problems: string[] = []

  const openPage = async (): Promise<Page> => {
    const opened = await context.newPage()
    opened.on('pageerror', (error) => problems.push(String(error)))
    opened.on('console', (message) => message.type() === 'error' && problems.push(message.text()))
    await opened.goto(site.url)
    return opened
  }
  const keyRequests = () => site.requests().filter(isKeyFile)

  beforeAll(async () => {
    ;[site, browser] = await Promise.all([startSite(PAGE), launchBrowser()])
  })
  afterAll(async () => {
    await browser?.close()
    await site?.close()
  })
  beforeEach(async () => {
    problems.length = 0
    site.requests()
    context = await browser.newContext()
    page = await openPage()
  })
  afterEach(() => context.close())

  describe('the prover', () => {
    it('proves in a worker what snarkjs and our verifier accept, and tells how it goes on', async () => {
      const inputs = memberInputs()
      const { results, verified, progress, ms } = await play<Scenes, 'prove'>(page, 'prove', inputs)
      const { verificationKey, manifest } = await loadArtifacts()
      expect(verified).toEqual([true, true, true])
      for (const { proof, signals } of results) {
        expect(signals).toEqual(expectedSignals(inputs))
        expect(await verifyWithSnarkjs(verificationKey, proof, signals)).toBe(true)
      }
      // Fresh randomness each time, made ahead or not.
      expect(new Set(results.map(({ proof }) => proof.join())).size).toBe(results.length)
      const stages = progress.map(({ stage }) => stage)
      expect(new Set(stages)).toEqual(new Set(['fetching', 'checking', 'preparing', 'proving']))
      expect(stages.lastIndexOf('fetching')).toBeLessThan(stages.indexOf('preparing'))
      expect(stages.lastIndexOf('preparing')).toBeLessThan(stages.indexOf('proving'))
      const bytes = manifest.files['rln.zkey']!.bytes + manifest.files['rln.wasm']!.bytes
      const fetched = progress.filter(({ stage }) => stage === 'fetching').at(-1)
      expect(fetched?.done).toBe(fetched?.total)
      expect(fetched?.done).toBeGreaterThanOrEqual(bytes)
      expect(problems).toEqual([])
      expect(Object.values(ms).every((one) => one > 0)).toBe(true)
    })

    it('takes the key from IndexedDB after a reload, without a request, and fetches a damaged one anew', async () => {
      expect(await play<Scenes, 'load'>(page, 'load')).toMatchObject({ failure: undefined })
      const fetched = keyRequests()
      expect(fetched.length).toBeGreaterThanOrEqual(2)
      await page.reload()
      const { stages, failure } = await play<Scenes, 'load'>(page, 'load')
      expect({ stages, failure }).toEqual({ stages: ['checking', 'preparing'], failure: undefined })
      expect(keyRequests()).toEqual([])
      expect(await play<Scenes, 'damageKeys'>(page, 'damageKeys')).toBeGreaterThanOrEqual(2)
      for (const requests of [fetched, []]) {
        expect(await play<Scenes, 'load'>(page, 'load')).toMatchObject({ failure: undefined })
        expect(keyRequests().toSorted()).toEqual(requests.toSorted())
      }
    })

    it('stops the transfer or the work when it is aborted, and works on', async () => {
      const cut = site.stall(/\.zkey$/)
      // More than the other files together: some of it is of the one that is stalled.
      const { manifest } = await loadArtifacts()
      const least = manifest.files['rln.wasm']!.bytes + manifest.files['verification_key.json']!.bytes
      // Another member each time: seconds of work, of which the abort leaves the end undone.
      const inputs = [1n, 2n, 3n, 4n].map((identitySecret) => memberInputs({ identitySecret }))
      const outcomes = await play<Scenes, 'abort'>(page, 'abort', inputs, least)
      expect(outcomes).toMatchObject({ fetching: ['CLIENT_ABORTED'], verified: true })
      expect(outcomes.proving.at(-1)).toBe('CLIENT_ABORTED')
      await cut
    })

    it('takes keys of one’s own by URL and hash, and no others', async () => {
      const files = ['manifest.json', 'rln.wasm', 'rln.zkey', 'verification_key.json']
      for (const name of files)
        site.override(`/keys/${name}`, readFileSync(join(DEFAULT_ARTIFACTS_DIR, name)))
      const manifest = readFileSync(join(DEFAULT_ARTIFACTS_DIR, 'manifest.json'))
      const manifestSha256 = createHash('sha256').update(manifest).digest('hex')
      const own = { url: '/keys', manifestSha256 }
      expect(await play<Scenes, 'load'>(page, 'load', own)).toMatchObject({ failure: undefined })
      expect(site.requests()).toEqual(expect.arrayContaining(files.map((name) => `/keys/${name}`)))
      const other = { ...own, manifestSha256: '11'.repeat(32) }
      expect((await play<Scenes, 'load'>(page, 'load', other)).failure).toBe('CIRCUITS_ARTIFACT_MISMATCH')
      const missing = { ...own, url: '/nowhere' }
      // The manifest is known by its hash already, so nothing is asked of a server that has nothing.
      expect((await play<Scenes, 'load'>(page, 'load', missing)).failure).toBeUndefined()
    })

    it('judges evidence of a breach', async () => {
      const cases = vectors.cases as { bytes: string; result?: { secret: string }; error?: string }[]
      const evidence = cases.map(({ bytes }) => bytes)
      const verdicts = await play<Scenes, 'judge'>(page, 'judge', evidence, vectors.network)
      expect(verdicts).toEqual(cases.map(({ result, error }) => result?.secret ?? error))
    })
  })

  describe('the storage', () => {
    it('keeps the storage contract', async () => {
      const names = await play<Scenes, 'contract'>(page, 'contract')
      expect(names.length).toBeGreaterThan(5)
      for (const name of names) await play<Scenes, 'keepsContract'>(page, 'keepsContract', name)
    })

    it('keeps its records when the page is gone', async () => {
      await play<Scenes, 'write'>(page, 'write', 'own', 'key', 5)
      await page.close()
      page = await openPage()
      await play<Scenes, 'write'>(page, 'write', 'own', 'other', 6)
      const read = await play<Scenes, 'read'>(page, 'read', 'own', 'key')
      expect(read).toEqual({ value: Uint8Array.of(5), log: [5, 6] })
    })

    it('keeps all of a batch or nothing', async () => {
      const { failure, first } = await play<Scenes, 'failHalfway'>(page, 'failHalfway', 'half')
      expect(failure).toBe('CLIENT_STORAGE_FAILED')
      expect(first).toBeUndefined()
    })

    it('takes nothing more when the user clears the data of the site, and lets a new client begin', async () => {
      expect(await play<Scenes, 'occupy'>(page, 'occupy', 'cleared')).toBe('open')
      expect(await play<Scenes, 'writeOccupied'>(page, 'writeOccupied')).toBe('written')
      const devTools = await context.newCDPSession(page)
      await devTools.send('Storage.clearDataForOrigin', {
        origin: new URL(site.url).origin,
        storageTypes: 'indexeddb',
      })
      expect(await play<Scenes, 'writeOccupied'>(page, 'writeOccupied')).toBe('CLIENT_STORAGE_FAILED')
      await play<Scenes, 'whenUnlocked'>(page, 'whenUnlocked')
      expect((await play<Scenes, 'read'>(page, 'read', 'cleared', 'key')).value).toBeUndefined()
    })

    it('lets one client in at a time, over all tabs, and the next when a tab has crashed', async () => {
      const other = await openPage()
      expect(await play<Scenes, 'occupy'>(page, 'occupy', 'shared')).toBe('open')
      const late = [page, other].map((tab) => play<Scenes, 'occupy'>(tab, 'occupy', 'shared'))
      expect(await Promise.all(late)).toEqual(['CLIENT_STORAGE_IN_USE', 'CLIENT_STORAGE_IN_USE'])
      const [free] = await Promise.all([
        play<Scenes, 'whenUnlocked'>(other, 'whenUnlocked'),
        page.waitForEvent('crash'),
        page.goto('chrome://crash').catch(() => undefined),
      ])
      expect(free).toBe(1)
      expect(await play<Scenes, 'occupy'>(other, 'occupy', 'shared')).toBe('open')
    })
  })
})
