/**
 * The node's configuration: one strict schema, read once from file, environment and command line, then frozen.
 *
 * @module
 */
export { type ConfigKey, configKeys, envName } from './keys.ts'
export {
  configPaths,
  DEFAULT_DATA_DIR,
  type LoadConfigOptions,
  loadConfig,
  parseConfig,
  redactConfig,
  redactUrl,
} from './load.ts'
export { type Config, type ConfigInput, configSchema } from './schema.ts'
