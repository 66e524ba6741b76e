import { PostriderError } from '@postrider/protocol/errors'
import { createEmitter } from './core/emitter.ts'
import { createEstimator } from './messages/estimate.ts'
import { queryHistory } from './messages/history.ts'
import { placeOf } from './messages/outgoing.ts'
import { checkOptions, type Settings } from './options.ts'
import { createParts, type Parts } from './parts.ts'
import type { Client, ClientEvents, ClientOptions, Platform } from './types.ts'
import { createClientChannels } from './wallet/client-channels.ts'

type Phase = 'new' | 'starting' | 'started' | 'closed'

/**
 * Creates a client. Nothing is opened, dialled or sent before `start`.
 *
 * @throws PostriderError `CLIENT_OPTION_INVALID`
 */
export function createClient(options: ClientOptions & { platform: Platform }): Client {
  const settings = checkOptions(options)
  const events = createEmitter<ClientEvents>()
  const closing = new AbortController()
  let phase: Phase = 'new'
  let parts: Parts | undefined
  let starting: Promise<void> | undefined

  const start = async () => {
    phase = 'starting'
    parts = await createParts(settings, events, closing.signal)
    await parts.start()
    if (phase === 'starting') phase = 'started'
  }
  /** The parts once they exist; most calls work only after `start` has resolved. */
  const use = (): Parts => {
    if (phase === 'closed') throw new PostriderError('CLIENT_CLOSED')
    if (!parts || phase !== 'started') throw new PostriderError('CLIENT_NOT_STARTED')
    return parts
  }

  return {
    async start() {
      if (phase === 'closed') throw new PostriderError('CLIENT_CLOSED')
      starting ??= start()
      await starting
    },
    async close() {
      if (phase === 'closed') return
      phase = 'closed'
      closing.abort(new PostriderError('CLIENT_CLOSED'))
      await starting?.catch(() => undefined)
      await parts?.stop()
      await settings.storage.close()
      events.clear()
    },
    ...createMessaging(settings, use),
    nodes: () => use().pool.list(),
    on: events.on,
    get membership() {
      return use().member
    },
    get channels() {
      return createClientChannels(use().money)
    },
    balances: () => createClientChannels(use().money).balances(),
  }
}

type Messaging = Pick<Client, 'publish' | 'estimate' | 'subscribe' | 'query' | 'budget'>

function createMessaging(settings: Settings, use: () => Parts): Messaging {
  const { network, confirmations } = settings
  /** Who listens, asks for a price or sends on a topic is likely to send there next. */
  const expectNext = (contentTopic: string) => {
    const { member } = use()
    try {
      member.expect(placeOf(contentTopic, network).pubsubTopic)
    } catch {
      // The call itself says what is wrong with the topic.
    }
  }
  return {
    publish(message, options = {}) {
      expectNext(message.contentTopic)
      return use().publisher.publish(message, { confirmations, ...options })
    },
    async estimate(message, options = {}) {
      expectNext(message.contentTopic)
      return createEstimator(use()).estimate(message, options.confirmations ?? confirmations)
    },
    async subscribe(contentTopics, onMessage, options) {
      if (contentTopics[0] !== undefined) expectNext(contentTopics[0])
      return use().subscriptions.subscribe(contentTopics, onMessage, options)
    },
    query: (query) => queryHistory(use(), query),
    async budget(contentTopic) {
      return use().member.budget(placeOf(contentTopic, network).pubsubTopic)
    },
  }
}
