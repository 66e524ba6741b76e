import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createTempDir } from '../testing/temp-dir.ts'
import { configKeys, configPaths, loadConfig, parseConfig, redactConfig, redactUrl } from './index.ts'

describe('configuration', () => {
  it('is complete and frozen with nothing given', async () => {
    const config = await loadConfig({ workingDir: '/srv' })
    expect(config.dataDir).toBe('/srv/.postrider')
    expect(config.api).toEqual({ enabled: true, host: '127.0.0.1', port: 8645 })
    expect(() => Object.assign(config.api, { port: 1 })).toThrow()
    expect(() => (config.listen as string[]).push('x')).toThrow()
  })

  it('takes defaults, then the file, then the environment, then the caller', async () => {
    await using dir = await createTempDir()
    const file = dir.file('config.json')
    const prices = { publish: '5', query: 6, push: '0.5 mPOST' }
    await writeFile(file, JSON.stringify({ prices, api: { port: 1 }, keystore: { passwordFile: 'pw' } }))
    const config = await loadConfig({
      file,
      env: {
        POSTRIDER_API_PORT: '2',
        POSTRIDER_PRICES_QUERY: '7',
        HOME: '/x',
        POSTRIDER_KEYSTORE_FILE: 'k.json',
      },
      overrides: { api: { port: 3 } },
      workingDir: '/srv',
    })
    expect(config.api.port).toBe(3)
    expect(config.prices).toEqual({ publish: 5n, query: 7n, push: 5n * 10n ** 14n })
    expect(config.dataDir).toBe(dir.path)
    expect(config.keystore).toEqual({ file: '/srv/k.json', passwordFile: join(dir.path, 'pw') })
    expect(configPaths(config)).toMatchObject({
      keystoreFile: '/srv/k.json',
      databaseFile: join(dir.path, 'node.db'),
    })
  })

  it('reads every kind of setting from the environment', async () => {
    const { rpcUrls, services, redeem } = await loadConfig({
      env: {
        POSTRIDER_RPC_URLS: 'http://a.example, https://b.example/key',
        POSTRIDER_SERVICES_STORE: 'false',
        POSTRIDER_REDEEM_MODE: 'oversight',
      },
    })
    expect(rpcUrls).toEqual(['http://a.example', 'https://b.example/key'])
    expect(services.store).toBe(false)
    expect(redeem.mode).toBe('oversight')
  })

  it('names every problem at once', async () => {
    const bad = loadConfig({
      env: {
        POSTRIDER_API_PORT: 'http',
        POSTRIDER_PRICES_PUSH: '1.5',
        POSTRIDER_UNPAID_LIMIT: '-1',
        POSTRIDER_RPC_URLS: 'file:///etc',
      },
      overrides: { unknown: 1 } as object,
    })
    await expect(bad).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    const { problems } = (await bad.catch((error) => error)).data
    expect(problems.join('\n')).toMatch(/api\.port/)
    expect(problems.join('\n')).toMatch(/prices\.push/)
    expect(problems.join('\n')).toMatch(/unpaidLimit/)
    expect(problems.join('\n')).toMatch(/rpcUrls/)
    expect(problems.join('\n')).toMatch(/unknown/)
  })

  it('refuses misspelt variables unless the caller knows them', async () => {
    const env = { POSTRIDER_API_PROT: '1' }
    await expect(loadConfig({ env })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    await expect(loadConfig({ env, otherEnv: ['POSTRIDER_API_PROT'] })).resolves.toBeDefined()
  })

  it('refuses files that are missing, not JSON, no object, or try the prototype', async () => {
    await using dir = await createTempDir()
    const file = dir.file('c.json')
    await expect(loadConfig({ file })).rejects.toMatchObject({ code: 'CONFIG_FILE_UNREADABLE' })
    for (const text of ['{', '[]', '3', '\xff']) {
      await writeFile(file, text, 'latin1')
      await expect(loadConfig({ file })).rejects.toMatchObject({ code: 'CONFIG_FILE_UNREADABLE' })
    }
    await writeFile(file, '{"__proto__":{"log":{"level":"trace"}}}')
    await expect(loadConfig({ file })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })

  it('shows endpoints without what providers put in them', async () => {
    const config = await loadConfig({
      overrides: { rpcUrls: ['https://user:pass@rpc.example/v2/KEY?k=1', 'http://127.0.0.1:8545'] },
    })
    const shown = JSON.stringify(redactConfig(config))
    expect(shown).not.toMatch(/KEY|pass|user:/)
    expect(redactConfig(config).rpcUrls).toEqual(['https://rpc.example/[redacted]', 'http://127.0.0.1:8545'])
  })

  it('shows nothing of what is no URL', () => {
    expect(redactUrl('key')).toBe('[no URL]')
  })

  it('describes every setting, each with its own variable', () => {
    const variables = configKeys.map((key) => key.env)
    expect(new Set(variables).size).toBe(variables.length)
    expect(configKeys.filter((key) => key.description === '')).toEqual([])
  })

  it('wants absolute paths once loading is over', () => {
    expect(() => parseConfig({ dataDir: 'relative' })).toThrowError(/dataDir/)
  })
})
