import { readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { defineConfig } from 'hardhat/config'

const require = createRequire(import.meta.url)

const compiler = {
  version: '0.8.37',
  /** The compiler comes from npm, so building needs no download. */
  path: require.resolve('solc/soljson.js'),
  settings: {
    evmVersion: 'cancun',
    // Copying string[] from calldata to storage needs it, and it saves 3 % of the gas of a settlement.
    viaIR: true,
    // Contracts are deployed once and called for ever.
    optimizer: { enabled: true, runs: 1_000_000 },
  },
}

/**
 * Tests deploy the artifacts of the contracts and import interfaces only, so they themselves need no optimiser, which
 * would take most of a minute.
 */
const testCompiler = {
  ...compiler,
  settings: { evmVersion: 'cancun', viaIR: false, optimizer: { enabled: false } },
}
const testOverrides = Object.fromEntries(
  readdirSync(join(import.meta.dirname, 'contracts', 'test'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.sol'))
    .map((path) => [join('contracts', 'test', path), testCompiler]),
)

export default defineConfig({
  paths: {
    sources: ['contracts/interfaces', 'contracts/libraries', 'contracts/src'],
    tests: { solidity: 'contracts/test' },
    artifacts: 'contracts/.hardhat/artifacts',
    cache: 'contracts/.hardhat/cache',
  },
  networks: {
    // A block for each transaction, many in one second: without this the chain's clock would run ahead of the real one.
    node: { type: 'edr-simulated', allowBlocksWithSameTimestamp: true },
  },
  test: {
    solidity: {
      // Fixed, so that a failure is a failure for everybody.
      fuzz: { runs: 256, seed: '0x706f73747269646572' },
      // Handlers catch what the contracts refuse; whatever else reverts is a fault of the test.
      invariant: { runs: 32, depth: 100, failOnRevert: true },
    },
  },
  solidity: {
    // One profile for all: what is tested is what is deployed.
    profiles: {
      default: { compilers: [compiler], overrides: testOverrides },
      production: { compilers: [compiler] },
    },
    npmFilesToBuild: [
      'poseidon-solidity/PoseidonT2.sol',
      '@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol',
    ],
  },
})
