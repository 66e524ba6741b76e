import type { ChannelStatus, MemberStatus } from './types.ts'

/** Names of the contracts' numbers. */
export const CHANNEL_STATUS: readonly ChannelStatus[] = ['none', 'open', 'closing', 'closed']
export const MEMBER_STATUS: readonly MemberStatus[] = ['none', 'active', 'leaving', 'withdrawn', 'slashed']
