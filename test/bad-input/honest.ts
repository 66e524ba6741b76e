// An honest client that goes on publishing while a node is attacked.
import type { PublishReceipt } from '@postrider/client'
import type { Person } from '../../devnet/people.ts'

export type HonestTraffic = {
  /** Ends the traffic: the receipts of every message, or throws what one of them failed with. */
  stop(): Promise<PublishReceipt[]>
}

export function startHonestTraffic({ client }: Person, contentTopic: string): HonestTraffic {
  const receipts: PublishReceipt[] = []
  let running = true
  const work = async () => {
    while (running) {
      const payload = new TextEncoder().encode(`honest message ${receipts.length}`)
      receipts.push(await client.publish({ contentTopic, payload }).receipt)
    }
  }
  const ended = work()
  ended.catch(() => undefined) // thrown by `stop`
  return {
    async stop() {
      running = false
      await ended
      return receipts
    },
  }
}
