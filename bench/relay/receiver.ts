// A peer behind the node that takes what comes, unchecked, and notes when.
import { joinNode, type Moment, machineMs } from './host.ts'
import { indexOf } from './payload.ts'
import { serveRole, tell } from './roles.ts'

/** How often the parent hears how many have arrived. */
const TELL_MS = 4

const arrivals: Moment[] = []
let told = 0

serveRole({
  async connect({ address }: { address: string }) {
    const host = await joinNode(address)
    host.gossip.addEventListener('gossipsub:message', ({ detail: { msg } }) => {
      arrivals.push([indexOf(msg.data), machineMs()])
    })
    setInterval(() => {
      if (told === arrivals.length) return
      told = arrivals.length
      tell('arrived', told)
    }, TELL_MS)
  },
  report: () => arrivals,
})
