import type { Clock } from '../clock.ts'
import { createRateLimiter } from '../rate-limiter.ts'
import {
  MAX_REMEMBERED_ORIGINS,
  OFFENDERS_PER_ADDRESS,
  OFFENDING_ADDRESS_CONNECTIONS_PER_SECOND,
  PENALTY_BAN_POINTS,
} from './constants.ts'
import { createPenaltyBook } from './penalties.ts'

/**
 * Where offenders come from. A peer id costs nothing, so a ban alone costs an attacker one handshake, which costs us
 * more than the offence. Addresses are scarcer: one from which several offenders came within minutes gets new
 * connections one at a time. Connections that are open stay, and an honest neighbour behind it waits its turn.
 */
export type AddressWatch = {
  /** A peer connected from this multiaddr. Remembered, because it may be gone before its offence is known. */
  connected(peer: string, multiaddr: string): void
  /** A peer did something grave. */
  offended(peer: string): void
  /** Whether to take a new connection from there now. */
  admits(multiaddr: string): boolean
}

/** The half: what is forgiven between the first offender and the last must not ask for one more. */
const OFFENCE_POINTS = PENALTY_BAN_POINTS / (OFFENDERS_PER_ADDRESS - 0.5)

export function createAddressWatch(clock: Clock): AddressWatch {
  const offences = createPenaltyBook(clock)
  const origins = new Map<string, string>()
  const trickle = createRateLimiter(clock, {
    perSecond: OFFENDING_ADDRESS_CONNECTIONS_PER_SECOND,
    burst: OFFENDING_ADDRESS_CONNECTIONS_PER_SECOND,
  })
  return {
    connected(peer, multiaddr) {
      const origin = originOf(multiaddr)
      if (origin === undefined) return
      origins.delete(peer) // re-inserting keeps the map in order of the last connection
      origins.set(peer, origin)
      const [oldest] = origins.keys()
      if (origins.size > MAX_REMEMBERED_ORIGINS && oldest !== undefined) origins.delete(oldest)
    },
    offended(peer) {
      const origin = origins.get(peer)
      if (origin !== undefined) offences.add(origin, OFFENCE_POINTS)
    },
    admits(multiaddr) {
      const origin = originOf(multiaddr)
      return origin === undefined || !offences.banned(origin) || trickle.take(origin)
    },
  }
}

/**
 * Of IPv4 the address, of IPv6 the 64 bits that one customer has; undefined for what has neither. A listener on `::`
 * also takes IPv4, whose addresses then look like IPv6 ones: ::ffff:a.b.c.d.
 */
export function originOf(multiaddr: string): string | undefined {
  const [, family, address = ''] = /^\/(ip4|ip6)\/([^/]+)/.exec(multiaddr) ?? []
  if (family === undefined) return undefined
  if (family === 'ip4') return address
  const [head = '', tail] = address.split('::')
  const groups = head === '' ? [] : head.split(':')
  const rest = tail ? tail.split(':') : []
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - groups.length - rest.length)
  const all = [...groups, ...Array<string>(zeros).fill('0'), ...rest].map((group) =>
    group.replace(/^0+(?=.)/, '').toLowerCase(),
  )
  return mappedIp4(all) ?? all.slice(0, 4).join(':')
}

/** The IPv4 address in the last two of eight groups, when the ones before say that there is one. */
function mappedIp4(groups: readonly string[]): string | undefined {
  if (groups.slice(0, 6).join(':') !== '0:0:0:0:0:ffff') return undefined
  return groups
    .slice(6)
    .map((group) => Number.parseInt(group, 16))
    .flatMap((group) => [group >> 8, group & 0xff])
    .join('.')
}
