// The whole client library in a page: it joins a network of real processes by WebSocket and JSON-RPC.
import type { Network } from '@postrider/protocol/network'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { generatePrivateKey, privateKeyToAddress } from 'viem/accounts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Scenes } from '../client/browser/testing/page/main.ts'
import { POST } from '../devnet/treasury.ts'
import { HAS_BROWSER, launchBrowser } from './support/chromium.ts'
import { useTestNetwork } from './support/network.ts'
import { PAGE, play, type Site, startSite } from './support/page.ts'

const TOPIC = '/browser/1/room/utf8'
const LIMIT = 8
/** Ids are counted in epochs: as long as they may be. */
const DAY_SECONDS = 86_400

describe.skipIf(!HAS_BROWSER)('the client in a browser', () => {
  const net = useTestNetwork({ change: { epochSeconds: DAY_SECONDS } })
  const privateKey = generatePrivateKey()
  let site: Site
  let browser: Browser
  let context: BrowserContext
  let page: Page
  let first: bigint | undefined

  beforeAll(async () => {
    ;[site, browser] = await Promise.all([startSite(PAGE), launchBrowser()])
    context = await browser.newContext()
    await net.treasury.grant(privateKeyToAddress(privateKey), 10n * POST)
  })
  afterAll(async () => {
    await browser?.close()
    await site?.close()
  })

  const openPage = async () => {
    page = await context.newPage()
    await page.goto(site.url)
  }
  const join = () => {
    const { network } = net.devchain
    return play<Scenes, 'join'>(page, 'join', {
      network: network satisfies Network,
      privateKey,
      limit: LIMIT,
    })
  }

  it('registers, publishes with a proof of its own, and receives it from the node', async () => {
    await openPage()
    const { before, stages } = await join()
    expect(before).not.toBe('active')
    expect(stages).toEqual(expect.arrayContaining(['fetching', 'preparing']))
    const said = await play<Scenes, 'say'>(page, 'say', TOPIC, 'hello from a page')
    expect(said).toMatchObject({ received: said.sent, proof: 'valid', rlnRemaining: LIMIT - 1 })
    first = said.epoch
    expect(said.node).toBe(net.operators[0]?.peerId)
  })

  it('is the same member after the page is gone, and goes on with the next message id', async () => {
    await page.close()
    await openPage()
    expect(await join()).toMatchObject({ before: 'active' })
    const said = await play<Scenes, 'say'>(page, 'say', TOPIC, 'hello again')
    const used = said.epoch === first ? 2 : 1
    expect(said).toMatchObject({ received: said.sent, rlnRemaining: LIMIT - used })
    await play<Scenes, 'leave'>(page, 'leave')
  })
})
