import type { ErrorSection } from './types.ts'

/** What the client library reports: options, transport, nodes, wallet, message ids, membership, storage. */
export const clientErrors = {
  CLIENT_OPTION_INVALID: {
    title: 'An option of the client is not valid',
    retryable: false,
    fix: 'Correct the named option.',
  },
  CLIENT_NOT_STARTED: {
    title: 'The client is not started',
    retryable: false,
    fix: 'Await client.start() first.',
  },
  CLIENT_CLOSED: {
    title: 'The client is closed',
    retryable: false,
    fix: 'Create a new client on the same storage.',
  },
  CLIENT_ABORTED: {
    title: 'The call was aborted by its caller',
    retryable: true,
    fix: 'Nothing is wrong. Call again if the result is still wanted.',
  },
  CLIENT_TIMEOUT: {
    title: 'The step took longer than its deadline',
    retryable: true,
    fix: 'Try again; if it repeats, look at the network, the node and the RPC endpoint that the detail names.',
  },
  CLIENT_NO_NODE: {
    title: 'No node can serve this request',
    retryable: true,
    fix: 'Check the connection, the bootstrap addresses and the node registry of the network file.',
  },
  CLIENT_CONNECT_FAILED: {
    title: 'The node cannot be reached',
    retryable: true,
    fix: 'Another node is tried. Check that one of its endpoints speaks a transport of this client.',
  },
  CLIENT_WRONG_CLUSTER: {
    title: 'The node belongs to another cluster or does not serve the shard',
    retryable: false,
    fix: 'Use a network file and bootstrap addresses of the same network.',
  },
  CLIENT_STREAM_FAILED: {
    title: 'The stream to the node broke before the answer',
    retryable: true,
    fix: 'Another node is tried. If all break, check the connection.',
  },
  CLIENT_BAD_RESPONSE: {
    title: 'The node answered with something that the protocol does not allow',
    retryable: true,
    fix: 'Another node is tried; the answer counts against this one.',
  },
  CLIENT_BUSY: {
    title: 'Too many calls wait in this client',
    retryable: true,
    fix: 'Wait for some of the messages under way before publishing more.',
  },
  CLIENT_PUBLISH_REJECTED: {
    title: 'The nodes refused the message as invalid',
    retryable: false,
    fix: 'Read the reasons in data.attempts. Check clock and membership; do not send the same bytes again.',
  },
  CLIENT_PUBLISH_FAILED: {
    title: 'No node took the message in time',
    retryable: true,
    fix: 'Publish again: it costs a new message id. data.attempts says what each node answered.',
  },
  CLIENT_SUBSCRIBE_FAILED: {
    title: 'No node accepted the subscription',
    retryable: true,
    fix: 'As a warning: the client keeps trying. As the answer to subscribe: the subscription is not kept, call again. Check connection and balance.',
  },
  CLIENT_QUERY_FAILED: {
    title: 'No node answered the history query',
    retryable: true,
    fix: 'Try again. data.attempts says what each node answered.',
  },
  CLIENT_HISTORY_INVALID: {
    title: 'A message of the history does not match its hash, the filter or its proof',
    retryable: true,
    fix: 'Another node is asked; the false answer counts against this one.',
  },
  CLIENT_WALLET_REQUIRED: {
    title: 'This call needs a wallet',
    retryable: false,
    fix: 'Create the client with a wallet, or stay within the free allowance of the nodes.',
  },
  CLIENT_WALLET_INVALID: {
    title: 'The wallet key is not a secp256k1 private key',
    retryable: false,
    fix: 'Give 32 bytes in hex, read from a file or the environment.',
  },
  CLIENT_FUNDS_MISSING: {
    title: 'The wallet does not hold enough of the token',
    retryable: true,
    fix: 'Send at least data.missing base units of the token in data.token to the address in data.address.',
  },
  CLIENT_GAS_MISSING: {
    title: "The wallet does not hold enough of the chain's own coin to pay for the transaction",
    retryable: true,
    fix: 'Send coin for gas to the wallet: where the need is known, at least data.missing wei to data.address.',
  },
  CLIENT_FEE_TOO_HIGH: {
    title: 'Gas costs more than the limit',
    retryable: true,
    fix: 'Wait until gas is cheaper, or raise budget.maxFeePerGas. data.needed and data.limit are wei for one unit of gas.',
  },
  CLIENT_BUDGET_EXCEEDED: {
    title: 'The budget does not cover this request',
    retryable: false,
    fix: 'Raise the limit that data.limit names. The daily budget is whole again at data.dayEndsAt; data.remaining is what it still allows.',
  },
  CLIENT_PRICE_TOO_HIGH: {
    title: 'The node asks for more than its registered price or the price limit',
    retryable: false,
    fix: 'Another node is tried. Raise the price limit if the price is acceptable.',
  },
  CLIENT_OVERCHARGED: {
    title: 'The node counts more than it served',
    retryable: false,
    fix: 'The node is not paid further and not used any more. At most the prepaid credit is lost.',
  },
  CLIENT_TERMS_INVALID: {
    title: "The node's payment terms do not fit this network",
    retryable: false,
    fix: 'Another node is tried. The terms name another chain, contract or payee.',
  },
  CLIENT_PAYMENT_FAILED: {
    title: 'The node did not accept the payment',
    retryable: true,
    fix: 'Another node is tried. data.code is the reason that the node gave.',
  },
  CLIENT_CHANNEL_UNUSABLE: {
    title: 'The payment channel cannot be used for this',
    retryable: false,
    fix: 'data.status says why: a closing or closed channel takes no payment; a new one is opened on demand.',
  },
  CLIENT_CHAIN_UNAVAILABLE: {
    title: 'No RPC endpoint of the network file answers',
    retryable: true,
    fix: 'Check the endpoints. Sending within open channels goes on without the chain.',
  },
  CLIENT_CHAIN_REORGANISED: {
    title: 'The chain took back something that moved money of this client',
    retryable: true,
    fix: 'Nothing is to be done: the transaction is sent again, or its amount goes back to the budget. data.channelId names the channel. If it repeats, the RPC endpoint is behind or unsteady: use another.',
  },
  CLIENT_LEDGER_MISMATCH: {
    title: "The chain's events do not add up to what the contracts hold",
    retryable: true,
    fix: 'The RPC endpoint leaves out or invents events: use another and read the ledger again. data.differences says where.',
  },
  CLIENT_CHANNEL_UNRECORDED: {
    title: 'The contract holds a channel of this wallet that the storage does not know',
    retryable: true,
    fix: 'It is taken over at the next payment to that node if this wallet made it. If another program did, only that one can close it.',
  },
  CLIENT_CHANNEL_RECORD_WRONG: {
    title: 'The record of a channel does not agree with the contract, or promises less than it owes',
    retryable: true,
    fix: 'Refresh the channels. If it stays, the storage was restored from a backup: the next payment to the node takes over what was promised.',
  },
  CLIENT_WRONG_CHAIN: {
    title: 'The RPC endpoint serves another chain',
    retryable: false,
    fix: 'Use an endpoint of the chain id in the network file.',
  },
  CLIENT_TRANSACTION_FAILED: {
    title: 'The transaction was refused or reverted',
    retryable: false,
    fix: 'data.reason is the error of the contract; correct the cause before trying again.',
  },
  CLIENT_RLN_NO_IDENTITY: {
    title: 'There is no rate-limit identity in the storage',
    retryable: false,
    fix: 'Call client.membership.register({ limit }), or import an identity, before publishing.',
  },
  CLIENT_RLN_IDENTITY_EXISTS: {
    title: 'The storage already holds another rate-limit identity',
    retryable: false,
    fix: 'Use another storage, or leave the membership first: a replaced secret cannot be recovered.',
  },
  CLIENT_RLN_RANGE_REQUIRED: {
    title: 'An identity is imported without a range of message ids of its own',
    retryable: false,
    fix: 'Create the client with rln.firstId or rln.idCount so that no other device of the member has its ids. If no other device sends with this identity any more, call importIdentity(secret, { soleDevice: true }).',
  },
  CLIENT_RLN_NOT_MEMBER: {
    title: 'The identity is not a member (yet, or any more)',
    retryable: true,
    fix: 'Register, or wait until the registration is confirmed. An erased membership needs a new identity.',
  },
  CLIENT_RLN_EPOCH_BURNT: {
    title: 'The rest of this epoch is given up because it is not known which message ids were used',
    retryable: true,
    fix: 'Wait for the epoch in data.firstEpoch: an imported identity may have been used elsewhere until then.',
  },
  CLIENT_MEMBERSHIP_MISMATCH: {
    title: 'The membership events do not add up to the running hash of the contract',
    retryable: true,
    fix: 'The list is loaded again. If it repeats, the RPC endpoint leaves out or invents events: use another.',
  },
  CLIENT_PROVER_FAILED: {
    title: 'The proof could not be made',
    retryable: true,
    fix: 'Publish again: the message id is burnt. If it repeats, check memory and the key files.',
  },
  CLIENT_STORAGE_IN_USE: {
    title: 'Another client uses this storage',
    retryable: true,
    fix: 'Close it first (in a browser it may be in another tab), or give each client a storage and an id range of its own.',
  },
  CLIENT_STORAGE_FOREIGN: {
    title: 'The storage is of another wallet or network',
    retryable: false,
    fix: 'Give each wallet on each network a storage of its own. data says of which wallet, chain and contracts this one is.',
  },
  CLIENT_STORAGE_FAILED: {
    title: 'The storage did not keep a record',
    retryable: true,
    fix: 'Check free space and permissions. Nothing was sent that is not recorded.',
  },
  CLIENT_STORAGE_CORRUPT: {
    title: 'A record of the storage cannot be read',
    retryable: false,
    fix: 'Restore the storage from a backup; the wallet recovers its channels from the key alone.',
  },
} as const satisfies ErrorSection
