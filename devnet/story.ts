// The story of the network, told on real parts: honest paid traffic, history, a stock client, a spammer who loses
// a deposit, operators who cash out. Each act ends in assertions that read chain, nodes and clients.
import type { ReceivedMessage } from '@postrider/client'
import { formatAmount } from '@postrider/protocol/payment'
import { channelsOf, gasUsed, metric, readEvents, sum, units, until } from './figures.ts'
import type { Devnet } from './network.ts'
import type { Operator } from './operators.ts'
import { createPerson, createSpammer, createStockClient, type Person } from './people.ts'
import type { Stage } from './stage.ts'
import { POST } from './treasury.ts'

const TOPIC = '/devnet/1/harbour/utf8'
const GREETINGS = [
  'Ship ahoy',
  'Two barrels of tea',
  'One crate of oranges',
  'Fog from the west',
  'Pilot wanted',
  'All safe',
]
const PAGE_SIZE = 2
const PATIENCE_MS = 30_000
const STAKE = 1_000n * POST

type Cast = Devnet & { stage: Stage; alice: Person; bob: Person; received: ReceivedMessage[] }

/** Plays every act. @returns nothing: what matters is in the stage's assertions */
export async function playStory(devnet: Devnet, stage: Stage): Promise<void> {
  stage.act('Two clients join, prepay and talk')
  const [alice, bob] = await stage.step(
    'Alice and Bob register for 32 messages an epoch and reach the nodes',
    () => Promise.all([createPerson(devnet, 'alice'), createPerson(devnet, 'bob')]),
  )
  const cast: Cast = { ...devnet, stage, alice, bob, received: [] }
  try {
    await honestTraffic(cast)
    await history(cast)
    const stock = await stockClient(cast)
    const spam = await spammer(cast)
    await cashOut(cast)
    await closingTable(cast, { stock, spam })
  } finally {
    await Promise.all([alice.client.close(), bob.client.close()])
  }
}

async function honestTraffic({ stage, alice, bob, received, operators }: Cast): Promise<void> {
  await stage.step('Bob subscribes; nodes will push to him', () =>
    bob.client.subscribe([TOPIC], (message) => received.push(message)),
  )
  const estimate = await alice.client.estimate({ contentTopic: TOPIC, payload: utf8(GREETINGS[0] as string) })
  stage.say(
    `a message costs Alice at most ${formatAmount(estimate.total)} and one of ${estimate.rlnRemaining} in this epoch`,
  )
  let paid = 0n
  await stage.step(`Alice publishes ${GREETINGS.length} messages`, async (update) => {
    for (const [index, text] of GREETINGS.entries()) {
      const receipt = await alice.client.publish({ contentTopic: TOPIC, payload: utf8(text) }).receipt
      paid += receipt.paid
      update(`Alice publishes ${index + 1} of ${GREETINGS.length}: “${text}”, proven, paid, relayed, stored`)
    }
  })
  await stage.step('Bob receives them', (update) =>
    until('Bob has every message', PATIENCE_MS, async () => {
      update(`Bob receives them: ${received.length} of ${GREETINGS.length}`)
      return received.length >= GREETINGS.length
    }),
  )
  await until('every node has stored every message', PATIENCE_MS, async () => {
    const counts = await Promise.all(operators.map(storedMessages))
    return counts.every((count) => count >= GREETINGS.length)
  })
  const texts = received.map(({ payload }) => text(payload))
  stage.assert(
    'every honest message reached the subscriber, once and unchanged',
    texts.length === GREETINGS.length && GREETINGS.every((greeting) => texts.includes(greeting)),
    texts.join(' | '),
  )
  stage.assert('Alice paid for publishing', paid > 0n, formatAmount(paid))
  stage.assert('no node rejected an honest message', (await verdicts(operators, 'reject')) === 0)
}

async function history({ stage, bob, operators }: Cast): Promise<void> {
  stage.act('Bob was away and asks for the history')
  const ticksBefore = await ticks(operators, bob)
  const found: ReceivedMessage[] = []
  await stage.step(
    'Bob queries page by page, pays by ticks, and checks every hash and proof',
    async (update) => {
      for await (const message of bob.client.query({
        contentTopics: [TOPIC],
        pageSize: PAGE_SIZE,
        verifyProofs: true,
      })) {
        found.push(message)
        update(
          `Bob queries page by page, pays by ticks, and checks every hash and proof: ${found.length} messages`,
        )
      }
    },
  )
  const inOrder = found.map(({ payload }) => text(payload)).join() === GREETINGS.join()
  stage.assert(
    'history is complete and in order',
    inOrder,
    found.map(({ payload }) => text(payload)).join(' | '),
  )
  stage.assert(
    'every proof in history is valid',
    found.every(({ proof }) => proof === 'valid'),
  )
  const after = await ticks(operators, bob)
  stage.assert('history was paid by ticks or vouchers', after > ticksBefore, `${ticksBefore} → ${after}`)
}

async function stockClient({ stage, devchain, operators, received, alice: _ }: Cast): Promise<number> {
  stage.act('A stranger with a stock Waku client and no money')
  const node = operators[0] as Operator
  const before = received.length
  const answer = await stage.step(
    `it publishes through ${node.name}, which proves for it within its free allowance`,
    async () => {
      const client = await createStockClient(devchain, node)
      try {
        const encoder = client.createEncoder({ contentTopic: TOPIC })
        return await client.lightPush.send(encoder, { payload: utf8('Hello from elsewhere') })
      } finally {
        await client.stop()
      }
    },
  )
  await until('Bob receives the stranger’s message', PATIENCE_MS, async () => received.length > before).catch(
    () => {},
  )
  const heard = received.slice(before).some(({ payload }) => text(payload) === 'Hello from elsewhere')
  stage.assert(
    'the stock client’s message was taken and reached the subscriber',
    answer.successes.length === 1 && heard,
  )
  return answer.successes.length
}

async function spammer(cast: Cast): Promise<number> {
  const { stage, operators, devchain, treasury, received } = cast
  stage.act('A spammer breaks the rate limit')
  const villain = await stage.step('a member with a limit of one message registers', () =>
    createSpammer(cast),
  )
  try {
    const [first, second] = await stage.step('it proves two messages with the same message id', () =>
      villain.forge(TOPIC),
    )
    const [accepted] = await villain.send(first, operators.slice(0, 1))
    await until('the first message is everywhere', PATIENCE_MS, async () =>
      received.some(({ payload }) => text(payload) === 'BUY NOW'),
    )
    const rejectedBefore = await verdicts(operators, 'breach')
    const answers = await stage.step('it sends the second one to every node', () =>
      villain.send(second, operators),
    )
    for (const { node, code, reason } of answers) stage.say(`${node}: ${code} ${reason}`)
    stage.assert('the first message was within the limit', accepted?.code === 200, accepted?.reason)
    stage.assert(
      'every node rejected the second message',
      answers.every(({ code }) => code >= 400),
      answers.map(({ code }) => code).join(),
    )
    const slashing = await stage.step(
      'nodes recover the secret, commit, and one reveals it on chain',
      async () => {
        await until(
          'the deposit is slashed',
          PATIENCE_MS,
          async () => (await readEvents(devchain.network, treasury)).slashed.length > 0,
        )
        const { slashed, promises } = await readEvents(devchain.network, treasury)
        return {
          slashed: slashed.filter(({ args }) => args.commitment === villain.commitment),
          promises: promises.length,
        }
      },
    )
    const args = slashing.slashed[0]?.args
    const winner = operators.find(({ account }) => account.toLowerCase() === args?.slasher.toLowerCase())
    if (args !== undefined) {
      stage.say(
        `${winner?.name ?? args.slasher} proved it: ${formatAmount(args.reward)} to it, ${formatAmount(args.burnt)} burnt; ${slashing.promises} nodes had committed`,
      )
    }
    const deposits = (await readEvents(devchain.network, treasury)).joined.filter(
      ({ args: joined }) => joined.commitment === villain.commitment,
    )
    const deposit = sum(deposits.map(({ args: joined }) => joined.deposit))
    stage.assert('the spammer’s deposit is slashed on chain, once', slashing.slashed.length === 1)
    stage.assert(
      'the reward went to a node that proved it',
      winner !== undefined && args?.receiver.toLowerCase() === winner.account.toLowerCase(),
    )
    stage.assert(
      'reward and burnt share are the whole deposit',
      args !== undefined && args.reward + args.burnt === deposit && args.burnt > 0n,
    )
    stage.assert(
      'the subscriber never saw the second message',
      !received.some(({ payload }) => text(payload) === 'BUY MORE'),
    )
    return (await verdicts(operators, 'breach')) - rejectedBefore
  } finally {
    await villain.close()
  }
}

async function cashOut({ stage, operators, devchain, treasury }: Cast): Promise<void> {
  stage.act('The operators cash out')
  const owed = await Promise.all(
    operators.map(async (operator) =>
      (await channelsOf(operator)).map(({ id, paid }) => ({ id, paid: units(paid) })),
    ),
  )
  await stage.step('each settles all its channels in one batch', () =>
    Promise.all(
      operators.map(async (operator, index) => {
        if (sum((owed[index] ?? []).map(({ paid }) => paid)) > 0n)
          await operator.command(['rewards', 'claim-all', '--force'])
      }),
    ),
  )
  await until('every claim is confirmed', PATIENCE_MS, async () => {
    const channels = (await Promise.all(operators.map(channelsOf))).flat()
    return channels.every(({ paid, settled }) => units(paid) === units(settled))
  })
  const { settled } = await readEvents(devchain.network, treasury)
  const claimed = new Map(settled.map(({ args }) => [args.channelId, args.settled]))
  const channels = owed.flat().filter(({ paid }) => paid > 0n)
  stage.assert(
    'every operator was paid what its vouchers say, to the last unit',
    channels.length > 0 && channels.every(({ id, paid }) => claimed.get(id as `0x${string}`) === paid),
  )
  const transactions = new Set(settled.map(({ transactionHash }) => transactionHash))
  stage.assert(
    'an operator settles several channels in one transaction',
    transactions.size < settled.length,
    `${settled.length} claims in ${transactions.size}`,
  )

  const leaver = operators.at(-1) as Operator
  await stage.step(
    `${leaver.name} leaves: announces its exit, waits for the unbonding, withdraws to its cold address`,
    async () => {
      await leaver.command(['stake', 'exit'])
      const { unbondingSeconds } = (await leaver.command(['stake', 'status'])) as { unbondingSeconds: number }
      await treasury.passTime(unbondingSeconds + 1)
      await leaver.command(['withdraw'])
    },
  )
  const home = await treasury.tokensOf(leaver.withdrawal)
  stage.assert('the stake came back to the cold address in full', home === STAKE, formatAmount(home))
}

async function closingTable(cast: Cast, { stock, spam }: { stock: number; spam: number }): Promise<void> {
  const { stage, operators, devchain, treasury, received } = cast
  const events = await readEvents(devchain.network, treasury)
  const earned = sum(events.settled.map(({ args }) => args.amount - args.burnt))
  const burnt = sum([...events.settled, ...events.joined, ...events.slashed].map(({ args }) => args.burnt))
  const rewards = sum(events.slashed.map(({ args }) => args.reward))
  const proofs = await Promise.all(operators.map((operator) => metric(operator, 'zk_verdict_total')))
  stage.table('What happened', [
    ['messages delivered', `${received.length} (${stock} of a stock client)`],
    ['proofs checked', `${proofs.reduce((total, count) => total + count, 0)} by ${operators.length} nodes`],
    ['spam rejected', `${spam} times`],
    ['earned by operators', `${formatAmount(earned)} from ${events.settled.length} channels`],
    ['slashing reward', formatAmount(rewards)],
    ['burnt', formatAmount(burnt)],
    ['gas', `${await gasUsed(devchain.network, treasury)} in all`],
  ])
}

/** Payments received from a person: ticks, and vouchers that folded ticks in. */
async function ticks(operators: readonly Operator[], person: Person): Promise<bigint> {
  const channels = (await Promise.all(operators.map(channelsOf))).flat()
  return sum(
    channels
      .filter(({ payer }) => payer.toLowerCase() === person.address.toLowerCase())
      .map(({ paid }) => units(paid)),
  )
}

async function storedMessages(operator: Operator): Promise<number> {
  return (await operator.get<{ messages: number }>('/v1/store')).messages
}

async function verdicts(
  operators: readonly Operator[],
  kind: 'accept' | 'ignore' | 'reject' | 'breach',
): Promise<number> {
  const stats = await Promise.all(
    operators.map((operator) => operator.get<{ verdicts: Record<string, number> }>('/v1/relay')),
  )
  return stats.reduce((total, { verdicts: counts }) => total + (counts[kind] ?? 0), 0)
}

const utf8 = (value: string): Uint8Array => new TextEncoder().encode(value)
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
