/**
 * The node's database: SQLite behind Prisma, migrated at start. Each part writes its own repository over `Db`.
 *
 * @module
 */
export { amountFromText, amountToText } from './amounts.ts'
export { type Database, type Db, type DbTransaction, dbErrors, openDatabase } from './database.ts'
export type { DbWriter, SqlStatement } from './writer.ts'
