/** Typed ABIs of Postrider's contracts, and what it takes to call them. Browser-safe. */
export * from './abi/index.ts'
export { type Claim, EMPTY_CLAIM, type SignedVoucher, type Tick, toClaim } from './claim/index.ts'
