import {
  type Client,
  createClient,
  createWallet,
  openIndexedDbStorage,
  type ReceivedMessage,
} from '@postrider/client/browser'
import { parseNetwork } from '@postrider/protocol/network'

let client: Client | undefined
const use = (): Client => {
  if (!client) throw new TypeError('join first')
  return client
}

export const chat = {
  /** Connects and becomes a member, if this storage is of none yet. */
  async join({ network, privateKey, limit }: { network: unknown; privateKey: string; limit: number }) {
    const stages = new Set<string>()
    client = createClient({
      network: parseNetwork(network),
      wallet: createWallet({ privateKey }),
      storage: await openIndexedDbStorage('chat'),
      rln: { proveAhead: true },
    })
    client.on('prover:progress', ({ stage }) => stages.add(stage))
    await client.start()
    const { status } = await client.membership.state()
    if (status !== 'active') await client.membership.register({ limit })
    const { commitment } = await client.membership.state()
    return { before: status, commitment, stages: [...stages] }
  },

  /** Publishes and waits until the message comes back from a node. */
  async say(contentTopic: string, text: string) {
    const arrived = Promise.withResolvers<ReceivedMessage>()
    const listen = (message: ReceivedMessage) => {
      if (new TextDecoder().decode(message.payload) === text) arrived.resolve(message)
    }
    const subscription = await use().subscribe([contentTopic], listen, { verifyProofs: true })
    const receipt = await use().publish({ contentTopic, payload: new TextEncoder().encode(text) }).receipt
    const { messageHash, proof } = await arrived.promise
    await subscription.unsubscribe()
    const { rlnRemaining, epoch, node } = receipt
    return { sent: receipt.messageHash, received: messageHash, proof, rlnRemaining, epoch, node: node.peerId }
  },

  leave: () => use().close(),
}
