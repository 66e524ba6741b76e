import { describeLedger } from './ledger-suite.ts'
import { createMemoryLedger } from './memory-ledger.ts'

describeLedger('memory', async () => ({ ledger: createMemoryLedger(), close: async () => {} }))
